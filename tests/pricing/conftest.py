"""The pricing service as in production, on feeds of this machine."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest

from steelyard.pricing.v1 import pricing_service_pb2 as pb
from steelyard.pricing.v1 import pricing_service_pb2_grpc as pb_grpc
from steelyard_catalog.seed import read_seed
from steelyard_common.address import Address
from steelyard_common.feed import FetchPolicy
from steelyard_common.lifecycle import Service
from steelyard_pricing.app import Settings, Surroundings, build
from steelyard_pricing.domain.comparison import SEED
from steelyard_pricing.domain.snapshot import SourceFacts
from steelyard_pricing.domain.source import ServedCopy
from tests.fakes import FakeClock, FakeFeedServer
from tests.pricing.builders import a_fact, litellm_body, source_facts, tokens

CALL_SECONDS = 30
# No second tries, which wait on real time.
POLICY = FetchPolicy(attempts=1, total_seconds=5)


@dataclass(slots=True)
class RunningPricing:
    """One running service."""

    service: Service
    stub: pb_grpc.PricingServiceStub

    async def refresh(self, *sources: str, force: bool = True) -> list[pb.RefreshPricesResponse]:
        """Refresh and return every message."""
        request = pb.RefreshPricesRequest(force=force, sources=sources)
        return [event async for event in self.stub.RefreshPrices(request, timeout=CALL_SECONDS)]

    async def report(self, *sources: str, force: bool = True) -> pb.RefreshReport:
        """Refresh and return the last message."""
        events = await self.refresh(*sources, force=force)
        return events[-1].report

    async def status(self) -> pb.GetCatalogStatusResponse:
        return await self.stub.GetCatalogStatus(pb.GetCatalogStatusRequest(), timeout=CALL_SECONDS)

    async def source(self, name: str) -> pb.SourceStatus:
        """Return how one source goes."""
        status = await self.status()
        return next(source for source in status.sources if source.source == name)

    async def price(self, name: str) -> pb.GetPriceResponse:
        return await self.stub.GetPrice(pb.GetPriceRequest(name=name), timeout=CALL_SECONDS)


Start = Callable[..., Awaitable[RunningPricing]]


@pytest.fixture
async def feeds() -> AsyncIterator[FakeFeedServer]:
    async with FakeFeedServer() as server:
        yield server


def small_seed() -> tuple[SourceFacts, ServedCopy]:
    """Return a seed of one offer: reading the whole one takes most of a second."""
    return source_facts(a_fact("seed/model", tokens(), source=SEED), source=SEED), ServedCopy()


async def start_pricing(
    stack: AsyncExitStack, settings: Settings, **options: Any
) -> RunningPricing:
    service = await build(settings, Surroundings(**{"fetch_policy": POLICY, **options}))
    await stack.enter_async_context(service.resources)
    await service.server.start()
    stack.push_async_callback(service.server.stop, 0)
    channel = await stack.enter_async_context(
        grpc.aio.insecure_channel(f"127.0.0.1:{service.server.port}")
    )
    return RunningPricing(service, pb_grpc.PricingServiceStub(channel))


def settings_for(
    data_dir: Path,
    *,
    litellm_url: str = "",
    openrouter_url: str = "",
    models_dev_url: str = "",
    curated_prices_file: Path | None = None,
) -> Settings:
    """Return settings in which a source without a URL is off."""
    return Settings(
        data_dir=data_dir,
        pricing_address=Address("127.0.0.1", 0),
        litellm_url=litellm_url,
        openrouter_url=openrouter_url,
        models_dev_url=models_dev_url,
        curated_prices_file=curated_prices_file,
    )


@pytest.fixture
async def start(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Start]:
    """Return a function that starts the service; nothing is read by itself.

    Started twice, it is restarted: the first one is closed. `beside` leaves it running, as another
    replica on the same database.
    """
    async with AsyncExitStack() as last:
        running = AsyncExitStack()
        last.push_async_callback(running.aclose)

        async def begin(
            *,
            litellm_url: str = "",
            openrouter_url: str = "",
            models_dev_url: str = "",
            curated_prices_file: Path | None = None,
            beside: bool = False,
            **options: Any,
        ) -> RunningPricing:
            if not beside:
                await running.aclose()
            settings = settings_for(
                tmp_path,
                litellm_url=litellm_url,
                openrouter_url=openrouter_url,
                models_dev_url=models_dev_url,
                curated_prices_file=curated_prices_file,
            )
            ours = {"clock": clock, "seed": small_seed}
            return await start_pricing(running, settings, **(ours | options))

        yield begin


@pytest.fixture(scope="session")
async def seeded(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningPricing]:
    """Return a service on the shipped catalogue, which tests only read."""
    async with AsyncExitStack() as stack:
        settings = settings_for(tmp_path_factory.mktemp("seeded"))
        yield await start_pricing(stack, settings, clock=FakeClock())


@pytest.fixture(scope="session")
def whole_map() -> bytes:
    """Return a map of LiteLLM's that is as large as the shipped catalogue."""
    return litellm_body(
        {
            entry.offer: {
                **entry.fields,
                "litellm_provider": entry.provider,
                "mode": entry.mode or None,
            }
            for entry in read_seed().entries
        }
    )
