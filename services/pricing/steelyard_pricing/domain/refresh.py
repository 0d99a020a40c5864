"""Refreshes: one at a time, sources side by side, one new snapshot or none."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from steelyard_common.clock import Clock
from steelyard_common.errors import (
    PricingUnavailableError,
    StorageFullError,
)
from steelyard_common.feed import FeedCause, FeedCopy
from steelyard_pricing.domain.catalogue import Catalogue, serving_order
from steelyard_pricing.domain.changes import count_changes
from steelyard_pricing.domain.comparison import SEED
from steelyard_pricing.domain.rates import PriceFact
from steelyard_pricing.domain.refresh_events import Event, Phase, Progress, Report, SourceOutcome
from steelyard_pricing.domain.snapshot import ObservedFact, Snapshot, SourceFacts
from steelyard_pricing.domain.source import PriceSource, ServedCopy, SourceFailure, SourceState
from steelyard_pricing.domain.source_reading import FeedReader, SourceReader, SourceReading

logger = structlog.get_logger(__name__)


class CopyStore(Protocol):
    """Keeps the last good body of each source."""

    async def load(self, name: str) -> FeedCopy | None:
        """Return the copy, None when there is none."""

    async def commit(self, name: str, copy: FeedCopy) -> None:
        """Replace the copy.

        Raises:
            StorageFullError: There is no room; the old copy stays.
            OSError: Anything else that disks do; the old copy stays.
        """


class SourceStore(Protocol):
    """Keeps what must outlive the process, besides bodies."""

    async def states(self) -> Mapping[str, SourceState]:
        """Return how reading each source went so far."""

    async def record(self, source: str, state: SourceState) -> None:
        """Keep how reading a source went."""

    async def next_version(self) -> int:
        """Return a snapshot version that is larger than every one before."""

    async def observe(
        self, source: str, facts: Sequence[PriceFact], now: datetime
    ) -> tuple[ObservedFact, ...]:
        """Return facts with the time since when the source says so; new ones are dated `now`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshPorts:
    """What a refresh needs of the world."""

    feeds: FeedReader
    copies: CopyStore
    store: SourceStore
    clock: Clock


class Refresher:
    """Brings the catalogue up to date; the only writer of it."""

    def __init__(self, catalogue: Catalogue, ports: RefreshPorts) -> None:
        self._catalogue = catalogue
        self._ports = ports
        self._task: asyncio.Task[None] | None = None
        self._run_now: RefreshRun | None = None

    async def follow(self, names: Collection[str], *, force: bool) -> "RefreshRun":
        """Return a refresh of some sources: the one that runs if it does as much, else a new one.

        A new one begins when the one that runs has ended, and goes on when nobody follows it.

        Args:
            names: Of sources; at least one.
            force: Read also what is still fresh. The guards stay.
        """
        while (running := self._run_now) is not None:
            if running.does(names, force=force):
                return running
            await running.ended()
        self._run_now = run = RefreshRun(frozenset(names), force=force)
        self._catalogue.is_refreshing = True
        self._task = asyncio.create_task(self._run(run), name="refresh")
        return run

    async def stop(self) -> None:
        """Break off a refresh that runs; what is served stays."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self, run: "RefreshRun") -> None:
        try:
            report = await self._refresh(run)
        except asyncio.CancelledError:
            run.fail(PricingUnavailableError())
            raise
        except Exception as error:
            # Perhaps nobody follows any more.
            logger.exception("refresh failed")
            run.fail(error)
            return
        finally:
            self._catalogue.is_refreshing = False
            self._run_now = None
        run.tell(report)
        logger.info(
            "refreshed",
            snapshot_version=report.snapshot_version,
            model_count=report.model_count,
            sources={outcome.source: outcome.outcome.name.lower() for outcome in report.outcomes},
        )

    async def _refresh(self, run: "RefreshRun") -> Report:
        started = self._ports.clock.monotonic()
        before = self._catalogue.snapshot
        asked = [source for source in self._catalogue.sources if source.name in run.names]
        reader = SourceReader(self._ports.feeds, self._ports.clock, run.tell)
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self._read(reader, source, force=run.force)) for source in asked
            ]
        readings = [await self._kept(task.result()) for task in tasks]
        await self._publish(readings)
        for reading in readings:
            await self._record(reading.outcome)
            run.tell(_ending(reading.outcome))
        after = self._catalogue.snapshot
        return Report(
            model_count=len(after.listings),
            changes=count_changes(before, after),
            duration=timedelta(seconds=self._ports.clock.monotonic() - started),
            outcomes=tuple(reading.outcome for reading in readings),
            snapshot_version=after.version,
        )

    async def _read(
        self, reader: SourceReader, source: PriceSource, *, force: bool
    ) -> SourceReading:
        is_stale = self._catalogue.is_source_stale(source.name, self._ports.clock.now())
        if not source.is_enabled or not (force or is_stale):
            return SourceReading(SourceOutcome(source=source.name, outcome=Phase.SKIPPED))
        known = await self._ports.copies.load(source.name)
        if source.name not in self._catalogue.facts:
            known = None  # it could not be parsed, or is of a source that was off
        return await reader.read(source, known, self._last_good(source))

    def _last_good(self, source: PriceSource) -> tuple[PriceFact, ...]:
        facts = self._catalogue.facts
        is_first = source is self._catalogue.sources[0]
        last = facts.get(source.name) or (facts.get(SEED) if is_first else None)
        return tuple(observed.fact for observed in last.facts) if last else ()

    async def _kept(self, reading: SourceReading) -> SourceReading:
        """Keep an accepted body on disk: what is served must survive a restart."""
        if reading.accepted is None:
            return reading
        source = reading.outcome.source
        try:
            await self._ports.copies.commit(source, reading.accepted.copy)
        except (StorageFullError, OSError) as error:
            logger.warning("last good copy not kept", source=source, problem=str(error))
            failure = SourceFailure(
                FeedCause.STORAGE,
                f"{source} was read, but its copy cannot be kept",
                self._ports.clock.now(),
            )
            return SourceReading(replace(reading.outcome, outcome=Phase.FAILED, failure=failure))
        return reading

    async def _publish(self, readings: Sequence[SourceReading]) -> None:
        accepted = {
            reading.outcome.source: reading.accepted
            for reading in readings
            if reading.accepted is not None
        }
        if not accepted:
            return
        catalogue, now = self._catalogue, self._ports.clock.now()
        facts = dict(catalogue.facts)
        for source, body in accepted.items():
            observed = await self._ports.store.observe(source, body.parsed.facts, now)
            facts[source] = SourceFacts(source, observed, body.parsed.entry_count)
        served = serving_order(facts, catalogue.sources, facts.get(SEED))
        version = await self._ports.store.next_version()
        snapshot = await asyncio.to_thread(
            Snapshot.compile, list(served.values()), version=version, published_time=now
        )
        # No await from here on: readers see all of it or nothing.
        catalogue.facts = served
        catalogue.copies = catalogue.copies | {
            source: ServedCopy(body.copy.etag, body.copy.sha256)
            for source, body in accepted.items()
        }
        catalogue.snapshot = snapshot

    async def _record(self, outcome: SourceOutcome) -> None:
        if outcome.outcome is Phase.SKIPPED:
            return
        state = self._catalogue.state(outcome.source)
        if outcome.failure is None:
            state = state.succeeded(self._ports.clock.now())
        else:
            state = state.failed(outcome.failure)
            logger.warning(
                "source not read",
                source=outcome.source,
                cause=outcome.failure.cause,
                problem=outcome.failure.message,
            )
        self._catalogue.states[outcome.source] = state
        await self._ports.store.record(outcome.source, state)


class RefreshRun:
    """One refresh as it goes on; any number may follow it, each from its beginning."""

    def __init__(self, names: frozenset[str], *, force: bool) -> None:
        self.names = names
        self.force = force
        self._events: list[Event | Exception] = []
        self._grown = asyncio.Event()
        self._ended = asyncio.Event()

    def does(self, names: Collection[str], *, force: bool) -> bool:
        """Whether this refresh does all that is asked."""
        return self.names.issuperset(names) and (self.force or not force)

    def tell(self, event: Event) -> None:
        self._add(event, is_last=isinstance(event, Report))

    def fail(self, error: Exception) -> None:
        self._add(error, is_last=True)

    async def ended(self) -> None:
        """Wait for the end, whatever it is."""
        await self._ended.wait()

    async def events(self) -> AsyncIterator[Event]:
        """Return what happened and what happens, up to and including the report.

        Raises:
            PricingUnavailableError: The process stops.
        """
        seen = 0
        while True:
            while seen < len(self._events):
                event = self._events[seen]
                seen += 1
                if isinstance(event, Exception):
                    raise event
                yield event
                if isinstance(event, Report):
                    return
            await self._grown.wait()

    def _add(self, event: Event | Exception, *, is_last: bool) -> None:
        self._events.append(event)
        self._grown.set()
        self._grown = asyncio.Event()
        if is_last:
            self._ended.set()

    async def report(self) -> Report:
        """Wait for the end of the refresh."""
        async for event in self.events():
            if isinstance(event, Report):
                return event
        raise AssertionError("a refresh ends with a report")


def _ending(outcome: SourceOutcome) -> Progress:
    messages = {
        Phase.PUBLISHED: f"the prices of {outcome.source} are served",
        Phase.NOT_MODIFIED: f"{outcome.source} has not changed",
        Phase.SKIPPED: f"{outcome.source} is fresh or switched off",
    }
    message = outcome.failure.message if outcome.failure else messages[outcome.outcome]
    return Progress(
        source=outcome.source,
        phase=outcome.outcome,
        message=message,
        byte_count=outcome.byte_count,
        total_byte_count=outcome.byte_count,
    )
