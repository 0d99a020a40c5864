"""The registry in a running installation: killed at any moment, and followed by the router.

STEELYARD_TEST_KILLS says how often it is killed; `make faults` takes its time.
"""

import asyncio
import os
import random
import sqlite3
from contextlib import closing
from pathlib import Path

import grpc
import pytest

from steelyard.registry.v1 import registry_service_pb2 as pb
from steelyard.registry.v1.registry_service_pb2_grpc import RegistryServiceStub
from steelyard.router.v1 import chat_pb2
from steelyard.router.v1 import routing_service_pb2 as router_pb
from steelyard.router.v1.routing_service_pb2_grpc import RoutingServiceStub
from steelyard_catalog.seed import read_seed
from tests.pricing.builders import litellm_body
from tests.stack import Stack

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("system")]

KILLS = int(os.environ.get("STEELYARD_TEST_KILLS", "4"))
SECONDS_PER_KILL = 20
CALL_SECONDS = 20
LATEST_KILL = 1.2
"""In durations of a sync: the last kills come when it is over."""


def edition(number: int) -> bytes:
    """Return the shipped map, in which the limit of every offer tells the edition."""
    return litellm_body(
        {
            entry.offer: {
                **entry.fields,
                "litellm_provider": entry.provider,
                "mode": entry.mode or None,
                "max_input_tokens": number,
            }
            for entry in read_seed().entries
        }
    )


def kept_editions(data_dir: Path) -> set[int]:
    """Return which editions the database has offers of, once it is sound."""
    with closing(sqlite3.connect(data_dir / "registry.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        # Whoever was killed has a lease that the next one would have to wait for.
        connection.execute("UPDATE lease SET expires_time = '2020-01-01T00:00:00.000000+00:00'")
        connection.commit()
        found = connection.execute(
            "SELECT DISTINCT json_extract(content, '$.offer.max_input_tokens') FROM offer_record"
            " WHERE json_extract(content, '$.missed_syncs') = 0"
        )
        return {number for (number,) in found}


async def sync(stack: Stack) -> bool:
    """Read the feed; say whether a report came."""
    stub = RegistryServiceStub(stack.channel("registry"))
    try:
        events = [
            event
            async for event in stub.SyncModels(
                pb.SyncModelsRequest(force=True), timeout=CALL_SECONDS, wait_for_ready=True
            )
        ]
    except grpc.aio.AioRpcError:
        return False
    assert not events[-1].report.errors
    return True


async def served_editions(stack: Stack) -> set[int]:
    stub = RegistryServiceStub(stack.channel("registry"))
    page = await stub.ListModels(
        pb.ListModelsRequest(page_size=1000),
        timeout=CALL_SECONDS,
        wait_for_ready=True,
    )
    assert page.models
    return {offer.max_input_token_count for model in page.models for offer in model.offers}


@pytest.mark.faults
@pytest.mark.timeout(120 + SECONDS_PER_KILL * KILLS)
async def test_whenever_it_is_killed_it_has_one_whole_edition(tmp_path: Path) -> None:
    feed, data_dir = tmp_path / "map.json", tmp_path / "data"
    feed.write_bytes(edition(1))
    settings = {"STEELYARD_LITELLM_URL": feed.as_uri()}
    chance = random.Random(20261124)  # noqa: S311 - the same in every run
    async with Stack(data_dir, environment=settings, services=["registry"]) as stack:
        assert await sync(stack)
        started = asyncio.get_running_loop().time()
        feed.write_bytes(edition(2))
        assert await sync(stack)
        whole = asyncio.get_running_loop().time() - started

    last = 2
    for kill in range(KILLS):
        feed.write_bytes(edition(last + 1))
        async with Stack(data_dir, environment=settings, services=["registry"]) as stack:
            assert await served_editions(stack) == {last}
            syncing = asyncio.create_task(sync(stack))
            share = (kill + chance.random()) / KILLS
            await asyncio.sleep(LATEST_KILL * whole * share)
            await stack.kill("registry")
            was_answered = await syncing
        (now,) = kept_editions(data_dir)
        assert now in {last, last + 1}
        assert now == last + 1 or not was_answered
        last = now


async def is_routed(stack: Stack) -> bool:
    """Say whether any offer of one model may be used."""
    message = chat_pb2.Message(role=chat_pb2.ROLE_USER, text="hello")
    request = chat_pb2.ChatRequest(model="gpt-4o-mini", messages=[message])
    call = RoutingServiceStub(stack.channel("router")).Route(
        router_pb.RouteRequest(request=request), timeout=CALL_SECONDS
    )
    code = await call.code()
    assert code in {grpc.StatusCode.OK, grpc.StatusCode.FAILED_PRECONDITION}
    return code is grpc.StatusCode.OK


async def until_routed(stack: Stack, *, is_wanted: bool) -> None:
    async with asyncio.timeout(CALL_SECONDS):
        while await is_routed(stack) != is_wanted:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.05)


@pytest.mark.faults
async def test_what_a_person_takes_out_is_not_routed_to_and_comes_back(seeded: Stack) -> None:
    registry = RegistryServiceStub(seeded.channel("registry"))
    assert await is_routed(seeded)

    await registry.DeprecateModel(
        pb.DeprecateModelRequest(model="gpt-4o-mini"), timeout=CALL_SECONDS
    )
    await until_routed(seeded, is_wanted=False)
    await seeded.kill("registry")
    while_dead = await is_routed(seeded)
    await seeded.start("registry")
    after = await registry.GetModel(
        pb.GetModelRequest(model="gpt-4o-mini"), timeout=CALL_SECONDS, wait_for_ready=True
    )
    await registry.RestoreModel(pb.RestoreModelRequest(model="gpt-4o-mini"), timeout=CALL_SECONDS)

    await until_routed(seeded, is_wanted=True)
    assert not while_dead
    assert {offer.deprecation_reason for offer in after.model.offers} == {3}
