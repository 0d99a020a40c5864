"""Registries that answer over gRPC."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import pytest

from steelyard.registry.v1 import registry_service_pb2_grpc as pb_grpc
from steelyard_common.address import Address
from steelyard_common.background import supervised
from steelyard_common.feeds import FeedDownloader
from steelyard_common.lifecycle import Service
from steelyard_registry.app import Settings, Surroundings, build
from steelyard_registry.domain.catalogue import Catalogue
from steelyard_registry.domain.live import LiveCatalogue
from steelyard_registry.rpcs.queries import NoPrices
from steelyard_registry.servicer import Neighbours
from tests.conftest import Serve
from tests.fakes import FakeClock, FakeFeedServer
from tests.registry.builders import QUICK, SEED_TIME, facts_of
from tests.registry.serving import CatalogueServicer, FakeHealth

ServeCatalogue = Callable[..., Awaitable[pb_grpc.RegistryServiceStub]]


class RunningRegistry:
    """The whole service as the process builds it, in this process."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Serve, and run what a process runs beside the server."""
        await self.service.server.start()
        await self.service.server.set_serving(serving=True)
        self._tasks = [
            asyncio.create_task(supervised(task, self.service.clock)) for task in self.service.tasks
        ]

    async def stop(self) -> None:
        """End everything, as at the end of a process."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.service.server.stop(0)
        await self.service.resources.aclose()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.service.server.port}"


async def start_registry(
    data_dir: Path, clock: FakeClock, seed: Mapping[str, Any] | None = None, **settings: Any
) -> RunningRegistry:
    """Build and start the service on a free port; feeds are off unless the test names them.

    With a seed in place of the bundled one it starts five times as fast.
    """
    given: dict[str, Any] = {
        "data_dir": data_dir,
        "registry_address": Address("127.0.0.1", 0),
        "health_address": Address("127.0.0.1", 1),
        "litellm_url": "",
        "openrouter_url": "",
        "models_dev_url": "",
        "arena_url": "",
        "arena_vision_url": "",
    } | settings
    surroundings = Surroundings(clock=clock, fetch_policy=QUICK, random=lambda: 0.5)
    if seed is not None:
        facts = facts_of(seed)
        surroundings = replace(surroundings, seed=lambda: (facts, SEED_TIME))
    registry = RunningRegistry(await build(Settings(**given), surroundings))
    await registry.start()
    return registry


@pytest.fixture(scope="session")
async def seeded(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[pb_grpc.RegistryServiceStub]:
    """Return a stub of a registry that knows the bundled seed; tests must leave it as it is."""
    registry = await start_registry(tmp_path_factory.mktemp("seeded"), FakeClock())
    async with grpc.aio.insecure_channel(registry.address) as channel:
        yield pb_grpc.RegistryServiceStub(channel)
    await registry.stop()


@pytest.fixture
def serve_catalogue(serve: Serve) -> ServeCatalogue:
    """Return a function that serves a catalogue, or a live one, and returns a stub."""

    async def start(
        catalogue: Catalogue | LiveCatalogue,
        health: FakeHealth | None = None,
        draining: asyncio.Event | None = None,
    ) -> pb_grpc.RegistryServiceStub:
        live = catalogue if isinstance(catalogue, LiveCatalogue) else LiveCatalogue(catalogue)
        neighbours = Neighbours(health=health or FakeHealth(), prices=NoPrices())
        servicer = CatalogueServicer(  # type: ignore[abstract]
            live, neighbours, draining or asyncio.Event()
        )
        channel = await serve(pb_grpc.add_RegistryServiceServicer_to_server, servicer)
        return pb_grpc.RegistryServiceStub(channel)

    return start


@pytest.fixture
async def feed_server() -> AsyncIterator[FakeFeedServer]:
    async with FakeFeedServer() as server:
        yield server


@pytest.fixture
async def downloader(clock: FakeClock) -> AsyncIterator[FeedDownloader]:
    async with FeedDownloader(clock, QUICK) as downloader:
        yield downloader
