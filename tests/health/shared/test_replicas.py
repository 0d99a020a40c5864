"""Several replicas of the health service, as one: on a real Valkey, also when it fails."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest

from steelyard_common.telemetry import Telemetry
from steelyard_health.adapters.probe_subjects import BoardSubjects
from steelyard_health.adapters.replica_entries import MAX_REVISION, CircuitRow, encode
from steelyard_health.adapters.replica_stream import DEFAULT_KEY
from steelyard_health.adapters.shared_records import record_key
from steelyard_health.domain.circuit import CircuitState
from steelyard_health.domain.outcome import Result
from tests.health.outcomes import OFFER, PROVIDER, TENANT, an_outcome
from tests.health.shared.conftest import HastyClock, Linker
from tests.health.shared.replicas import Replica, eventually, running
from tests.valkey import Valkey

Start = Callable[[int], Awaitable[list[Replica]]]
OTHER = "tenant-b"


@pytest.fixture
async def start(
    valkey: Valkey, link_to: Linker, hasty: HastyClock, telemetry: Telemetry
) -> AsyncIterator[Start]:
    async with AsyncExitStack() as stack:

        async def replicas(count: int) -> list[Replica]:
            return [
                await stack.enter_async_context(
                    running(Replica(link_to(valkey.url), hasty, telemetry))
                )
                for _ in range(count)
            ]

        yield replicas


async def all_see(replicas: list[Replica], samples: int, tenant: str = TENANT) -> None:
    for replica in replicas:
        await eventually(lambda each=replica: _has(each, samples, tenant))  # type: ignore[misc]


async def _has(replica: Replica, samples: int, tenant: str) -> bool:
    return await replica.samples(tenant=tenant) == samples


async def all_are(replicas: list[Replica], state: CircuitState) -> None:
    for replica in replicas:
        await eventually(lambda each=replica: _is(each, state))  # type: ignore[misc]


async def _is(replica: Replica, state: CircuitState) -> bool:
    return await replica.circuit() is state


async def permits_of(replicas: list[Replica], times: int = 40) -> list[str]:
    """Ask every replica again and again; return the permits that it gave."""
    permits = []
    for _ in range(times):
        views = [await replica.offer() for replica in replicas]
        permits += [view.probe_permit for view in views if view.probe_permit]
        await asyncio.sleep(0.005)
    return permits


async def test_what_one_replica_is_told_all_know(start: Start) -> None:
    replicas = await start(3)

    await replicas[0].add("S" * 7)
    await replicas[2].add("FF")

    await all_see(replicas, 9)


async def test_an_outcome_that_is_reported_to_two_replicas_counts_once(start: Start) -> None:
    replicas = await start(2)
    outcome = an_outcome()

    assert await replicas[0].report(outcome) == await replicas[1].report(outcome) == 1
    await replicas[0].add("S")

    await all_see(replicas, 2)
    assert await replicas[1].report(outcome) == 0


async def test_h6_of_what_replicas_are_told_at_the_same_time_nothing_is_lost(start: Start) -> None:
    replicas = await start(2)

    for _ in range(20):
        for replica in replicas:
            await replica.add("S" * 50)
        await asyncio.sleep(0)

    await all_see(replicas, 2000)


async def test_a_tenant_whose_name_no_record_can_have_is_served_by_each_replica_alone(
    start: Start, hasty: HastyClock
) -> None:
    (replica,) = await start(1)
    long = "t" * 65
    await replica.add("FFFFF", tenant=long)
    await replica.add("FFFFF")
    hasty.ahead_seconds += 5

    async def is_given(tenant: str) -> bool:
        return bool((await replica.offer(tenant=tenant)).probe_permit)

    await eventually(lambda: is_given(long))
    await eventually(lambda: is_given(TENANT))


async def test_no_tenant_sees_at_another_replica_what_it_must_not_see(start: Start) -> None:
    replicas = await start(2)

    await replicas[0].add("F" * 20, tenant=OTHER)
    await replicas[0].add("SSSSS")

    await all_see(replicas, 5)
    await all_see(replicas, 20, OTHER)


async def test_failures_at_several_replicas_open_one_circuit(start: Start) -> None:
    replicas = await start(4)

    for replica in (*replicas, replicas[0]):
        await replica.add("F")

    await all_are(replicas, CircuitState.OPEN)
    await eventually(lambda: len({_revision(each) for each in replicas}) == 1)


def _revision(replica: Replica) -> tuple[int, float]:
    (track,) = [t for t in replica.local.board.all_tracks() if t.subject.offer == OFFER]
    circuit = track.breaker.circuit
    return circuit.revision, round(circuit.open_until, 1)


@pytest.mark.parametrize("count", [1, 2, 8])
async def test_one_probe_an_interval_is_sent_while_the_fault_lasts(
    start: Start, hasty: HastyClock, count: int
) -> None:
    replicas = await start(count)
    await replicas[0].add("FFFFF")
    await all_are(replicas, CircuitState.OPEN)

    for number in range(4):
        hasty.ahead_seconds += 5 * 2**number
        await all_are(replicas, CircuitState.HALF_OPEN)
        permits = await permits_of(replicas)
        assert len(permits) == 1
        # Whichever replica hears of the probe settles it.
        probe = an_outcome(Result.TIMEOUT, permit=permits[0])
        await eventually(lambda: _all_know_the_permit(replicas, permits[0]))  # noqa: B023
        await replicas[number % count].report(probe)
        await all_are(replicas, CircuitState.OPEN)


def _all_know_the_permit(replicas: list[Replica], permit: str) -> bool:
    return all(
        any(track.breaker.circuit.permit == permit for track in replica.local.board.all_tracks())
        for replica in replicas
    )


async def test_three_good_probes_close_the_circuit_everywhere(
    start: Start, hasty: HastyClock
) -> None:
    replicas = await start(3)
    await replicas[0].add("FFFFF")
    await all_are(replicas, CircuitState.OPEN)
    hasty.ahead_seconds += 5

    for replica in replicas:
        permits: list[str] = []
        while not permits:
            permits = await permits_of([replica], times=1)
        await replica.report(an_outcome(permit=permits[0]))

    await all_are(replicas, CircuitState.CLOSED)


async def test_a_replica_that_starts_learns_the_window_and_the_circuits(start: Start) -> None:
    replicas = await start(1)
    await replicas[0].add("S" * 20 + "FFFFF")
    await eventually(lambda: _is(replicas[0], CircuitState.OPEN))
    await asyncio.sleep(0.1)

    late = await start(1)

    await all_see(late, 25)
    await all_are(late, CircuitState.OPEN)


async def test_old_failures_that_a_starting_replica_learns_open_no_circuit(
    start: Start,
) -> None:
    replicas = await start(1)
    await replicas[0].report(*(an_outcome(Result.TIMEOUT, age=60.0) for _ in range(10)))
    await asyncio.sleep(0.1)

    late = await start(1)

    await all_see(late, 10)
    assert await late[0].circuit() is CircuitState.CLOSED


async def test_a_reset_by_hand_reaches_all(start: Start) -> None:
    replicas = await start(3)
    await replicas[0].add("FFFFF")
    await all_are(replicas, CircuitState.OPEN)

    await replicas[1].store.reset(PROVIDER)

    await all_are(replicas, CircuitState.CLOSED)
    await all_see(replicas, 0)


@pytest.mark.parametrize("fault", ["kill", "freeze"])
async def test_without_valkey_each_replica_goes_on_alone_and_then_they_agree_again(
    start: Start, valkey: Valkey, hasty: HastyClock, fault: str
) -> None:
    replicas = await start(2)
    await replicas[0].add("SS")
    await all_see(replicas, 2)

    getattr(valkey, fault)()
    await replicas[0].add("FFFFF")
    assert await replicas[0].samples() == 7
    assert await replicas[0].circuit() is CircuitState.OPEN
    assert await replicas[1].circuit() is CircuitState.CLOSED
    hasty.ahead_seconds += 5
    await eventually(lambda: _gives_a_permit(replicas[0]))
    if fault == "kill":
        await valkey.start()
    else:
        valkey.thaw()

    await all_see(replicas, 7)
    await eventually(lambda: _is_open(replicas[1]))


async def _gives_a_permit(replica: Replica) -> bool:
    return bool((await replica.offer()).probe_permit)


async def _is_open(replica: Replica) -> bool:
    return await replica.circuit() is not CircuitState.CLOSED


async def test_a_flush_loses_nothing_that_a_replica_knows(start: Start, valkey: Valkey) -> None:
    replicas = await start(2)
    await replicas[0].add("FFFFF")
    await all_are(replicas, CircuitState.OPEN)

    await valkey.flush()
    await replicas[1].add("S")

    await all_see(replicas, 6)
    await all_are(replicas, CircuitState.OPEN)


async def test_garbage_in_valkey_is_as_good_as_nothing(
    start: Start, valkey: Valkey, hasty: HastyClock
) -> None:
    replicas = await start(2)
    await replicas[0].add("FFFFF")
    await all_are(replicas, CircuitState.OPEN)
    async with valkey.client() as client:
        await client.set(record_key(TENANT, OFFER), b"1:9:\xff\x00garbage")
        for payload in (b"", b"\xc1", b"\x93\xa1o\xa1a\xa1b"):
            await client.xadd(DEFAULT_KEY, {"s": "0" * 16, "n": "1", "w": "0", "p": payload})

    hasty.ahead_seconds += 5
    await replicas[1].add("S")

    await all_see(replicas, 6)
    assert len(await permits_of(replicas)) <= 1


async def test_an_active_probe_gets_the_permit_that_replicas_agreed_on(
    start: Start, hasty: HastyClock
) -> None:
    replicas = await start(2)
    await replicas[0].add("FFFFF")
    await all_are(replicas, CircuitState.OPEN)
    hasty.ahead_seconds += 5
    each = [BoardSubjects(one.local.board, one.store, hasty) for one in replicas]

    permits = [await subjects.take_permit(OFFER) for subjects in each for _ in range(2)]

    assert len([permit for permit in permits if permit]) == 1


async def test_large_reports_with_long_ids_reach_the_others(start: Start) -> None:
    replicas = await start(2)
    offer = "acme/" + "m" * 255
    ids = [f"{number:04}".ljust(64, "\u00e9") for number in range(1000)]

    await replicas[0].report(*(an_outcome(outcome_id=each, offer=offer) for each in ids))

    await eventually(lambda: _count_is(replicas[1], offer, 1000))


async def _count_is(replica: Replica, offer: str, count: int) -> bool:
    return await replica.samples(offer) == count


async def test_a_circuit_with_the_last_revision_does_not_stop_the_replica(
    start: Start, valkey: Valkey, hasty: HastyClock
) -> None:
    replicas = await start(2)
    last = CircuitRow(MAX_REVISION, False, None, None, 0, 0, "", None)
    async with valkey.client() as client:
        await client.set(record_key(TENANT, OFFER), b"1:%d:%b" % (MAX_REVISION, encode(last)))
    await replicas[0].add("FFFFF")
    await eventually(lambda: _knows_revision(replicas[0], MAX_REVISION))
    await replicas[0].add("FFFFF")
    hasty.ahead_seconds += 5

    await eventually(lambda: _gives_a_permit(replicas[0]))
    await replicas[1].add("SS", tenant=OTHER)
    await all_see(replicas, 2, OTHER)


def _knows_revision(replica: Replica, revision: int) -> bool:
    return any(
        track.breaker.circuit.revision == revision for track in replica.local.board.all_tracks()
    )
