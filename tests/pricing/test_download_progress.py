"""What a refresh tells of long downloads."""

from collections.abc import Sequence

import pytest

from steelyard.pricing.v1 import pricing_service_pb2 as pb
from steelyard_common.feed import FetchPolicy
from tests.fakes import FakeFeedServer
from tests.pricing.builders import openrouter_body, openrouter_model
from tests.pricing.conftest import CALL_SECONDS, Start

LIST = "/api/v1/models"
GOOD = openrouter_body(*(openrouter_model(f"acme/model-{number}") for number in range(40)))


def downloading(events: Sequence[pb.RefreshPricesResponse]) -> list[pb.RefreshProgress]:
    """Return what a refresh told of downloads after their beginnings."""
    phase = pb.REFRESH_PHASE_DOWNLOADING
    steps = [event.progress for event in events if event.progress.phase == phase]
    return [step for step in steps if step.byte_count]


@pytest.mark.parametrize("size", [100_000, 1_000_000, 5_000_000])
async def test_a_long_download_tells_a_few_of_its_steps(
    start: Start, feeds: FakeFeedServer, size: int
) -> None:
    body = GOOD + b" " * (size - len(GOOD))
    pricing = await start(openrouter_url=feeds.publish(LIST, body))

    steps = downloading(await pricing.refresh())

    counts = [step.byte_count for step in steps]
    assert counts == sorted(set(counts))
    assert 1 <= len(counts) <= 16
    assert counts[-1] > size / 2
    assert {(step.source, step.total_byte_count) for step in steps} == {("openrouter", size)}
    assert steps[0].message == f"{counts[0]:,} of {size:,} bytes of openrouter are here"


async def test_a_download_that_announces_no_size_tells_no_total(
    start: Start, feeds: FakeFeedServer
) -> None:
    body = GOOD + b" " * 2_000_000
    chunked = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    headers = {"transfer-encoding": "chunked", "content-length": None}
    pricing = await start(openrouter_url=feeds.publish(LIST, chunked, headers=headers))

    steps = downloading(await pricing.refresh())

    counts = [step.byte_count for step in steps]
    assert counts == [65_536 << shift for shift in range(5)]
    assert {step.total_byte_count for step in steps} == {0}


async def test_a_retried_download_tells_no_step_twice(start: Start, feeds: FakeFeedServer) -> None:
    body = GOOD + b" " * 1_000_000
    policy = FetchPolicy(attempts=3, first_wait_seconds=0, max_wait_seconds=0)
    url = feeds.publish(LIST, body, cut_after=500_000)
    pricing = await start(openrouter_url=url, fetch_policy=policy)

    steps = downloading(await pricing.refresh())

    counts = [step.byte_count for step in steps]
    assert len(feeds.requests) == 3
    assert counts == sorted(set(counts))


async def test_a_download_tells_its_steps_while_it_runs(
    start: Start, feeds: FakeFeedServer
) -> None:
    body = GOOD + b" " * 200_000
    pricing = await start(openrouter_url=feeds.publish(LIST, body, hang_after=150_000))
    request = pb.RefreshPricesRequest(force=True, sources=["openrouter"])
    events = aiter(pricing.stub.RefreshPrices(request, timeout=CALL_SECONDS))

    while not (event := await anext(events)).progress.byte_count:
        assert event.progress.phase == pb.REFRESH_PHASE_DOWNLOADING

    assert event.progress.byte_count == 65_536
    feeds.resumed.set()
    assert [event async for event in events][-1].WhichOneof("event") == "report"
