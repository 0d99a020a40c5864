"""Following health over gRPC."""

import asyncio
from typing import Any

import grpc
import pytest

from steelyard.health.v1 import health_pb2
from steelyard.health.v1 import health_service_pb2 as pb
from steelyard.health.v1.health_service_pb2_grpc import HealthServiceStub
from tests.fakes import START
from tests.health.told.builders import DEGRADED, HEALTHY, OFFER, OPEN, UNHEALTHY, Story
from tests.health.told.serving import SECONDS, ToldServicer, as_tenant, refusal_of


def watch(stub: HealthServiceStub, tenant_id: str = "acme", from_version: int = 0) -> Any:
    return stub.WatchHealth(
        pb.WatchHealthRequest(from_version=from_version),
        timeout=SECONDS,
        metadata=as_tenant(tenant_id),
    )


async def read(call: Any, count: int) -> list[pb.WatchHealthResponse]:
    got = [await call.read() for _ in range(count)]
    assert grpc.aio.EOF not in got
    return got


async def test_the_present_comes_first_and_then_each_change(
    stub: HealthServiceStub, servicer: ToldServicer
) -> None:
    story = Story()
    servicer.changes.add(story(UNHEALTHY, circuit=OPEN, evidence="60 % of 20 failed"))
    call = watch(stub)
    [present] = await read(call, 1)

    servicer.changes.add(story(DEGRADED, "groq"))
    [after] = await read(call, 1)
    call.cancel()

    change = present.change
    assert present.present
    assert (change.provider, change.offer, change.version) == ("openai", OFFER, 1)
    assert change.before == health_pb2.HEALTH_STATE_HEALTHY
    assert change.after == health_pb2.HEALTH_STATE_UNHEALTHY
    assert change.circuit_before == health_pb2.CIRCUIT_STATE_CLOSED
    assert change.circuit_after == health_pb2.CIRCUIT_STATE_OPEN
    assert change.evidence == "60 % of 20 failed"
    assert change.time.ToDatetime(tzinfo=START.tzinfo) == START
    assert change.platform_wide
    assert not after.present
    assert (after.change.provider, after.change.offer) == ("groq", "")


async def test_two_tenants_hear_of_everybody_and_nothing_of_each_other(
    stub: HealthServiceStub, servicer: ToldServicer
) -> None:
    story = Story()
    servicer.changes.add(story(DEGRADED, "openai/before-acme", tenant_id="acme"))
    servicer.changes.add(story(DEGRADED, "openai/before-rival", tenant_id="rival"))
    acme, rival = watch(stub, "acme"), watch(stub, "rival")
    present = {"acme": await read(acme, 1), "rival": await read(rival, 1)}
    servicer.changes.add(story(DEGRADED, "openai/acme", tenant_id="acme"))
    servicer.changes.add(story(DEGRADED, "openai/rival", tenant_id="rival"))
    servicer.changes.add(story(HEALTHY, "openai/all"))

    after = {"acme": await read(acme, 2), "rival": await read(rival, 2)}
    acme.cancel()
    rival.cancel()

    for tenant_id in ("acme", "rival"):
        assert [each.change.offer for each in present[tenant_id]] == [f"openai/before-{tenant_id}"]
        assert [(each.change.offer, each.change.platform_wide) for each in after[tenant_id]] == [
            (f"openai/{tenant_id}", False),
            ("openai/all", True),
        ]


async def test_who_comes_back_gets_what_happened_meanwhile(
    stub: HealthServiceStub, servicer: ToldServicer
) -> None:
    story = Story()
    for state in (DEGRADED, UNHEALTHY, HEALTHY):
        servicer.changes.add(story(state))

    call = watch(stub, from_version=1)
    got = await read(call, 2)
    call.cancel()

    assert [(each.change.version, each.present) for each in got] == [(2, False), (3, False)]


async def test_who_comes_back_after_a_restart_hears_that_all_it_knew_is_void(
    stub: HealthServiceStub, servicer: ToldServicer
) -> None:
    call = watch(stub, from_version=77)
    [void] = await read(call, 1)
    servicer.changes.add(Story()(DEGRADED))
    [change] = await read(call, 1)
    call.cancel()

    assert not void.HasField("change")
    assert void.present
    assert change.change.offer == OFFER


async def test_streams_end_with_unavailable_when_the_server_stops(
    stub: HealthServiceStub, servicer: ToldServicer
) -> None:
    servicer.changes.add(Story()(DEGRADED))
    call = watch(stub)
    await read(call, 1)

    servicer.draining.set()

    problem = await refusal_of(call.read())
    assert problem == "UNAVAILABLE: the health service does not answer"


async def test_a_reader_that_is_too_slow_is_cut_off_and_holds_up_nobody(
    stub: HealthServiceStub, servicer: ToldServicer
) -> None:
    story = Story()
    servicer.changes.add(story(DEGRADED))
    idle, keen = watch(stub), watch(stub)
    await read(idle, 1)
    await read(keen, 1)

    for _ in range(100):
        # More at a time than is kept in flight for an idle reader, less than is kept in the log.
        for _ in range(50):
            servicer.changes.add(story(DEGRADED, evidence="x" * 10_000))
        await read(keen, 50)
    keen.cancel()
    problem, received = "", 0
    while not problem:
        try:
            assert await idle.read() is not grpc.aio.EOF
            received += 1
        except grpc.aio.AioRpcError as error:
            problem = f"{error.code().name}: {error.details()}"

    assert problem == "UNAVAILABLE: the service is overloaded, repeat later"
    assert received < 5000


async def test_a_negative_version_is_refused(stub: HealthServiceStub) -> None:
    problem = await refusal_of(watch(stub, from_version=-1).read())

    assert problem.startswith("INVALID_ARGUMENT: from_version")


@pytest.mark.parametrize("count", [20])
async def test_watchers_that_go_away_leave_nothing_behind(
    stub: HealthServiceStub, servicer: ToldServicer, count: int
) -> None:
    servicer.changes.add(Story()(DEGRADED))
    calls = [watch(stub) for _ in range(count)]
    for call in calls:
        await read(call, 1)
    waiting = {
        task
        for task in asyncio.all_tasks()
        if "Event.wait" in getattr(task.get_coro(), "__qualname__", "")
    }

    for call in calls:
        call.cancel()
    _, left = await asyncio.wait(waiting, timeout=SECONDS)

    assert len(waiting) >= count
    assert left == set()
