"""Reading feeds: what is good is served, what is not changes nothing."""

import asyncio
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import grpc
import pytest

from steelyard.pricing.v1 import pricing_service_pb2 as pb
from steelyard_catalog.seed import read_seed
from steelyard_common.feed import FetchPolicy
from steelyard_pricing.adapters.seed_prices import read_seed_facts
from tests.fakes import FakeClock, FakeFeedServer
from tests.pricing.builders import openrouter_body, openrouter_model, per_million
from tests.pricing.conftest import RunningPricing, Start
from tests.pricing.failures import failure_of

LIST = "/api/v1/models"
MAP = "/map.json"
MODELS = [openrouter_model(f"acme/model-{number}") for number in range(40)]
GOOD = openrouter_body(*MODELS)
OFFER = "openrouter/acme/model-1"
IMPATIENT = FetchPolicy(attempts=1, total_seconds=0.3)
DAY = 86_400


def with_price(price: Any) -> bytes:
    """Return the good list in which every model has another price."""
    return openrouter_body(
        *(model | {"pricing": {"prompt": price, "completion": price}} for model in MODELS)
    )


async def input_price(pricing: RunningPricing, offer: str = OFFER) -> int:
    answer = await pricing.price(offer)
    return next(rate.picodollars for rate in answer.price.rates if rate.component == 1)


async def test_a_refresh_tells_its_steps_and_ends_with_the_report(
    start: Start, feeds: FakeFeedServer
) -> None:
    pricing = await start(openrouter_url=feeds.publish(LIST, GOOD))
    before = await pricing.status()

    *steps, last = await pricing.refresh()

    assert [step.WhichOneof("event") for step in steps] == ["progress"] * len(steps)
    phases = [step.progress.phase for step in steps if step.progress.source == "openrouter"]
    assert phases == [
        pb.REFRESH_PHASE_DOWNLOADING,
        pb.REFRESH_PHASE_PARSING,
        pb.REFRESH_PHASE_CHECKING,
        pb.REFRESH_PHASE_PUBLISHED,
    ]
    assert {step.progress.byte_count for step in steps if step.progress.phase == 2} == {len(GOOD)}
    report = last.report
    outcomes = {source.source: source.outcome for source in report.sources}
    assert outcomes == {
        "litellm": pb.REFRESH_PHASE_SKIPPED,
        "openrouter": pb.REFRESH_PHASE_PUBLISHED,
        "models_dev": pb.REFRESH_PHASE_SKIPPED,
    }
    assert (report.fetched_count, report.added_count) == (40, 40)
    assert (report.changed_count, report.removed_count) == (0, 0)
    assert report.unchanged_count == before.model_count
    assert report.model_count == before.model_count + 40
    assert report.snapshot_version > before.snapshot_version


async def test_what_changed_is_counted_against_what_was_served(
    start: Start, feeds: FakeFeedServer
) -> None:
    pricing = await start(openrouter_url=feeds.publish(LIST, GOOD))
    await pricing.report()
    changed = [openrouter_model("acme/model-0", "0.000003"), *MODELS[1:39]]
    feeds.publish(LIST, openrouter_body(*changed, openrouter_model("acme/new")))

    report = await pricing.report()

    assert (report.added_count, report.changed_count, report.removed_count) == (1, 1, 1)


async def test_what_is_fresh_is_read_again_only_by_force(
    start: Start, feeds: FakeFeedServer, clock: FakeClock
) -> None:
    pricing = await start(openrouter_url=feeds.publish(LIST, GOOD))
    await pricing.report()

    skipped = await pricing.report(force=False)
    forced = await pricing.report(force=True)
    await clock.advance(DAY)
    stale = await pricing.report(force=False)

    outcomes = [report.sources[1].outcome for report in (skipped, forced, stale)]
    assert outcomes == [
        pb.REFRESH_PHASE_SKIPPED,
        pb.REFRESH_PHASE_NOT_MODIFIED,
        pb.REFRESH_PHASE_NOT_MODIFIED,
    ]
    assert len(feeds.requests) == 3


async def test_not_modified_is_a_success(
    start: Start, feeds: FakeFeedServer, clock: FakeClock
) -> None:
    pricing = await start(openrouter_url=feeds.publish(LIST, GOOD, etag='"v1"'))
    first = await pricing.report()
    await clock.advance(2 * DAY)
    assert (await pricing.status()).cache_valid is False

    second = await pricing.report()

    source = await pricing.source("openrouter")
    assert feeds.requests[-1].headers["if-none-match"] == '"v1"'
    assert second.sources[1].outcome == pb.REFRESH_PHASE_NOT_MODIFIED
    assert second.snapshot_version == first.snapshot_version
    assert (source.etag, source.stale, source.success_rate) == ('"v1"', False, 1.0)
    assert (await pricing.status()).cache_valid is True


FAULTS: dict[str, tuple[dict[str, Any], str, int]] = {
    "html": ({"body": b"<html>", "content_type": "text/html"}, "content_type", 8),
    "html that says it is json": ({"body": b"<html>wall</html>"}, "content_type", 8),
    "truncated": ({"body": GOOD, "cut_after": 500}, "truncated", 8),
    "cut json": ({"body": GOOD[:-10]}, "truncated", 8),
    "no bytes": ({"body": b""}, "too_small", 8),
    "an empty object": ({"body": b"{}"}, "not_an_object", 7),
    "an empty list": ({"body": b'{"data": []}'}, "empty", 7),
    "a number that is none": ({"body": b'{"data": [{"id": NaN}]}'}, "nan", 7),
    "too deep": ({"body": b'{"data": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"}, "too_deep", 7),
    "negative prices": ({"body": with_price("-0.000001")}, "unpriced", 7),
    "the sentinel": ({"body": with_price("-1")}, "unpriced", 7),
    "no prices": ({"body": with_price(None)}, "unpriced", 7),
    "zeros": ({"body": with_price("0")}, "unpriced", 7),
    "words": ({"body": with_price("cheap")}, "unpriced", 7),
    "other units": ({"body": with_price("2.5")}, "unpriced", 7),
    "shrunk": ({"body": openrouter_body(*MODELS[:37])}, "shrunk", 7),
    "gone": ({"status": 404, "body": b"no"}, "http_status", 8),
    "broken": ({"status": 500, "body": b"no"}, "http_status", 8),
    "dropped": ({"drop_connection": True}, "truncated", 8),
    "late": ({"body": GOOD, "hang_after": 10}, "timeout", 8),
    "elsewhere": ({"redirect_to": "http://example.com/"}, "redirect", 8),
    "not text": ({"body": b'{"data": "\xff"}'}, "not_utf8", 8),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_p1_a_bad_feed_is_refused_with_its_cause_and_the_last_good_prices_stay(
    start: Start, feeds: FakeFeedServer, clock: FakeClock, fault: str
) -> None:
    how, cause, outcome = FAULTS[fault]
    url = feeds.publish(LIST, GOOD)
    pricing = await start(openrouter_url=url, fetch_policy=IMPATIENT)
    await pricing.report()
    before, price = await pricing.status(), await pricing.price(OFFER)
    feeds.publish(LIST, **{"body": GOOD, **how})
    await clock.advance(60)

    report = await pricing.report()

    source = report.sources[1]
    status = await pricing.status()
    assert (source.outcome, source.error.cause) == (outcome, cause)
    assert source.error.message
    assert await pricing.price(OFFER) == price
    assert status.snapshot_version == before.snapshot_version
    assert status.last_updated_time == before.last_updated_time
    openrouter = status.sources[1]
    assert openrouter.last_error.cause == cause
    assert openrouter.success_rate == pytest.approx(0.5)

    restarted = await start(openrouter_url=url, fetch_policy=IMPATIENT)
    again = await restarted.source("openrouter")
    assert (await restarted.price(OFFER)).price == price.price
    assert again.last_success_time == openrouter.last_success_time
    assert again.last_error == openrouter.last_error
    assert again.sha256 == openrouter.sha256


async def test_p7_one_bad_model_costs_the_others_nothing(
    start: Start, feeds: FakeFeedServer
) -> None:
    bad = [{"id": "acme/odd", "pricing": "free?"}, "what", {"name": "nobody"}]
    pricing = await start(openrouter_url=feeds.publish(LIST, openrouter_body(*MODELS, *bad)))  # type: ignore[arg-type]

    report = await pricing.report()

    assert report.sources[1].outcome == pb.REFRESH_PHASE_PUBLISHED
    assert report.sources[1].dropped_count == 2
    assert report.added_count == 41


async def test_one_source_that_fails_does_not_hold_up_the_other(
    start: Start, feeds: FakeFeedServer, whole_map: bytes
) -> None:
    pricing = await start(
        litellm_url=feeds.publish(MAP, whole_map),
        openrouter_url=feeds.publish(LIST, b"no", status=500),
    )

    report = await pricing.report()

    litellm, openrouter = report.sources[:2]
    assert litellm.outcome == pb.REFRESH_PHASE_PUBLISHED
    assert openrouter.outcome == pb.REFRESH_PHASE_FAILED
    assert report.model_count == len(read_seed().entries)
    assert (await pricing.price("gpt-4o")).price.source == "litellm"


async def test_the_seed_stands_in_until_the_map_was_read_and_no_longer(
    start: Start, feeds: FakeFeedServer, whole_map: bytes
) -> None:
    pricing = await start(litellm_url=feeds.publish(MAP, whole_map), seed=read_seed_facts)
    assert (await pricing.status()).sources[-1].source == "seed"

    report = await pricing.report()

    status = await pricing.status()
    assert report.unchanged_count > 4000
    assert [source.source for source in status.sources] == ["litellm", "openrouter", "models_dev"]
    assert (status.stale, status.cache_valid) == (False, True)
    assert (await pricing.price("gpt-4o")).price.confidence == 1.0


async def test_b23_the_first_map_ever_is_compared_with_the_seed(
    start: Start, feeds: FakeFeedServer, whole_map: bytes
) -> None:
    entries = dict(list(json.loads(whole_map).items())[: len(read_seed().entries) * 94 // 100])
    body = json.dumps(entries).encode()
    pricing = await start(litellm_url=feeds.publish(MAP, body), seed=read_seed_facts)

    report = await pricing.report()

    assert report.sources[0].outcome == pb.REFRESH_PHASE_REJECTED
    assert report.sources[0].error.cause == "shrunk"
    assert (await pricing.price("gpt-4o")).price.source == "seed"


async def test_a_second_caller_follows_the_refresh_that_runs(
    start: Start, feeds: FakeFeedServer
) -> None:
    pricing = await start(openrouter_url=feeds.publish(LIST, GOOD, hang_after=10))
    request = pb.RefreshPricesRequest(force=True)
    calls = [aiter(pricing.stub.RefreshPrices(request, timeout=30)) for _ in range(3)]
    first = [await anext(call) for call in calls]
    assert (await pricing.status()).refreshing

    feeds.resumed.set()
    rest = [[event async for event in call] for call in calls]

    assert first[0] == first[1] == first[2]
    assert rest[0] == rest[1] == rest[2]
    assert rest[0][-1].report.fetched_count == 40
    assert len(feeds.requests) == 1


async def test_a_refresh_that_does_less_is_not_followed(
    start: Start, feeds: FakeFeedServer
) -> None:
    pricing = await start(openrouter_url=feeds.publish(LIST, GOOD, hang_after=10))
    lazy = aiter(pricing.stub.RefreshPrices(pb.RefreshPricesRequest(), timeout=30))
    await anext(lazy)
    thorough = aiter(pricing.stub.RefreshPrices(pb.RefreshPricesRequest(force=True), timeout=30))
    feeds.resumed.set()

    reports = [[event async for event in call][-1].report for call in (lazy, thorough)]

    assert [report.sources[1].outcome for report in reports] == [
        pb.REFRESH_PHASE_PUBLISHED,
        pb.REFRESH_PHASE_NOT_MODIFIED,
    ]
    assert len(feeds.requests) == 2


async def test_a_refresh_goes_on_when_its_caller_leaves(
    start: Start, feeds: FakeFeedServer
) -> None:
    pricing = await start(openrouter_url=feeds.publish(LIST, GOOD))
    call = pricing.stub.RefreshPrices(pb.RefreshPricesRequest(force=True), timeout=30)
    await call.read()
    call.cancel()

    async with asyncio.timeout(10):
        while (await pricing.status()).refreshing:  # noqa: ASYNC110 - asked as callers ask
            await asyncio.sleep(0)

    assert (await pricing.source("openrouter")).model_count == 40


async def test_c3_no_call_waits_for_a_feed(start: Start, feeds: FakeFeedServer) -> None:
    pricing = await start(openrouter_url=feeds.publish(LIST, GOOD, hang_after=10))
    call = pricing.stub.RefreshPrices(pb.RefreshPricesRequest(force=True), timeout=30)
    await call.read()

    answer = await pricing.price("seed/model")

    assert answer.price.source == "seed"
    assert (await pricing.status()).refreshing
    call.cancel()


async def test_only_the_sources_that_are_named_are_read(
    start: Start, feeds: FakeFeedServer
) -> None:
    pricing = await start(openrouter_url=feeds.publish(LIST, GOOD), litellm_url=feeds.url(MAP))

    report = await pricing.report("openrouter")

    assert [source.source for source in report.sources] == ["openrouter"]
    assert [request.path for request in feeds.requests] == [LIST]


async def test_an_unknown_source_is_an_invalid_field(seeded: RunningPricing) -> None:
    code, reason, metadata = await failure_of(seeded.refresh("litelm"))

    assert (code, reason) == (grpc.StatusCode.INVALID_ARGUMENT, "ERROR_REASON_INVALID_FIELD")
    assert metadata["field"] == "sources"


async def test_a_price_keeps_its_date_while_it_stands(
    start: Start, feeds: FakeFeedServer, clock: FakeClock
) -> None:
    url = feeds.publish(LIST, GOOD)
    pricing = await start(openrouter_url=url)
    await pricing.report()
    first = (await pricing.price(OFFER)).price.observed_time
    await clock.advance(DAY)
    feeds.publish(LIST, openrouter_body(*MODELS, openrouter_model("acme/new")))

    await pricing.report()
    restarted = await start(openrouter_url=url)

    assert (await restarted.price(OFFER)).price.observed_time == first
    assert (await restarted.price("openrouter/acme/new")).price.observed_time != first


async def test_a_restart_serves_the_last_good_prices_without_any_feed(
    start: Start, feeds: FakeFeedServer, clock: FakeClock
) -> None:
    url = feeds.publish(LIST, with_price("0.000009"))
    before = await (await start(openrouter_url=url)).report()
    await feeds.stop()
    await clock.advance(DAY)

    pricing = await start(openrouter_url=url)

    assert await input_price(pricing) == per_million("9")
    answer = await pricing.price(OFFER)
    assert answer.price.stale
    assert answer.price.confidence == pytest.approx(0.8)
    assert answer.snapshot_version == before.snapshot_version


async def test_a_source_that_is_off_is_not_served_from_an_old_copy(
    start: Start, feeds: FakeFeedServer
) -> None:
    await (await start(openrouter_url=feeds.publish(LIST, GOOD))).report()

    pricing = await start()

    code, _, _ = await failure_of(pricing.price(OFFER))
    assert code is grpc.StatusCode.NOT_FOUND
    assert not (await pricing.source("openrouter")).enabled


async def test_a_body_that_cannot_be_kept_is_not_served(
    start: Start, feeds: FakeFeedServer, tmp_path: Path
) -> None:
    url = feeds.publish(LIST, GOOD)
    pricing = await start(openrouter_url=url)
    with closing(sqlite3.connect(tmp_path / "pricing.db")) as database:
        database.execute(
            "CREATE TRIGGER full BEFORE INSERT ON price_fact"
            " BEGIN SELECT RAISE(ABORT, 'stands for a disk error'); END"
        )
    before = await pricing.status()

    with pytest.raises(grpc.aio.AioRpcError):
        await pricing.report()

    after = await pricing.status()
    assert after.snapshot_version == before.snapshot_version
    assert after.sources[1].model_count == 0
    code, _, _ = await failure_of(pricing.price(OFFER))
    assert code is grpc.StatusCode.NOT_FOUND


async def test_addresses_are_shown_without_secrets(start: Start) -> None:
    pricing = await start(
        litellm_url="https://user:hunter2@feeds.example.com:8443/map.json?key=s3cret#part",
        openrouter_url="file:///srv/feeds/models.json",
    )

    sources = (await pricing.status()).sources

    assert [source.uri for source in sources[:2]] == [
        "https://feeds.example.com:8443/map.json",
        "file:///srv/feeds/models.json",
    ]
    report = await pricing.report("litellm")
    assert report.sources[0].error.cause == "url"
    assert "hunter2" not in str(report)


async def test_a_feed_may_be_a_file(start: Start, tmp_path: Any) -> None:
    path = tmp_path / "models.json"
    path.write_bytes(GOOD)

    pricing = await start(openrouter_url=path.as_uri())
    report = await pricing.report()

    assert report.sources[1].outcome == pb.REFRESH_PHASE_PUBLISHED
