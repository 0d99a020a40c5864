"""Wires the pricing service: settings in, service out."""

import random
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from typing import ClassVar

from pydantic import PositiveInt

from steelyard.pricing.v1 import pricing_service_pb2_grpc
from steelyard_common.address import Address
from steelyard_common.background import BackgroundTask
from steelyard_common.clock import Clock, SystemClock
from steelyard_common.database import Database
from steelyard_common.feed import FetchPolicy
from steelyard_common.feeds import FeedDownloader
from steelyard_common.last_good import LastGoodStore
from steelyard_common.lifecycle import Service
from steelyard_common.server import Server
from steelyard_common.settings import AddressSetting, FeedUrl, ServiceSettings
from steelyard_common.telemetry import Telemetry
from steelyard_common.tenant import AnonymousAuthenticator, RejectingAuthenticator
from steelyard_pricing.adapters.opening import ReadSeed, open_catalogue
from steelyard_pricing.adapters.seed_prices import read_seed_facts
from steelyard_pricing.adapters.source_store import MIGRATIONS, DatabaseSourceStore
from steelyard_pricing.adapters.sources import price_sources
from steelyard_pricing.domain.automatic_refresh import AutomaticRefresh
from steelyard_pricing.domain.catalogue import Catalogue
from steelyard_pricing.domain.refresh import Refresher, RefreshPorts
from steelyard_pricing.servicer import PricingServicer

NAME = "pricing"
FEED_DIRECTORY = "feeds"
LITELLM_URL = (
    "https://raw.githubusercontent.com/BerriAI/litellm/main/model_prices_and_context_window.json"
)
OPENROUTER_URL = "https://openrouter.ai/api/v1/models"


class Settings(ServiceSettings):
    """Environment of the pricing service."""

    listener: ClassVar[str] = "pricing_address"

    pricing_address: AddressSetting = Address("127.0.0.1", 50051)
    """Where this service listens and is dialled."""

    litellm_url: FeedUrl = LITELLM_URL
    """LiteLLM's map of models; `file://` for use without a network, empty switches it off."""

    openrouter_url: FeedUrl = OPENROUTER_URL
    """OpenRouter's list of models; likewise."""

    price_ttl_seconds: PositiveInt = 86_400
    """How long prices count as fresh, and how often they are read by themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the service takes from the outside besides its settings; tests bring their own."""

    clock: Clock = field(default_factory=SystemClock)
    fetch_policy: FetchPolicy = field(default_factory=FetchPolicy)
    seed: ReadSeed = read_seed_facts
    random: Callable[[], float] = random.random


async def build(settings: Settings, surroundings: Surroundings | None = None) -> Service:
    """Return a service ready to run; it serves what an earlier run has kept, or the seed."""
    surroundings = surroundings or Surroundings()
    clock = surroundings.clock
    async with AsyncExitStack() as resources:
        catalogue, refresher = await _open(settings, resources, surroundings)
        telemetry = Telemetry.start(NAME)
        resources.callback(telemetry.close)
        server = Server(
            settings.listen_address,
            telemetry=telemetry,
            authenticator=(
                RejectingAuthenticator() if settings.is_auth_on else AnonymousAuthenticator()
            ),
            limits=settings.call_limits,
        )
        # What it does not define answers UNIMPLEMENTED from the generated base.
        servicer = PricingServicer(catalogue, refresher, clock)  # type: ignore[abstract]
        server.add(pricing_service_pb2_grpc.add_PricingServiceServicer_to_server, servicer)
        automatic = AutomaticRefresh(catalogue, refresher, clock, surroundings.random)
        return Service(
            name=NAME,
            server=server,
            tasks=[BackgroundTask("refresh", automatic.run)],
            resources=resources.pop_all(),
            drain_seconds=settings.drain_seconds,
            clock=clock,
        )
    raise AssertionError("an exit stack swallows nothing")


async def _open(
    settings: Settings, resources: AsyncExitStack, surroundings: Surroundings
) -> tuple[Catalogue, Refresher]:
    clock = surroundings.clock
    url = settings.database_url.get_secret_value() if settings.database_url else None
    database = await Database.open(NAME, data_dir=settings.data_dir, url=url, migrations=MIGRATIONS)
    resources.push_async_callback(database.close)
    feeds = await resources.enter_async_context(FeedDownloader(clock, surroundings.fetch_policy))
    ports = RefreshPorts(
        feeds=feeds,
        copies=LastGoodStore(settings.data_dir / FEED_DIRECTORY / NAME),
        store=DatabaseSourceStore(database),
        clock=clock,
    )
    catalogue = await open_catalogue(
        price_sources(litellm_url=settings.litellm_url, openrouter_url=settings.openrouter_url),
        ports,
        time_to_live=timedelta(seconds=settings.price_ttl_seconds),
        seed=surroundings.seed,
    )
    refresher = Refresher(catalogue, ports)
    resources.push_async_callback(refresher.stop)
    return catalogue, refresher
