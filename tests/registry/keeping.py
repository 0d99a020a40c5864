"""Registries without a server: what keeps a catalogue, on a database of the test's own."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from steelyard_common.database import Database
from steelyard_common.feeds import FeedDownloader
from steelyard_common.ids import new_id
from steelyard_common.leases import Leases
from steelyard_registry.adapters.event_store import DatabaseEvents
from steelyard_registry.adapters.schema import MIGRATIONS
from steelyard_registry.adapters.score_sources import ScoreUrl, score_feeds
from steelyard_registry.adapters.sources import OFFER_SOURCES, offer_sources
from steelyard_registry.adapters.state_store import DatabaseStateStore
from steelyard_registry.domain.automatic_sync import AutomaticSync
from steelyard_registry.domain.building import Bundled, CatalogueBuilder
from steelyard_registry.domain.catalogue import Edition
from steelyard_registry.domain.freshness import Freshness
from steelyard_registry.domain.models import Offer
from steelyard_registry.domain.opening import open_registry
from steelyard_registry.domain.ports import StateStore
from steelyard_registry.domain.publisher import Publisher, Rules
from steelyard_registry.domain.quality.editions import ScoreSource
from steelyard_registry.domain.sync import Syncer, SyncPorts
from steelyard_registry.domain.sync_run import Report
from steelyard_registry.rpcs.syncs import Syncers
from steelyard_registry.servicer import Upkeep
from tests.fakes import FakeClock
from tests.registry.builders import OPENAI, QUICK, SEED_TIME, TTL, facts_of

Models = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Feeds:
    """Where a registry of a test reads; empty is off."""

    litellm: str = ""
    openrouter: str = ""
    models_dev: str = ""
    scores: Mapping[ScoreSource, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Keeping:
    """What keeps a catalogue."""

    database: Database
    publisher: Publisher
    syncers: Syncers
    automatic: AutomaticSync
    events: DatabaseEvents

    @property
    def upkeep(self) -> Upkeep:
        """Return what a servicer needs of it."""
        return Upkeep(publisher=self.publisher, syncers=self.syncers, events=self.events)

    @property
    def edition(self) -> Edition:
        """Return what is served."""
        return self.publisher.live.current.edition

    def offer(self, name: str) -> Offer:
        """Return an offer that is served."""
        found = self.publisher.live.current.offer(name)
        assert found is not None, name
        return found

    async def sync(self, *, force: bool = True) -> Report:
        """Read all offers now."""
        run = await self.syncers.models.follow(self.syncers.models.sources, force=force)
        return await run.report()

    async def sync_scores(self, *, force: bool = True) -> Report:
        """Read all scores now."""
        run = await self.syncers.quality.follow(self.syncers.quality.sources, force=force)
        return await run.report()


@asynccontextmanager
async def keeping(
    directory: Path,
    clock: FakeClock,
    seed: Models,
    feeds: Feeds | None = None,
    store: Callable[[StateStore], StateStore] = lambda store: store,
) -> AsyncIterator[Keeping]:
    """Keep a catalogue as one replica does; several may share a directory.

    Args:
        directory: Of the database.
        clock: Dates everything.
        seed: What ships, in LiteLLM's format.
        feeds: What is read.
        store: Puts something between the registry and its store.
    """
    feeds = feeds or Feeds()
    async with AsyncExitStack() as resources:
        database = await Database.open("registry", data_dir=directory, migrations=MIGRATIONS)
        resources.push_async_callback(database.close)
        downloader = await resources.enter_async_context(FeedDownloader(clock, QUICK))
        made = await _made(
            store(DatabaseStateStore(database, clock)), database, clock, downloader, (seed, feeds)
        )
        resources.push_async_callback(made.syncers.models.stop)
        resources.push_async_callback(made.syncers.quality.stop)
        yield made


async def _made(
    store: StateStore,
    database: Database,
    clock: FakeClock,
    downloader: FeedDownloader,
    given: tuple[Models, Feeds],
) -> Keeping:
    seed, feeds = given
    shipped = facts_of(seed)
    sources = offer_sources(
        litellm_url=feeds.litellm,
        openrouter_url=feeds.openrouter,
        models_dev_url=feeds.models_dev,
        shipped={offer.offer: offer for offer in shipped.offers},
    )
    scores = score_feeds({name: ScoreUrl(url, {}) for name, url in feeds.scores.items()})
    names = [*(source.name for source in sources), *(str(feed.name) for feed in scores)]
    freshness = Freshness(
        times_to_live=dict.fromkeys(names, TTL),
        catalogue_sources=frozenset(source.name for source in sources),
        seed_time=SEED_TIME,
    )
    bundled = Bundled(seed=shipped, seed_time=SEED_TIME, providers={"openai": OPENAI})
    rules = Rules(CatalogueBuilder(bundled, names), freshness)
    publisher = await open_registry(store, rules, clock)
    ports = SyncPorts(
        feeds=downloader, leases=Leases(database, clock, holder=new_id("replica")), clock=clock
    )
    models = Syncer("models", sources, publisher, freshness, ports)
    quality = Syncer("quality", scores, publisher, freshness, ports)
    syncers = Syncers(
        models=models, quality=quality, freshness=freshness, known=(*OFFER_SOURCES, *ScoreSource)
    )
    automatic = AutomaticSync(publisher, [models, quality], freshness, clock, lambda: 0.5)
    return Keeping(database, publisher, syncers, automatic, DatabaseEvents(database))
