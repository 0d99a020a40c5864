"""Stored decisions, through the front door and in a real database."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import timedelta
from pathlib import Path

import grpc
import pytest

from steelyard.router.v1 import decision_pb2, routing_service_pb2_grpc
from steelyard.router.v1 import routing_service_pb2 as pb
from steelyard_common.database import Database
from steelyard_common.errors import DecisionNotFoundError
from steelyard_common.grpc_status import failure
from steelyard_common.telemetry import Telemetry
from steelyard_common.tenant import ALL_SCOPES, TenantContext
from steelyard_router.adapters.decision_store import (
    LINGER_SECONDS,
    MAX_BATCH,
    MAX_QUEUED,
    MIGRATIONS,
    RETRY_SECONDS,
    DecisionStore,
)
from tests.fakes import FakeClock
from tests.router.builders import a_request
from tests.router.world import World

KEEP = timedelta(days=7)


class TenantHeaderAuthenticator:
    """Believes a header that names the tenant."""

    async def authenticate(self, metadata: Mapping[str, str]) -> TenantContext:
        return TenantContext(metadata["x-tenant"], "main", ALL_SCOPES)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = await Database.open("router", data_dir=tmp_path, migrations=MIGRATIONS)
    yield database
    await database.close()


@pytest.fixture
def store(database: Database, clock: FakeClock, telemetry: Telemetry) -> DecisionStore:
    return DecisionStore(database, clock, telemetry.meter, keep=KEEP, max_rows=100)


def a_decision(number: int, clock: FakeClock) -> decision_pb2.Decision:
    decision = decision_pb2.Decision(decision_id=f"dec_{number:026}", reason="because")
    decision.create_time.FromDatetime(clock.now())
    return decision


async def test_a_decision_is_found_as_it_was_made(world: World) -> None:
    decision = await world.decision()

    found = await world.stub.GetDecision(
        pb.GetDecisionRequest(decision_id=decision.decision_id), timeout=5
    )

    assert found.decision == decision


async def test_a_decision_outlives_the_process(world: World) -> None:
    decision = await world.decision()

    await world.stop_router()
    await world.start_router()

    found = await world.stub.GetDecision(
        pb.GetDecisionRequest(decision_id=decision.decision_id), timeout=5
    )
    assert found.decision == decision


async def test_another_tenants_decision_is_not_found(tmp_path: Path) -> None:
    async with World(tmp_path, authenticator=TenantHeaderAuthenticator()) as world:
        stub = routing_service_pb2_grpc.RoutingServiceStub(world.channel)
        mine = (("x-tenant", "acme"),)
        made = await stub.Route(a_request(), timeout=5, metadata=mine)
        request = pb.GetDecisionRequest(decision_id=made.decision.decision_id)

        found = await stub.GetDecision(request, timeout=5, metadata=mine)
        assert found.decision == made.decision
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.GetDecision(request, timeout=5, metadata=(("x-tenant", "rival"),))

        refused = failure(caught.value)
        assert refused.code is grpc.StatusCode.NOT_FOUND
        assert refused.reason_name == "ERROR_REASON_DECISION_NOT_FOUND"
        assert refused.metadata == {"decision_id": made.decision.decision_id}


async def test_a_decision_is_found_before_and_after_it_is_written(
    store: DecisionStore, clock: FakeClock
) -> None:
    decision = a_decision(1, clock)

    store.put("acme", decision)
    assert await store.get("acme", decision.decision_id) == decision
    await store.flush()
    assert store.queued_count == 0
    assert await store.get("acme", decision.decision_id) == decision
    with pytest.raises(DecisionNotFoundError):
        await store.get("rival", decision.decision_id)


async def test_writing_a_decision_twice_is_writing_it_once(
    store: DecisionStore, clock: FakeClock
) -> None:
    decision = a_decision(1, clock)

    for _ in range(2):
        store.put("acme", decision)
        await store.flush()

    assert await store.get("acme", decision.decision_id) == decision


async def test_a_full_queue_drops_the_oldest_and_counts_it(
    store: DecisionStore, clock: FakeClock, telemetry: Telemetry
) -> None:
    for number in range(MAX_QUEUED + 2):
        store.put("acme", a_decision(number, clock))

    assert store.queued_count == MAX_QUEUED
    with pytest.raises(DecisionNotFoundError):
        await store.get("acme", a_decision(1, clock).decision_id)
    await store.get("acme", a_decision(2, clock).decision_id)
    assert b"router_decisions_dropped_total 2.0" in telemetry.prometheus_text()


@pytest.fixture
async def writing(store: DecisionStore) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(store.write_queued())
    yield task
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await store.drain()


async def until(is_so: Callable[[], bool]) -> None:
    while not is_so():  # noqa: ASYNC110 - a thread writes
        await asyncio.sleep(0.001)


@pytest.mark.usefixtures("writing")
async def test_decisions_wait_a_moment_for_others_and_are_written_together(
    store: DecisionStore, clock: FakeClock
) -> None:
    store.put("acme", a_decision(1, clock))
    await clock.wait_for_sleeper()
    store.put("acme", a_decision(2, clock))
    await clock.advance(LINGER_SECONDS * 0.9)
    assert store.queued_count == 2

    await clock.advance(LINGER_SECONDS * 0.2)
    await until(lambda: store.queued_count == 0)

    await store.get("acme", a_decision(1, clock).decision_id)
    await store.get("acme", a_decision(2, clock).decision_id)


@pytest.mark.usefixtures("writing")
async def test_a_whole_batch_does_not_wait(store: DecisionStore, clock: FakeClock) -> None:
    for number in range(MAX_BATCH):
        store.put("acme", a_decision(number, clock))

    await until(lambda: store.queued_count == 0)

    assert clock.monotonic() == 0


@pytest.mark.usefixtures("writing")
async def test_what_the_database_refused_is_written_later(
    store: DecisionStore, database: Database, clock: FakeClock
) -> None:
    async with database.write() as connection:
        await connection.exec_driver_sql("ALTER TABLE decision RENAME TO gone")
    store.put("acme", a_decision(1, clock))
    await clock.wait_for_sleeper()
    await clock.advance(LINGER_SECONDS)
    await clock.wait_for_sleeper()
    assert store.queued_count == 1

    async with database.write() as connection:
        await connection.exec_driver_sql("ALTER TABLE gone RENAME TO decision")
    await clock.advance(RETRY_SECONDS)
    await clock.advance(LINGER_SECONDS)
    await until(lambda: store.queued_count == 0)

    await store.get("acme", a_decision(1, clock).decision_id)


async def test_decisions_are_pruned_by_age(store: DecisionStore, clock: FakeClock) -> None:
    store.put("acme", a_decision(1, clock))
    await clock.advance(60)
    store.put("acme", a_decision(2, clock))
    await store.flush()

    await clock.advance(KEEP.total_seconds() - 30)

    assert await store.prune_once() == 1
    with pytest.raises(DecisionNotFoundError):
        await store.get("acme", a_decision(1, clock).decision_id)
    await store.get("acme", a_decision(2, clock).decision_id)


async def test_decisions_are_pruned_by_number_the_oldest_first(
    store: DecisionStore, clock: FakeClock
) -> None:
    for number in range(103):
        store.put("acme", a_decision(number, clock))
    await store.flush()

    assert await store.prune_once() == 3
    assert await store.prune_once() == 0
    with pytest.raises(DecisionNotFoundError):
        await store.get("acme", a_decision(2, clock).decision_id)
    await store.get("acme", a_decision(3, clock).decision_id)


async def test_what_is_queued_at_the_end_is_written(
    store: DecisionStore, database: Database, clock: FakeClock, telemetry: Telemetry
) -> None:
    count = 2 * MAX_BATCH + 1
    for number in range(count):
        store.put("acme", a_decision(number, clock))

    await store.drain()

    reopened = DecisionStore(database, clock, telemetry.meter, keep=KEEP, max_rows=100)
    await reopened.get("acme", a_decision(count - 1, clock).decision_id)
