"""The registry is asked for its providers until it answers, and then now and again."""

import asyncio
from collections.abc import AsyncIterator

import grpc
import pytest
from structlog.testing import capture_logs

from steelyard.registry.v1 import model_pb2
from steelyard.registry.v1 import registry_service_pb2 as pb
from steelyard.registry.v1 import registry_service_pb2_grpc as pb_grpc
from steelyard_common.errors import OverloadedError
from steelyard_health.adapters.provider_directory import ProviderDirectory
from steelyard_health.domain.provider import Provider
from tests.conftest import Serve
from tests.fakes import FakeClock


class FakeRegistry(pb_grpc.RegistryServiceServicer):
    """Knows the providers that the test gives it; None means that it does not answer."""

    def __init__(self) -> None:
        self.providers: list[model_pb2.Provider] | None = None
        self.asked = 0
        self.changed = asyncio.Event()

    async def ListProviders(
        self, request: pb.ListProvidersRequest, context: object
    ) -> pb.ListProvidersResponse:
        self.asked += 1
        self.changed.set()
        if self.providers is None:
            raise OverloadedError
        return pb.ListProvidersResponse(providers=self.providers)

    async def until_asked(self, count: int) -> None:
        while self.asked < count:
            self.changed.clear()
            await self.changed.wait()


OPENAI = model_pb2.Provider(
    provider="openai",
    display_name="OpenAI",
    base_url="https://api.openai.com/v1",
    wire_format=model_pb2.WIRE_FORMAT_OPENAI,
    auth_style=model_pb2.AUTH_STYLE_BEARER,
    key_variables=["OPENAI_API_KEY"],
    status_page_url="https://status.openai.com",
    status_api_url="https://status.openai.com/api/v2/summary.json",
    status_format="statuspage",
)


@pytest.fixture
def registry() -> FakeRegistry:
    return FakeRegistry()  # type: ignore[abstract]


@pytest.fixture
async def channel(serve: Serve, registry: FakeRegistry) -> grpc.aio.Channel:
    return await serve(pb_grpc.add_RegistryServiceServicer_to_server, registry)


@pytest.fixture
async def directory(
    channel: grpc.aio.Channel, clock: FakeClock
) -> AsyncIterator[ProviderDirectory]:
    directory = ProviderDirectory(channel, clock)
    task = asyncio.create_task(directory.run())
    yield directory
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_providers_are_those_of_the_registry(
    directory: ProviderDirectory, registry: FakeRegistry, clock: FakeClock
) -> None:
    assert directory.providers == {}

    registry.providers = [OPENAI, model_pb2.Provider(provider="x", wire_format=99, auth_style=99)]  # type: ignore[arg-type]
    await clock.wait_for_sleeper()

    assert directory.providers == {
        "openai": Provider(
            provider="openai",
            display_name="OpenAI",
            base_url="https://api.openai.com/v1",
            wire_format="openai",
            auth_style="bearer",
            key_variables=("OPENAI_API_KEY",),
            status_page_url="https://status.openai.com",
            status_api_url="https://status.openai.com/api/v2/summary.json",
            status_format="statuspage",
        ),
        "x": Provider(provider="x", display_name=""),
    }


async def test_a_registry_that_does_not_answer_is_asked_every_five_seconds_and_logged_once(
    directory: ProviderDirectory, registry: FakeRegistry, clock: FakeClock
) -> None:
    with capture_logs() as logged:
        await clock.wait_for_sleeper()
        await clock.advance(5)
        await registry.until_asked(2)
        await clock.wait_for_sleeper()
        assert directory.providers == {}

        registry.providers = [OPENAI]
        await clock.advance(5)
        await registry.until_asked(3)
        await clock.wait_for_sleeper()

    assert list(directory.providers) == ["openai"]
    assert len(logged) == 1


async def test_what_was_known_stays_and_is_the_same_object_until_it_changes(
    directory: ProviderDirectory, registry: FakeRegistry, clock: FakeClock
) -> None:
    registry.providers = [OPENAI]
    await clock.wait_for_sleeper()
    before = directory.providers

    await clock.advance(600)
    await registry.until_asked(2)
    await clock.wait_for_sleeper()
    registry.providers = None
    await clock.advance(600)
    await registry.until_asked(3)
    await clock.wait_for_sleeper()
    assert directory.providers is before

    registry.providers = []
    await clock.advance(600)
    await registry.until_asked(4)
    await clock.wait_for_sleeper()
    assert directory.providers == {}
