"""The router's clients against the health service itself: what one says, the other understands."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration

from steelyard.health.v1 import health_pb2, health_service_pb2_grpc
from steelyard.health.v1 import health_service_pb2 as pb
from steelyard_common.address import Address
from steelyard_common.telemetry import Telemetry
from steelyard_health.app import Settings, Surroundings, build
from steelyard_router.adapters.health_client import HealthClient
from steelyard_router.adapters.outcome_reporter import OutcomeReporter
from steelyard_router.domain.health import Condition, OfferHealth
from tests.fakes import FakeClock

OFFER = "openai/gpt-4o"
SECONDS = 10.0
"""Real seconds that a test waits for an answer on loopback."""


@pytest.fixture
async def channel(tmp_path: Path, clock: FakeClock) -> AsyncIterator[grpc.aio.Channel]:
    """Return a channel to a health service that runs on the test's clock."""
    settings = Settings(health_address=Address("127.0.0.1", 0), data_dir=tmp_path)
    service = await build(settings, Surroundings(clock=clock, random=lambda: 0.5))
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(service.resources)
        await service.server.start()
        stack.push_async_callback(service.server.stop, 0)
        await service.prepare()
        await service.server.set_serving(serving=True)
        target = f"127.0.0.1:{service.server.port}"
        yield await stack.enter_async_context(grpc.aio.insecure_channel(target))


@pytest.fixture
def reporter(channel: grpc.aio.Channel, clock: FakeClock, telemetry: Telemetry) -> OutcomeReporter:
    return OutcomeReporter(channel, clock, telemetry.meter)


@pytest.fixture
def client(channel: grpc.aio.Channel, clock: FakeClock) -> HealthClient:
    return HealthClient(channel, clock)


def an_outcome(
    result: "health_pb2.Result.ValueType", *, outcome_id: str = "", probe_permit: str = ""
) -> health_pb2.Outcome:
    """Return what a call with a tenant's own key met, which opens circuits for that tenant."""
    return health_pb2.Outcome(
        outcome_id=outcome_id,
        offer=OFFER,
        result=result,
        latency=Duration(nanos=100_000_000),
        key_scope=health_pb2.KEY_SCOPE_TENANT,
        probe_permit=probe_permit,
    )


async def health_of(client: HealthClient) -> OfferHealth:
    report = await client.ask([OFFER], SECONDS).answer()
    assert report is not None
    return report.by_offer[OFFER]


async def test_an_outcome_that_is_sent_twice_counts_once(
    channel: grpc.aio.Channel, clock: FakeClock, telemetry: Telemetry
) -> None:
    for _ in range(2):
        reporter = OutcomeReporter(channel, clock, telemetry.meter)
        reporter.report("local", an_outcome(health_pb2.RESULT_SUCCESS, outcome_id="out_same"))
        await reporter.drain(SECONDS)

    stub = health_service_pb2_grpc.HealthServiceStub(channel)
    request = pb.GetProviderHealthRequest(provider="openai")
    answer = await stub.GetProviderHealth(request, timeout=SECONDS)

    assert answer.provider.sample_count == 1


async def test_a_circuit_opens_is_probed_by_one_at_a_time_and_takes_traffic_step_by_step(
    reporter: OutcomeReporter, client: HealthClient, clock: FakeClock
) -> None:
    await clock.advance(60)
    assert (await health_of(client)).condition is Condition.OPEN_TO_REQUESTS
    for _ in range(5):
        await clock.advance(1)
        reporter.report("local", an_outcome(health_pb2.RESULT_SERVER_ERROR))
    await reporter.drain(SECONDS)

    opened = await health_of(client)
    assert opened.condition is Condition.CIRCUIT_OPEN
    assert opened.retry_time is not None
    assert not client.holds_permit(OFFER)

    await clock.advance((opened.retry_time - clock.now()).total_seconds() + 1)
    for _ in range(3):
        assert (await health_of(client)).condition is Condition.HALF_OPEN
        permit = client.take_permit(OFFER)
        assert permit
        await health_of(client)
        assert not client.holds_permit(OFFER), "a second probe is not let through"
        await clock.advance(1)
        reporter.report("local", an_outcome(health_pb2.RESULT_SUCCESS, probe_permit=permit))
        await reporter.drain(SECONDS)

    recovering = await health_of(client)
    assert recovering.condition is Condition.OPEN_TO_REQUESTS
    assert 0 < recovering.traffic_share < 0.5
    await clock.advance(61)
    assert (await health_of(client)).traffic_share == 1.0


async def test_a_permit_that_is_given_back_goes_to_the_next_one(
    reporter: OutcomeReporter, client: HealthClient, clock: FakeClock
) -> None:
    for _ in range(5):
        await clock.advance(1)
        reporter.report("local", an_outcome(health_pb2.RESULT_SERVER_ERROR))
    await reporter.drain(SECONDS)
    await clock.advance(10)
    await health_of(client)
    unused = client.take_permit(OFFER)

    reporter.report("local", an_outcome(health_pb2.RESULT_CANCELLED, probe_permit=unused))
    await reporter.drain(SECONDS)
    await health_of(client)

    assert client.take_permit(OFFER) not in {"", unused}
