"""Wires the registry: settings in, service out."""

import asyncio
import os
import random
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, ClassVar, Self

from pydantic import BeforeValidator, PositiveInt, SecretStr, model_validator

from steelyard.health.v1 import health_service_pb2
from steelyard.pricing.v1 import pricing_service_pb2
from steelyard.registry.v1 import registry_service_pb2_grpc
from steelyard_common.address import Address
from steelyard_common.background import BackgroundTask
from steelyard_common.channels import open_channel
from steelyard_common.clock import Clock, SystemClock
from steelyard_common.database import Database
from steelyard_common.feed import FetchPolicy
from steelyard_common.feeds import FeedDownloader
from steelyard_common.ids import new_id
from steelyard_common.leases import Leases
from steelyard_common.lifecycle import Service
from steelyard_common.server import Server
from steelyard_common.settings import PREFIX, AddressSetting, FeedUrl, ServiceSettings
from steelyard_common.telemetry import Telemetry
from steelyard_common.tenant import AnonymousAuthenticator, Authenticator, RejectingAuthenticator
from steelyard_registry.adapters.alias_table import read_aliases
from steelyard_registry.adapters.curated_scores import read_curated_scores
from steelyard_registry.adapters.custom_providers import CustomProviders, read_custom_providers
from steelyard_registry.adapters.event_store import DatabaseEvents
from steelyard_registry.adapters.health_client import HealthClient
from steelyard_registry.adapters.price_book import PriceBook
from steelyard_registry.adapters.provider_table import base_urls, read_providers
from steelyard_registry.adapters.schema import MIGRATIONS
from steelyard_registry.adapters.score_sources import ScoreUrl, score_feeds
from steelyard_registry.adapters.sources import OFFER_SOURCES, offer_sources, seed_facts
from steelyard_registry.adapters.state_store import DatabaseStateStore
from steelyard_registry.domain.automatic_sync import AutomaticSync, Follower
from steelyard_registry.domain.building import Bundled, CatalogueBuilder
from steelyard_registry.domain.freshness import Freshness
from steelyard_registry.domain.opening import open_registry
from steelyard_registry.domain.publisher import Publisher, Rules
from steelyard_registry.domain.quality.editions import ScoreSource
from steelyard_registry.domain.source_facts import SourceFacts
from steelyard_registry.domain.sync import Syncer, SyncPorts
from steelyard_registry.rpcs.syncs import Syncers
from steelyard_registry.servicer import Neighbours, RegistryServicer, Upkeep

NAME = "registry"
LITELLM_URL = (
    "https://raw.githubusercontent.com/BerriAI/litellm/main/model_prices_and_context_window.json"
)
OPENROUTER_URL = "https://openrouter.ai/api/v1/models"
MODELS_DEV_URL = "https://models.dev/api.json"
ARENA_URL = (
    "https://raw.githubusercontent.com/lmarena/arena-catalog/main/data/leaderboard-text.json"
)
ARENA_VISION_URL = (
    "https://raw.githubusercontent.com/lmarena/arena-catalog/main/data/leaderboard-vision.json"
)
ARTIFICIAL_ANALYSIS_URL = "https://artificialanalysis.ai/api/v2/data/llms/models"


CustomFile = Annotated[Path | None, BeforeValidator(lambda value: value or None)]
"""A file of providers; empty means none."""


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

    pricing_address: AddressSetting = Address("127.0.0.1", 50051)
    """Where the pricing service is dialled, for price ceilings."""

    models_dev_url: FeedUrl = MODELS_DEV_URL
    """models.dev's catalogue, which fills what the others leave open; likewise."""

    arena_url: FeedUrl = ARENA_URL
    """Arena's ratings of text models, JSON or CSV; likewise."""

    arena_vision_url: FeedUrl = ARENA_VISION_URL
    """Arena's ratings of models that see; likewise."""

    livebench_url: FeedUrl = ""
    """LiveBench's table of a release (CSV); empty leaves it out."""

    llm_stats_url: FeedUrl = ""
    """llm-stats' benchmark scores as one CSV; empty leaves them out."""

    artificial_analysis_url: FeedUrl = ARTIFICIAL_ANALYSIS_URL
    """Artificial Analysis' models; read only with a key, or from another URL."""

    artificial_analysis_key: SecretStr = SecretStr("")
    """Key for it, sent as `x-api-key`."""

    custom_providers_file: CustomFile = None
    """TOML file of further providers and their models; empty for none."""

    price_ttl_seconds: PositiveInt = 86_400
    """How long catalogues count as fresh, and how often they are read by themselves."""

    quality_ttl_seconds: PositiveInt = 86_400
    """Likewise for scores."""

    @property
    def score_urls(self) -> Mapping[ScoreSource, ScoreUrl]:
        """Where each source of scores is read."""
        key = self.artificial_analysis_key.get_secret_value()
        needs_key = self.artificial_analysis_url == ARTIFICIAL_ANALYSIS_URL
        analysis = self.artificial_analysis_url if key or not needs_key else ""
        return {
            ScoreSource.ARENA: ScoreUrl(self.arena_url, {}),
            ScoreSource.ARENA_VISION: ScoreUrl(self.arena_vision_url, {}),
            ScoreSource.ARTIFICIAL_ANALYSIS: ScoreUrl(analysis, {"x-api-key": key} if key else {}),
            ScoreSource.LIVEBENCH: ScoreUrl(self.livebench_url, {}),
            ScoreSource.LLM_STATS: ScoreUrl(self.llm_stats_url, {}),
        }

    @property
    def provider_base_urls(self) -> Mapping[str, str]:
        """Roots that replace the official ones, by provider."""
        return base_urls(os.environ, PREFIX, self.custom_providers.providers)

    @property
    def custom_providers(self) -> CustomProviders:
        """What the file of providers names."""
        if self.custom_providers_file is None:
            return CustomProviders(providers={}, offers=())
        return read_custom_providers(self.custom_providers_file)

    @model_validator(mode="after")
    def _check_providers(self) -> Self:
        _ = self.provider_base_urls
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the service takes from the outside besides its settings; tests bring their own."""

    clock: Clock = field(default_factory=SystemClock)
    fetch_policy: FetchPolicy = field(default_factory=FetchPolicy)
    seed: Callable[[], tuple[SourceFacts, datetime]] = seed_facts
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
        syncing = await _syncing(settings, database, resources, surroundings)
        server = Server(
            settings.listen_address,
            telemetry=telemetry,
            authenticator=surroundings.authenticator or _authenticator(settings),
            limits=settings.call_limits,
        )
        neighbours = await _neighbours(settings, resources, telemetry, clock)
        servicer = RegistryServicer(
            Upkeep(
                publisher=syncing.publisher,
                syncers=syncing.syncers,
                events=DatabaseEvents(database),
            ),
            neighbours,
            clock,
            server.draining,
        )
        server.add(registry_service_pb2_grpc.add_RegistryServiceServicer_to_server, servicer)
        return Service(
            name=NAME,
            server=server,
            tasks=[
                BackgroundTask("sync", syncing.automatic.run),
                BackgroundTask("replication", Follower(syncing.publisher, clock).run),
            ],
            resources=resources.pop_all(),
            drain_seconds=settings.drain_seconds,
            clock=clock,
        )
    raise AssertionError("an exit stack swallows nothing")


@dataclass(frozen=True, slots=True)
class _Syncing:
    publisher: Publisher
    syncers: Syncers
    automatic: AutomaticSync


async def _database(settings: Settings, resources: AsyncExitStack) -> Database:
    url = settings.database_url.get_secret_value() if settings.database_url else None
    database = await Database.open(NAME, data_dir=settings.data_dir, url=url, migrations=MIGRATIONS)
    resources.push_async_callback(database.close)
    return database


async def _syncing(
    settings: Settings,
    database: Database,
    resources: AsyncExitStack,
    surroundings: Surroundings,
) -> _Syncing:
    clock = surroundings.clock
    bundled = await asyncio.to_thread(_bundled, settings, surroundings)
    offer_feeds = offer_sources(
        litellm_url=settings.litellm_url,
        openrouter_url=settings.openrouter_url,
        models_dev_url=settings.models_dev_url,
        shipped={offer.offer: offer for offer in bundled.seed.offers},
    )
    feeds_of_scores = score_feeds(settings.score_urls)
    catalogue_ttl = timedelta(seconds=settings.price_ttl_seconds)
    quality_ttl = timedelta(seconds=settings.quality_ttl_seconds)
    freshness = Freshness(
        times_to_live={
            **{str(source.name): catalogue_ttl for source in offer_feeds},
            **{str(source.name): quality_ttl for source in feeds_of_scores},
        },
        catalogue_sources=frozenset(str(source.name) for source in offer_feeds),
        seed_time=bundled.seed_time,
    )
    builder = CatalogueBuilder(bundled, freshness.times_to_live)
    store = DatabaseStateStore(database, clock)
    publisher = await open_registry(store, Rules(builder, freshness), clock)
    ports = SyncPorts(
        feeds=await resources.enter_async_context(FeedDownloader(clock, surroundings.fetch_policy)),
        leases=Leases(database, clock, holder=new_id("replica")),
        clock=clock,
    )
    models = Syncer("models", offer_feeds, publisher, freshness, ports)
    quality = Syncer("quality", feeds_of_scores, publisher, freshness, ports)
    resources.push_async_callback(models.stop)
    resources.push_async_callback(quality.stop)
    return _Syncing(
        publisher,
        Syncers(
            models=models,
            quality=quality,
            freshness=freshness,
            known=(*OFFER_SOURCES, *ScoreSource),
        ),
        AutomaticSync(publisher, [models, quality], freshness, clock, surroundings.random),
    )


def _bundled(settings: Settings, surroundings: Surroundings) -> Bundled:
    seed, seed_time = surroundings.seed()
    custom = settings.custom_providers
    return Bundled(
        seed=seed,
        seed_time=seed_time,
        providers=read_providers(settings.provider_base_urls, custom.providers),
        custom_offers=custom.offers,
        curated=read_curated_scores(),
        aliases=read_aliases(),
    )


async def _neighbours(
    settings: Settings, resources: AsyncExitStack, telemetry: Telemetry, clock: Clock
) -> Neighbours:
    health_service = health_service_pb2.DESCRIPTOR.services_by_name["HealthService"]
    pricing_service = pricing_service_pb2.DESCRIPTOR.services_by_name["PricingService"]
    health = await resources.enter_async_context(
        open_channel(settings.health_address, [health_service], telemetry=telemetry)
    )
    pricing = await resources.enter_async_context(
        open_channel(settings.pricing_address, [pricing_service], telemetry=telemetry)
    )
    return Neighbours(health=HealthClient(health), prices=PriceBook(pricing, clock))


def _authenticator(settings: Settings) -> Authenticator:
    return RejectingAuthenticator() if settings.is_auth_on else AnonymousAuthenticator()
