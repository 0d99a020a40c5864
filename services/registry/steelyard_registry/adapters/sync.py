"""Keeps the catalogue current: seed first, then the last good feeds, then fresh ones."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import structlog

from steelyard_catalog.json_text import CatalogueFormatError
from steelyard_common.clock import Clock
from steelyard_common.errors import StorageFullError
from steelyard_common.feed import FeedCause, FeedCopy, FeedError, NotModified
from steelyard_common.feeds import FeedDownloader
from steelyard_common.last_good import LastGoodStore
from steelyard_registry.adapters.sources import Source, SourceFacts
from steelyard_registry.domain.catalogue import Catalogue, Edition
from steelyard_registry.domain.facts import Facts
from steelyard_registry.domain.feeds import (
    Schedule,
    ShrunkError,
    SourceName,
    check_size,
    is_stale,
)
from steelyard_registry.domain.live import LiveCatalogue
from steelyard_registry.domain.providers import Provider
from steelyard_registry.domain.quality.scores import QualityScore

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """What a sync touches."""

    downloader: FeedDownloader
    copies: LastGoodStore
    clock: Clock
    random: Callable[[], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundled:
    """What ships with the service."""

    seed: SourceFacts
    seed_time: datetime
    evidence: Mapping[str, Sequence[QualityScore]]
    providers: Mapping[str, Provider]


@dataclass(slots=True)
class _Reading:
    """One source and what was last read from it."""

    source: Source
    copy: FeedCopy | None = None
    facts: SourceFacts | None = None
    failures: int = 0
    due: float = 0.0
    """On the monotonic clock."""


class CatalogueSync:
    """Reads the sources and publishes what they say together."""

    def __init__(
        self, sources: Sequence[Source], bundled: Bundled, ports: Ports, *, ttl: timedelta
    ) -> None:
        self._readings = [_Reading(source) for source in sources]
        self._bundled = bundled
        self._ports = ports
        self._ttl = ttl
        self._schedule = Schedule(ttl=ttl)
        self._day = date.min

    async def open(self) -> LiveCatalogue:
        """Return a catalogue of what an earlier run has kept, else of the seed."""
        for reading in self._readings:
            await self._load(reading)
        return LiveCatalogue(await self._build(None))

    async def run(self, live: LiveCatalogue) -> None:
        """Refresh when due and turn over at midnight UTC, for ever."""
        while True:
            await self._ports.clock.sleep(self._pause())
            now = self._ports.clock.monotonic()
            due = [reading for reading in self._readings if reading.due <= now]
            changed = [await self._refresh(reading) for reading in due]
            if any(changed) or self._has_aged(live.current.edition):
                await self.publish(live)

    async def publish(self, live: LiveCatalogue) -> None:
        """Build a catalogue from what was read last and make it the current one."""
        catalogue = await self._build(live.current.edition)
        live.publish(catalogue)
        logger.info(
            "catalogue published",
            version=catalogue.edition.version,
            models=len(catalogue.edition.models),
            stale=catalogue.edition.is_stale,
        )

    async def _load(self, reading: _Reading) -> None:
        copy = await self._ports.copies.load(reading.source.name)
        if copy is None or copy.fetched_time < self._bundled.seed_time:
            return
        try:
            reading.facts = await asyncio.to_thread(
                reading.source.read, copy.body, copy.fetched_time
            )
        except CatalogueFormatError as error:
            logger.warning("last good copy ignored", feed=reading.source.name, problem=str(error))
            return
        reading.copy = copy
        self._plan_after_success(reading)

    async def _refresh(self, reading: _Reading) -> bool:
        """Read one source; say whether it had anything new. A failure changes nothing."""
        name = reading.source.name
        try:
            is_new = await self._read(reading)
        except FeedError as error:
            reading.failures += 1
            pause = self._schedule.after_failure(reading.failures, self._ports.random())
            reading.due = self._ports.clock.monotonic() + pause
            logger.warning(
                "feed not read", feed=name, cause=error.cause, problem=str(error), retry=pause
            )
            return False
        reading.failures = 0
        self._plan_after_success(reading)
        return is_new

    async def _read(self, reading: _Reading) -> bool:
        """Fetch, check and keep one source.

        Raises:
            FeedError: Anything about it is wrong; nothing was kept.
        """
        source = reading.source
        fetched = await self._ports.downloader.fetch(source.feed, reading.copy)
        if isinstance(fetched, NotModified):
            reading.copy = await self._confirmed(reading, fetched.checked_time)
            return False
        try:
            facts = await asyncio.to_thread(source.read, fetched.body, fetched.fetched_time)
            check_size(len(facts.offers), len(self._offers_before(reading)))
        except CatalogueFormatError as error:
            raise FeedError(FeedCause.PARSE, f"{source.name} {error}") from None
        except ShrunkError as error:
            raise FeedError(FeedCause.SHRUNK, f"{source.name} {error}") from None
        await self._keep(source.name, fetched)
        reading.copy, reading.facts = fetched, facts
        return True

    def _offers_before(self, reading: _Reading) -> Sequence[object]:
        if reading.facts is not None:
            return reading.facts.offers
        return self._bundled.seed.offers if reading.source.name is SourceName.LITELLM else ()

    async def _confirmed(self, reading: _Reading, checked_time: datetime) -> FeedCopy | None:
        if reading.copy is None:
            return None
        try:
            return await self._ports.copies.confirm(reading.source.name, reading.copy, checked_time)
        except (StorageFullError, OSError) as error:
            logger.warning("feed not kept", feed=reading.source.name, problem=str(error))
            return reading.copy

    async def _keep(self, name: SourceName, copy: FeedCopy) -> None:
        try:
            await self._ports.copies.commit(name, copy)
        except (StorageFullError, OSError) as error:
            # What was read is good all the same; only a restart will not know of it.
            logger.warning("feed not kept", feed=name, problem=str(error))

    def _plan_after_success(self, reading: _Reading) -> None:
        clock = self._ports.clock
        checked = reading.copy.checked_time if reading.copy else clock.now()
        pause = self._schedule.after_success(clock.now() - checked, self._ports.random())
        reading.due = clock.monotonic() + pause

    def _pause(self) -> float:
        clock = self._ports.clock
        now = clock.now()
        tomorrow = datetime.combine(now.date() + timedelta(days=1), time(), UTC)
        until_due = [reading.due - clock.monotonic() for reading in self._readings]
        until_stale = [
            (reading.copy.checked_time + self._ttl - now).total_seconds()
            for reading in self._readings
            if reading.copy is not None and not is_stale(reading.copy.checked_time, now, self._ttl)
        ]
        return max(0.0, min([(tomorrow - now).total_seconds(), *until_due, *until_stale]))

    def _has_aged(self, edition: Edition) -> bool:
        now = self._ports.clock.now()
        return now.date() != self._day or self._is_stale(now) != edition.is_stale

    def _is_stale(self, now: datetime) -> bool:
        times = [reading.copy.checked_time if reading.copy else None for reading in self._readings]
        if not any(reading.source.name is SourceName.LITELLM for reading in self._readings):
            times.append(self._bundled.seed_time)
        return any(each is None or is_stale(each, now, self._ttl) for each in times)

    async def _build(self, previous: Edition | None) -> Catalogue:
        now = self._ports.clock.now()
        self._day = now.date()
        milliseconds = int(now.timestamp() * 1000)
        return await asyncio.to_thread(
            Catalogue.build,
            self._facts(),
            # Wall time keeps versions of different runs apart.
            version=max(milliseconds, previous.version + 1 if previous else 0),
            today=self._day,
            is_stale=self._is_stale(now),
            previous=previous,
        )

    def _facts(self) -> Facts:
        """Put the sources together: OpenRouter knows its own offers best."""
        read = {reading.source.name: reading.facts for reading in self._readings}
        market = read.get(SourceName.LITELLM) or self._bundled.seed
        own = read.get(SourceName.OPENROUTER)
        offers = market.offers
        if own is not None:
            others = (offer for offer in offers if offer.provider != SourceName.OPENROUTER)
            offers = (*others, *own.offers)
        return Facts(
            offers=offers,
            source_keys=market.source_keys,
            moving_names=own.moving_names if own is not None else {},
            evidence=self._bundled.evidence,
            providers=self._bundled.providers,
        )
