"""Wires the pricing service: settings in, service out."""

import asyncio
import random
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import ClassVar

from pydantic import PositiveInt

from steelyard.pricing.v1 import pricing_service_pb2_grpc
from steelyard_common.address import Address
from steelyard_common.background import BackgroundTask
from steelyard_common.clock import Clock, SystemClock
from steelyard_common.database import Database
from steelyard_common.feed import FetchPolicy
from steelyard_common.feeds import FeedDownloader
from steelyard_common.ids import new_id
from steelyard_common.leases import Leases
from steelyard_common.lifecycle import Service
from steelyard_common.server import Server
from steelyard_common.settings import AddressSetting, FeedUrl, ServiceSettings
from steelyard_common.telemetry import Telemetry
from steelyard_common.tenant import AnonymousAuthenticator, Authenticator, RejectingAuthenticator
from steelyard_pricing.adapters.curated_prices import CuratedFile, read_curated_facts
from steelyard_pricing.adapters.history_store import DatabaseHistory
from steelyard_pricing.adapters.negotiation_store import DatabaseNegotiationStore
from steelyard_pricing.adapters.price_store import DatabasePriceStore
from steelyard_pricing.adapters.quarantine_store import DatabaseQuarantine
from steelyard_pricing.adapters.schema import MIGRATIONS
from steelyard_pricing.adapters.seed_prices import read_seed_facts
from steelyard_pricing.adapters.sources import price_sources
from steelyard_pricing.domain.automatic_refresh import AutomaticRefresh
from steelyard_pricing.domain.catalogue import Catalogue
from steelyard_pricing.domain.gatekeeping import Gatekeeper
from steelyard_pricing.domain.margin_watch import MarginWatch
from steelyard_pricing.domain.negotiations import Negotiations
from steelyard_pricing.domain.opening import ReadSeed, open_catalogue
from steelyard_pricing.domain.price_ports import PricePorts
from steelyard_pricing.domain.publisher import Publisher
from steelyard_pricing.domain.refresh import Refresher
from steelyard_pricing.domain.replication import Follower
from steelyard_pricing.domain.review import Reviews
from steelyard_pricing.rpcs.archive import Archive
from steelyard_pricing.servicer import PricingServicer

NAME = "pricing"
LITELLM_URL = (
    "https://raw.githubusercontent.com/BerriAI/litellm/main/model_prices_and_context_window.json"
)
OPENROUTER_URL = "https://openrouter.ai/api/v1/models"
MODELS_DEV_URL = "https://models.dev/api.json"


class Settings(ServiceSettings):
    """Environment of the pricing service."""

    listener: ClassVar[str] = "pricing_address"

    pricing_address: AddressSetting = Address("127.0.0.1", 50051)
    """Where this service listens and is dialled."""

    litellm_url: FeedUrl = LITELLM_URL
    """LiteLLM's map of models; `file://` for use without a network, empty switches it off."""

    openrouter_url: FeedUrl = OPENROUTER_URL
    """OpenRouter's list of models; likewise."""

    models_dev_url: FeedUrl = MODELS_DEV_URL
    """models.dev's catalogue, a second opinion; likewise."""

    curated_prices_file: CuratedFile = None
    """TOML file of own prices for offers that no source prices; empty for the bundled one alone."""

    price_ttl_seconds: PositiveInt = 86_400
    """How long prices count as fresh, and how often they are read by themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the service takes from the outside besides its settings; tests bring their own."""

    clock: Clock = field(default_factory=SystemClock)
    fetch_policy: FetchPolicy = field(default_factory=FetchPolicy)
    seed: ReadSeed = read_seed_facts
    random: Callable[[], float] = random.random
    authenticator: Authenticator | None = None
    """Who callers are; None leaves it to the settings."""


async def build(settings: Settings, surroundings: Surroundings | None = None) -> Service:
    """Return a service ready to run; it serves what an earlier run has kept, or the seed."""
    surroundings = surroundings or Surroundings()
    clock = surroundings.clock
    async with AsyncExitStack() as resources:
        telemetry = Telemetry.start(NAME)
        resources.callback(telemetry.close)
        database = await _database(settings, resources)
        catalogue, publisher = await _catalogue(settings, database, surroundings)
        ports = await _ports(catalogue, database, resources, surroundings)
        refresher = Refresher(catalogue, publisher, ports)
        resources.push_async_callback(refresher.stop)
        negotiations, margins = await _negotiations(database, clock, telemetry)
        publisher.listen(margins.published)
        await margins.published(catalogue.snapshot, clock.now())
        server = Server(
            settings.listen_address,
            telemetry=telemetry,
            authenticator=surroundings.authenticator or _authenticator(settings),
            limits=settings.call_limits,
        )
        servicer = PricingServicer(
            catalogue,
            refresher,
            clock,
            negotiations=negotiations,
            margins=margins,
            archive=Archive(
                store=DatabasePriceStore(database),
                history=DatabaseHistory(database),
                quarantine=DatabaseQuarantine(database),
                reviews=Reviews(catalogue, publisher, ports),
            ),
        )
        server.add(pricing_service_pb2_grpc.add_PricingServiceServicer_to_server, servicer)
        automatic = AutomaticRefresh(catalogue, refresher, clock, surroundings.random)
        return Service(
            name=NAME,
            server=server,
            tasks=[
                BackgroundTask("refresh", automatic.run),
                BackgroundTask("replication", Follower(publisher, clock).run),
                BackgroundTask("margins", margins.run),
            ],
            resources=resources.pop_all(),
            drain_seconds=settings.drain_seconds,
            clock=clock,
        )
    raise AssertionError("an exit stack swallows nothing")


async def _database(settings: Settings, resources: AsyncExitStack) -> Database:
    url = settings.database_url.get_secret_value() if settings.database_url else None
    database = await Database.open(NAME, data_dir=settings.data_dir, url=url, migrations=MIGRATIONS)
    resources.push_async_callback(database.close)
    return database


async def _catalogue(
    settings: Settings, database: Database, surroundings: Surroundings
) -> tuple[Catalogue, Publisher]:
    return await open_catalogue(
        price_sources(
            litellm_url=settings.litellm_url,
            openrouter_url=settings.openrouter_url,
            models_dev_url=settings.models_dev_url,
        ),
        DatabasePriceStore(database),
        surroundings.clock,
        time_to_live=timedelta(seconds=settings.price_ttl_seconds),
        seed=surroundings.seed,
        curated=await asyncio.to_thread(read_curated_facts, settings.curated_prices_file),
    )


async def _ports(
    catalogue: Catalogue, database: Database, resources: AsyncExitStack, surroundings: Surroundings
) -> PricePorts:
    clock = surroundings.clock
    feeds = await resources.enter_async_context(FeedDownloader(clock, surroundings.fetch_policy))
    store, quarantine = DatabasePriceStore(database), DatabaseQuarantine(database)
    held_change_id = partial(new_id, "chg", clock=clock)
    return PricePorts(
        feeds=feeds,
        store=store,
        quarantine=quarantine,
        leases=Leases(database, clock, holder=new_id("replica")),
        clock=clock,
        new_id=held_change_id,
        gatekeeper=Gatekeeper(catalogue, store, quarantine, clock, held_change_id),
    )


def _authenticator(settings: Settings) -> Authenticator:
    return RejectingAuthenticator() if settings.is_auth_on else AnonymousAuthenticator()


async def _negotiations(
    database: Database, clock: Clock, telemetry: Telemetry
) -> tuple[Negotiations, MarginWatch]:
    """Return what tenants have negotiated, and what watches their margins."""
    store = DatabaseNegotiationStore(database)
    negotiations = Negotiations(store)
    await negotiations.reload()
    alerts = telemetry.meter.create_counter(
        "steelyard.pricing.margin_alerts",
        unit="{margin}",
        description="Margins that fell below their floor.",
    )
    return negotiations, MarginWatch(negotiations, store, clock, alerts.add)
