"""Outcomes on their way to health: batched, bounded, counted once, never in anybody's way."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration

from steelyard.health.v1 import health_pb2, health_service_pb2_grpc
from steelyard_common.address import Address
from steelyard_common.telemetry import Telemetry
from steelyard_router.adapters.outcome_queue import MAX_BATCH, MAX_QUEUED
from steelyard_router.adapters.outcome_reporter import (
    FIRST_PAUSE_SECONDS,
    LINGER_SECONDS,
    MAX_AGE_SECONDS,
    MAX_OUTCOME_BYTES,
    MAX_PAUSE_SECONDS,
    OutcomeReporter,
)
from steelyard_router.app import Settings, build
from tests.fakes import FakeClock
from tests.router.fakes import FakeHealth, Host, a_health

ACME, RIVAL = "acme", "rival"
PROMPTLY = 10.0
"""Real seconds that a test waits for an answer on loopback."""


def an_outcome(outcome_id: str = "", offer: str = "openai/gpt-4o") -> health_pb2.Outcome:
    return health_pb2.Outcome(
        outcome_id=outcome_id,
        offer=offer,
        result=health_pb2.RESULT_SUCCESS,
        latency=Duration(seconds=1),
    )


@pytest.fixture
def health() -> FakeHealth:
    return a_health()


@pytest.fixture
async def host(health: FakeHealth, telemetry: Telemetry) -> AsyncIterator[Host]:
    add = health_service_pb2_grpc.add_HealthServiceServicer_to_server
    host = Host(add, health, telemetry)
    await host.start()
    yield host
    await host.stop()


@pytest.fixture
async def reporter(
    host: Host, clock: FakeClock, telemetry: Telemetry
) -> AsyncIterator[OutcomeReporter]:
    options = (("grpc.initial_reconnect_backoff_ms", 10), ("grpc.max_reconnect_backoff_ms", 10))
    async with grpc.aio.insecure_channel(str(host.address), options=options) as channel:
        yield OutcomeReporter(channel, clock, telemetry.meter)


@pytest.fixture
async def running(reporter: OutcomeReporter) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(reporter.run())
    yield task
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()


async def until_sent(health: FakeHealth, calls: int) -> None:
    """Return once health was called so often."""
    async with asyncio.timeout(PROMPTLY):
        while health.reporting.calls < calls:
            health.reporting.called.clear()
            await health.reporting.called.wait()


async def until_empty(reporter: OutcomeReporter) -> None:
    async with asyncio.timeout(PROMPTLY):
        while reporter.queued_count:  # noqa: ASYNC110 - turns of the loop are what is waited for
            await asyncio.sleep(0)


def metric(telemetry: Telemetry, name: str) -> list[str]:
    lines = telemetry.prometheus_text().decode().splitlines()
    return [line.removeprefix(name) for line in lines if line.startswith(name)]


def dropped(telemetry: Telemetry, reason: str) -> float:
    found = [
        float(line.rpartition(" ")[2])
        for line in metric(telemetry, "router_outcomes_dropped_total")
        if f'reason="{reason}"' in line
    ]
    return sum(found)


@pytest.mark.usefixtures("running")
async def test_outcomes_of_a_moment_go_in_one_call(
    reporter: OutcomeReporter, health: FakeHealth, clock: FakeClock
) -> None:
    for number in range(3):
        reporter.report(ACME, an_outcome(f"out_{number}"))
    await clock.wait_for_sleeper()
    assert health.reporting.calls == 0

    await clock.advance(LINGER_SECONDS)
    await until_empty(reporter)

    assert [[each.outcome_id for each in batch] for batch in health.batches] == [
        ["out_0", "out_1", "out_2"]
    ]


@pytest.mark.usefixtures("running")
async def test_a_full_batch_does_not_wait(reporter: OutcomeReporter, health: FakeHealth) -> None:
    for number in range(MAX_BATCH + 1):
        reporter.report(ACME, an_outcome(f"out_{number}"))

    await until_empty(reporter)

    assert [len(batch) for batch in health.batches] == [MAX_BATCH, 1]


@pytest.mark.usefixtures("running")
async def test_each_tenant_has_calls_of_its_own(
    reporter: OutcomeReporter, health: FakeHealth, clock: FakeClock
) -> None:
    for number in range(4):
        reporter.report((ACME, RIVAL)[number % 2], an_outcome(f"out_{number}"))
    await clock.wait_for_sleeper()

    await clock.advance(LINGER_SECONDS)
    await until_empty(reporter)

    assert [[each.outcome_id for each in batch] for batch in health.batches] == [
        ["out_0", "out_2"],
        ["out_1", "out_3"],
    ]


@pytest.mark.usefixtures("running")
async def test_what_comes_during_a_call_waits_for_the_next_one(
    reporter: OutcomeReporter, health: FakeHealth, clock: FakeClock
) -> None:
    health.reporting.let_go = asyncio.Event()
    reporter.report(ACME, an_outcome("out_0"))
    await clock.wait_for_sleeper()
    await clock.advance(LINGER_SECONDS)
    await until_sent(health, 1)
    await clock.advance(0.01)
    for number in (1, 2):
        reporter.report(ACME, an_outcome(f"out_{number}"))

    health.reporting.let_go.set()
    async with asyncio.timeout(PROMPTLY):
        await clock.wait_for_sleeper()
    assert [len(batch) for batch in health.batches] == [1]
    await clock.advance(LINGER_SECONDS)
    await until_empty(reporter)

    assert [len(batch) for batch in health.batches] == [1, 2]


async def test_without_id_and_end_they_are_added_when_it_is_reported(
    reporter: OutcomeReporter, health: FakeHealth, clock: FakeClock
) -> None:
    reported = an_outcome()
    reporter.report(ACME, reported)
    now = clock.now()
    await clock.advance(60)

    await reporter.drain(PROMPTLY)

    (sent,) = health.batches[0]
    assert sent.outcome_id.startswith("out_")
    assert sent.end_time.ToDatetime(now.tzinfo) == now
    assert reported == an_outcome(), "the caller's message is not touched"


@pytest.mark.usefixtures("running")
async def test_an_outcome_whose_answer_was_lost_counts_once(
    reporter: OutcomeReporter, health: FakeHealth, clock: FakeClock, telemetry: Telemetry
) -> None:
    health.loses_answers = True
    reporter.report(ACME, an_outcome())
    await clock.wait_for_sleeper()
    await clock.advance(LINGER_SECONDS)
    await until_sent(health, 1)
    async with asyncio.timeout(PROMPTLY):
        await clock.wait_for_sleeper()
    assert reporter.queued_count == 1

    health.loses_answers = False
    await clock.advance(FIRST_PAUSE_SECONDS)
    await clock.advance(LINGER_SECONDS)
    await until_empty(reporter)

    first, second = health.batches
    assert first == second
    assert len(health.counted) == 1
    assert not metric(telemetry, "router_outcomes_dropped_total{")


@pytest.mark.usefixtures("running")
async def test_while_health_is_away_pauses_grow_and_nothing_is_lost(
    host: Host, reporter: OutcomeReporter, health: FakeHealth, clock: FakeClock
) -> None:
    await host.stop()
    pauses = []
    reporter.report(ACME, an_outcome("out_0"))
    await clock.wait_for_sleeper()
    for _ in range(8):
        await clock.advance(LINGER_SECONDS)
        async with asyncio.timeout(PROMPTLY):
            await clock.wait_for_sleeper()
        before = clock.monotonic()
        pauses.append(clock._sleepers[0][0] - before)
        await clock.advance(pauses[-1])

    await host.start()
    await clock.advance(LINGER_SECONDS)
    async with asyncio.timeout(PROMPTLY):
        while reporter.queued_count:
            await clock.advance(MAX_PAUSE_SECONDS)
            await asyncio.sleep(0.01)

    assert pauses[:3] == pytest.approx([0.25, 0.5, 1.0])
    assert pauses[-1] == pytest.approx(MAX_PAUSE_SECONDS)
    assert list(health.counted) == ["out_0"]


async def test_the_oldest_go_when_too_many_wait(
    reporter: OutcomeReporter, health: FakeHealth, telemetry: Telemetry
) -> None:
    for number in range(MAX_QUEUED + 3):
        reporter.report(f"tenant-{number % 7}", an_outcome(f"out_{number}"))

    assert reporter.queued_count == MAX_QUEUED
    assert dropped(telemetry, "full") == 3
    await reporter.drain(PROMPTLY)
    assert set(health.counted) == {f"out_{number}" for number in range(3, MAX_QUEUED + 3)}


async def test_what_waited_longer_than_the_window_of_health_is_dropped(
    reporter: OutcomeReporter, health: FakeHealth, clock: FakeClock, telemetry: Telemetry
) -> None:
    reporter.report(ACME, an_outcome("out_old"))
    await clock.advance(1)
    reporter.report(ACME, an_outcome("out_new"))
    await clock.advance(MAX_AGE_SECONDS)

    await reporter.drain(PROMPTLY)

    assert list(health.counted) == ["out_new"]
    assert dropped(telemetry, "expired") == 1


async def test_what_health_cannot_use_is_counted_and_not_sent_again(
    reporter: OutcomeReporter, health: FakeHealth, telemetry: Telemetry
) -> None:
    health.unusable = {"out_1"}
    for number in range(3):
        reporter.report(ACME, an_outcome(f"out_{number}"))

    await reporter.drain(PROMPTLY)

    assert len(health.batches) == 1
    assert set(health.counted) == {"out_0", "out_2"}
    assert dropped(telemetry, "refused") == 1
    (delivered,) = metric(telemetry, "router_outcomes_delivered_total")
    assert delivered.endswith(" 2.0")


async def test_an_outcome_that_is_none_is_refused_at_once(
    reporter: OutcomeReporter, telemetry: Telemetry
) -> None:
    reporter.report(ACME, an_outcome(offer="x" * MAX_OUTCOME_BYTES))

    assert reporter.queued_count == 0
    assert dropped(telemetry, "refused") == 1


async def test_at_the_end_of_the_process_nobody_waits_long_for_health(
    reporter: OutcomeReporter, health: FakeHealth, telemetry: Telemetry
) -> None:
    health.reporting.hangs = True
    reporter.report(ACME, an_outcome())

    await reporter.drain(0.05)

    assert dropped(telemetry, "shutdown") == 1


async def test_a_permit_and_all_figures_reach_health_as_they_are(
    reporter: OutcomeReporter, health: FakeHealth
) -> None:
    outcome = an_outcome("out_1")
    outcome.probe_permit = "permit_1"
    outcome.key_scope = health_pb2.KEY_SCOPE_TENANT
    outcome.retry_after.seconds = 7
    outcome.rate_limit_remaining_count = 0
    outcome.end_time.seconds = 1_793_534_400
    reporter.report(ACME, outcome)

    await reporter.drain(PROMPTLY)

    assert health.batches == [[outcome]]


async def test_the_router_reports_beside_requests_and_sends_the_rest_when_it_ends(
    host: Host, health: FakeHealth, tmp_path: Path
) -> None:
    service = await build(
        Settings(
            router_address=Address("127.0.0.1", 0), health_address=host.address, data_dir=tmp_path
        )
    )
    (task,) = [each for each in service.tasks if each.name == "outcomes-report"]
    reporter: OutcomeReporter = task.run.__self__  # type: ignore[attr-defined]
    reporter.report(ACME, an_outcome("out_last"))

    await service.resources.aclose()

    assert list(health.counted) == ["out_last"]
