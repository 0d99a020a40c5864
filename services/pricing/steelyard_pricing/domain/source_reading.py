"""Reads one source: download, parse, check. Nothing is published here."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from steelyard_common.clock import Clock
from steelyard_common.feed import DownloadProgress, FeedCopy, FeedError, FeedReader, NotModified
from steelyard_pricing.domain.gate.catalogue import CatalogueHeldError, check
from steelyard_pricing.domain.rates import ParsedSource, PriceFact
from steelyard_pricing.domain.refresh_events import Phase, Progress, SourceOutcome
from steelyard_pricing.domain.refusal import SourceRefusedError
from steelyard_pricing.domain.source import PriceSource, SourceFailure

FIRST_STEP_BYTES = 64 * 1024
DOWNLOAD_STEPS = 16
"""At most so many events tell of a download whose size is announced."""


@dataclass(frozen=True, slots=True)
class AcceptedBody:
    """A body that passed every check, with its facts."""

    copy: FeedCopy
    parsed: ParsedSource


@dataclass(frozen=True, slots=True)
class SuspectBody:
    """A body that looks wrong as a whole: it is kept for somebody to look at."""

    copy: FeedCopy
    guard: str
    explanation: str


@dataclass(frozen=True, slots=True)
class SourceReading:
    """How reading one source ended, and what it brought."""

    outcome: SourceOutcome
    accepted: AcceptedBody | None = None
    suspect: SuspectBody | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownSource:
    """What a new body of a source is compared with."""

    copy: FeedCopy | None
    """The last good one, for a conditional request; its body is not needed."""
    last_good: tuple[PriceFact, ...]
    elapsed: timedelta
    """Time since the source was last read with success."""
    other_sources: frozenset[str]


class SourceReader:
    """Reads sources one at a time or side by side."""

    def __init__(self, feeds: FeedReader, clock: Clock, tell: Callable[[Progress], None]) -> None:
        self._feeds = feeds
        self._clock = clock
        self._tell = tell

    async def read(self, source: PriceSource, known: KnownSource) -> SourceReading:
        """Read a source; whatever goes wrong is part of the outcome."""
        started = self._clock.monotonic()
        try:
            reading = await self._read(source, known)
        except FeedError as error:
            reading = self._failed(source, Phase.FAILED, str(error.cause), str(error))
        except SourceRefusedError as error:
            message = f"{source.name} is refused: {error}"
            reading = self._failed(source, Phase.REJECTED, error.cause, message)
        duration = timedelta(seconds=self._clock.monotonic() - started)
        return replace(reading, outcome=replace(reading.outcome, duration=duration))

    async def _read(self, source: PriceSource, known: KnownSource) -> SourceReading:
        self._say(source, Phase.DOWNLOADING, f"reading {source.name}")
        last = known.copy
        copy = await self._feeds.fetch(source.feed, last, progress=self._download_steps(source))
        if isinstance(copy, NotModified) or (last is not None and copy.sha256 == last.sha256):
            return SourceReading(SourceOutcome(source=source.name, outcome=Phase.NOT_MODIFIED))
        size = len(copy.body)
        self._say(source, Phase.PARSING, f"{source.name} has {size:,} bytes", size, size)
        # Seconds of pure computation: the event loop goes on serving.
        parsed = await asyncio.to_thread(source.parse, copy.body)
        found = f"{source.name} names {len(parsed.facts):,} offers"
        self._say(source, Phase.CHECKING, found, size, size)
        try:
            await asyncio.to_thread(
                check,
                parsed.facts,
                known.last_good,
                elapsed=known.elapsed,
                other_sources=known.other_sources,
            )
        except CatalogueHeldError as error:
            message = f"{source.name} is held back: {error}"
            reading = self._failed(source, Phase.REJECTED, error.cause, message)
            return replace(reading, suspect=SuspectBody(copy, error.cause, str(error)))
        outcome = SourceOutcome(
            source=source.name,
            outcome=Phase.PUBLISHED,
            fetched_count=len(parsed.facts),
            dropped_count=parsed.dropped_count,
            byte_count=size,
        )
        return SourceReading(outcome, AcceptedBody(copy, parsed))

    def _download_steps(self, source: PriceSource) -> DownloadProgress:
        """Return what tells a few of a download's many steps, and none twice when it is retried.

        Without an announced size, each tells of twice as much as the one before.
        """
        next_told = FIRST_STEP_BYTES

        def tell(received: int, total: int | None) -> None:
            nonlocal next_told
            if received < next_told:
                return
            next_told = received + (received if total is None else total // DOWNLOAD_STEPS + 1)
            announced = "" if total is None else f" of {total:,}"
            message = f"{received:,}{announced} bytes of {source.name} are here"
            self._say(source, Phase.DOWNLOADING, message, received, total or 0)

        return tell

    def _failed(self, source: PriceSource, phase: Phase, cause: str, message: str) -> SourceReading:
        failure = SourceFailure(cause, message, self._clock.now())
        return SourceReading(SourceOutcome(source=source.name, outcome=phase, failure=failure))

    def _say(
        self, source: PriceSource, phase: Phase, message: str, size: int = 0, total: int = 0
    ) -> None:
        self._tell(
            Progress(
                source=source.name,
                phase=phase,
                message=message,
                byte_count=size,
                total_byte_count=total,
            )
        )
