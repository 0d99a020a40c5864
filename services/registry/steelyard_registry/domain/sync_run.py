"""One sync as it goes on, for everybody who follows it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import IntEnum

from steelyard_registry.domain.events import EventKind


class SourceResult(IntEnum):
    """What came of reading a source; numbered as in the contract."""

    READ = 1
    UNCHANGED = 2
    SKIPPED = 3
    FAILED = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceOutcome:
    """How reading one source went."""

    source: str
    result: SourceResult
    message: str
    entry_count: int = 0
    dropped_count: int = 0
    edition_date: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """One step of a sync; a total of 0 means that it is not known."""

    source: str
    message: str
    done_count: int = 0
    total_count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a sync came to."""

    outcomes: tuple[SourceOutcome, ...]
    counts: dict[EventKind, int] = field(default_factory=dict)
    """Offers, or models for scores, by what happened to them."""
    not_found: tuple[str, ...] = ()
    """Names that are joined to no model."""
    skipped_count: int = 0
    duration: timedelta
    version: int

    @property
    def added(self) -> int:
        return self.counts.get(EventKind.ADDED, 0)

    @property
    def updated(self) -> int:
        return self.counts.get(EventKind.UPDATED, 0)

    @property
    def deprecated(self) -> int:
        return self.counts.get(EventKind.DEPRECATED, 0)

    @property
    def restored(self) -> int:
        return self.counts.get(EventKind.RESTORED, 0)

    @property
    def errors(self) -> tuple[str, ...]:
        """Why sources failed."""
        return tuple(
            outcome.message for outcome in self.outcomes if outcome.result is SourceResult.FAILED
        )


Event = Progress | Report


class SyncRun:
    """Any number may follow it, each from its beginning."""

    def __init__(self, names: frozenset[str], *, force: bool) -> None:
        self.names = names
        self.force = force
        self._events: list[Event | Exception] = []
        self._grown = asyncio.Event()
        self._ended = asyncio.Event()

    def does(self, names: frozenset[str], *, force: bool) -> bool:
        """Whether this run does all that is asked."""
        return self.names >= names and (self.force or not force)

    def tell(self, event: Event) -> None:
        """Let followers know; the report is the end."""
        self._add(event, is_last=isinstance(event, Report))

    def fail(self, error: Exception) -> None:
        """End without a report."""
        self._add(error, is_last=True)

    async def ended(self) -> None:
        """Wait for the end, whatever it is."""
        await self._ended.wait()

    async def events(self) -> AsyncIterator[Event]:
        """Return what happened and what happens, up to and including the report.

        Raises:
            SteelyardError: There will be no report.
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

    async def report(self) -> Report:
        """Wait for the report."""
        async for event in self.events():
            if isinstance(event, Report):
                return event
        raise AssertionError("a sync ends with a report")

    def _add(self, event: Event | Exception, *, is_last: bool) -> None:
        self._events.append(event)
        grown, self._grown = self._grown, asyncio.Event()
        grown.set()
        if is_last:
            self._ended.set()
