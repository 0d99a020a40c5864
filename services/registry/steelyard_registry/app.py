"""Wires the registry: settings in, service out."""

import asyncio
import os
import random
from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import ClassVar, Self

from pydantic import PositiveInt, model_validator

from steelyard.health.v1 import health_service_pb2
from steelyard.registry.v1 import registry_service_pb2_grpc
from steelyard_common.address import Address
from steelyard_common.background import BackgroundTask
from steelyard_common.channels import open_channel
from steelyard_common.clock import Clock, SystemClock
from steelyard_common.feed import FetchPolicy
from steelyard_common.feeds import FeedDownloader
from steelyard_common.last_good import LastGoodStore
from steelyard_common.lifecycle import Service
from steelyard_common.server import Server
from steelyard_common.settings import PREFIX, AddressSetting, FeedUrl, ServiceSettings
from steelyard_common.telemetry import Telemetry
from steelyard_common.tenant import AnonymousAuthenticator, RejectingAuthenticator
from steelyard_registry.adapters.curated_scores import read_curated_scores
from steelyard_registry.adapters.health_client import HealthClient
from steelyard_registry.adapters.provider_table import base_urls, read_providers
from steelyard_registry.adapters.sources import catalogue_sources, seed_facts
from steelyard_registry.adapters.sync import Bundled, CatalogueSync, Ports
from steelyard_registry.servicer import RegistryServicer

NAME = "registry"
FEED_DIRECTORY = "feeds"
LITELLM_URL = (
    "https://raw.githubusercontent.com/BerriAI/litellm/main/model_prices_and_context_window.json"
)
OPENROUTER_URL = "https://openrouter.ai/api/v1/models"


class Settings(ServiceSettings):
    """Environment of the registry.

    `STEELYARD_PROVIDER_{PROVIDER}_BASE_URL` and `STEELYARD_OLLAMA_BASE_URL` are read beside the
    fields, because the table of providers says which there are.
    """

    listener: ClassVar[str] = "registry_address"

    registry_address: AddressSetting = Address("127.0.0.1", 50052)
    """Where this service listens and is dialled."""

    health_address: AddressSetting = Address("127.0.0.1", 50053)
    """Where the health service is dialled."""

    litellm_url: FeedUrl = LITELLM_URL
    """LiteLLM's map of models; `file://` for use without a network, empty switches it off."""

    openrouter_url: FeedUrl = OPENROUTER_URL
    """OpenRouter's list of models; likewise."""

    price_ttl_seconds: PositiveInt = 86_400
    """How long feeds count as fresh, and how often they are read by themselves."""

    @property
    def provider_base_urls(self) -> Mapping[str, str]:
        """Roots that replace the official ones, by provider."""
        return base_urls(os.environ, PREFIX)

    @model_validator(mode="after")
    def _check_base_urls(self) -> Self:
        base_urls(os.environ, PREFIX)
        return self


async def build(
    settings: Settings, *, clock: Clock | None = None, fetch_policy: FetchPolicy | None = None
) -> Service:
    """Return a service ready to run; it serves what an earlier run has kept, or the seed."""
    clock = clock or SystemClock()
    async with AsyncExitStack() as resources:
        downloader = await resources.enter_async_context(FeedDownloader(clock, fetch_policy))
        sync = await _sync(settings, downloader, clock)
        live = await sync.open()
        telemetry = Telemetry.start(NAME)
        resources.callback(telemetry.close)
        health_service = health_service_pb2.DESCRIPTOR.services_by_name["HealthService"]
        channel = await resources.enter_async_context(
            open_channel(settings.health_address, [health_service], telemetry=telemetry)
        )
        server = Server(
            settings.listen_address,
            telemetry=telemetry,
            authenticator=(
                RejectingAuthenticator() if settings.is_auth_on else AnonymousAuthenticator()
            ),
            limits=settings.call_limits,
        )
        # What it does not define answers UNIMPLEMENTED from the generated base.
        servicer = RegistryServicer(  # type: ignore[abstract]
            live, HealthClient(channel), clock, server.draining
        )
        server.add(registry_service_pb2_grpc.add_RegistryServiceServicer_to_server, servicer)
        return Service(
            name=NAME,
            server=server,
            tasks=[BackgroundTask("sync", lambda: sync.run(live))],
            resources=resources.pop_all(),
            drain_seconds=settings.drain_seconds,
            clock=clock,
        )
    raise AssertionError("an exit stack swallows nothing")


async def _sync(settings: Settings, downloader: FeedDownloader, clock: Clock) -> CatalogueSync:
    seed, seed_time = await asyncio.to_thread(seed_facts)
    return CatalogueSync(
        catalogue_sources(litellm_url=settings.litellm_url, openrouter_url=settings.openrouter_url),
        Bundled(
            seed=seed,
            seed_time=seed_time,
            evidence=read_curated_scores(),
            providers=read_providers(settings.provider_base_urls),
        ),
        Ports(
            downloader=downloader,
            copies=LastGoodStore(settings.data_dir / FEED_DIRECTORY / NAME),
            clock=clock,
            random=random.random,
        ),
        ttl=timedelta(seconds=settings.price_ttl_seconds),
    )
