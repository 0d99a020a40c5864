"""Reads one source: download, parse, check. Nothing is published here."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import structlog

from steelyard_catalog.json_text import CatalogueFormatError
from steelyard_common.clock import Clock
from steelyard_common.feed import FeedCopy, FeedError, FeedReader, NotModified
from steelyard_registry.domain.feeds import DoubtedError
from steelyard_registry.domain.state import READER, RegistryState, SourceState
from steelyard_registry.domain.sync_run import Progress, SourceOutcome, SourceResult
from steelyard_registry.domain.sync_source import SyncSource, doubted, is_believed

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Reading:
    """How reading one source ended, and what it makes of the state."""

    outcome: SourceOutcome
    apply: Callable[[RegistryState], RegistryState]


class SourceReader:
    """Reads sources side by side; whatever goes wrong is part of the outcome."""

    def __init__(self, feeds: FeedReader, clock: Clock, tell: Callable[[Progress], None]) -> None:
        self._feeds = feeds
        self._clock = clock
        self._tell = tell

    async def read(self, source: SyncSource[Any], state: RegistryState) -> Reading:
        """Read a source as it is after a state."""
        try:
            return await self._read(source, state)
        except FeedError as error:
            return self._failed(source, str(error))
        except CatalogueFormatError as error:
            return self._failed(source, f"{source.name} {error}")
        except Exception:
            # A bug in the reading of one source keeps no other one out.
            logger.exception("source not read", source=source.name)
            return self._failed(source, f"{source.name} could not be read")

    async def _read(self, source: SyncSource[Any], state: RegistryState) -> Reading:
        self._say(source, f"reading {source.name}")
        known = state.source(source.name)
        copy = await self._feeds.fetch(source.feed, _copy(known, source, state))
        now = self._clock.now()
        if isinstance(copy, NotModified):
            return self._unchanged(source, known)
        if _has(known, copy, source, state):
            return self._unchanged(source, _read_state(known, copy))
        self._say(source, f"{source.name} has {len(copy.body):,} bytes")
        # Seconds of pure computation: the event loop goes on serving.
        parsed = await asyncio.to_thread(source.parse, copy)
        described = source.describe(parsed, _read_state(known, copy))
        count = described.entry_count
        if not is_believed(known, count, now):
            try:
                await asyncio.to_thread(source.check, parsed, state)
            except DoubtedError as error:
                return self._failed(source, f"{source.name} {error}", doubted_entries=count)
        self._say(source, f"{source.name} names {count:,} entries", count)

        def apply(current: RegistryState) -> RegistryState:
            return _with_state(source.take(current, parsed, now), source.name, described)

        outcome = SourceOutcome(
            source=source.name,
            result=SourceResult.READ,
            message=f"{source.name} is taken over",
            entry_count=count,
            dropped_count=source.dropped_count(parsed),
            edition_date=described.edition_date,
        )
        return Reading(outcome, apply)

    def _unchanged(self, source: SyncSource[Any], known: SourceState) -> Reading:
        now = self._clock.now()

        def apply(current: RegistryState) -> RegistryState:
            confirmed = replace(
                known,
                checked_time=now,
                attempt_time=now,
                failures=0,
                problem="",
                doubted_count=0,
                doubted_since=None,
                doubted_entries=0,
            )
            return _with_state(source.confirm(current, now), source.name, confirmed)

        outcome = SourceOutcome(
            source=source.name,
            result=SourceResult.UNCHANGED,
            message=f"{source.name} has not changed",
            entry_count=known.entry_count,
            edition_date=known.edition_date,
        )
        return Reading(outcome, apply)

    def _failed(
        self, source: SyncSource[Any], problem: str, *, doubted_entries: int | None = None
    ) -> Reading:
        now = self._clock.now()

        def apply(current: RegistryState) -> RegistryState:
            before = current.source(source.name)
            failed = replace(
                before, attempt_time=now, failures=before.failures + 1, problem=problem
            )
            if doubted_entries is not None:
                failed = doubted(failed, doubted_entries, now)
            return _with_state(current, source.name, failed)

        outcome = SourceOutcome(source=source.name, result=SourceResult.FAILED, message=problem)
        return Reading(outcome, apply)

    def _say(self, source: SyncSource[Any], message: str, total: int = 0) -> None:
        self._tell(
            Progress(source=source.name, message=message, done_count=total, total_count=total)
        )


def _has_facts(source: SyncSource[Any], state: RegistryState) -> bool:
    """Whether what is kept of a source is what this program would make of its body."""
    is_kept = source.name in state.records or source.name in state.editions
    return is_kept and state.source(source.name).reader == READER


def _copy(known: SourceState, source: SyncSource[Any], state: RegistryState) -> FeedCopy | None:
    """Return what a conditional request is made with; the body is not needed."""
    if known.fetched_time is None or not _has_facts(source, state):
        return None
    return FeedCopy(
        url=known.url,
        body=b"",
        sha256=known.sha256,
        etag=known.etag,
        last_modified=known.last_modified,
        fetched_time=known.fetched_time,
        checked_time=known.checked_time or known.fetched_time,
    )


def _has(known: SourceState, copy: FeedCopy, source: SyncSource[Any], state: RegistryState) -> bool:
    return known.sha256 == copy.sha256 and _has_facts(source, state)


def _read_state(known: SourceState, copy: FeedCopy) -> SourceState:
    return replace(
        known,
        url=copy.url,
        etag=copy.etag,
        last_modified=copy.last_modified,
        sha256=copy.sha256,
        fetched_time=copy.fetched_time,
        checked_time=copy.checked_time,
        attempt_time=copy.checked_time,
        failures=0,
        problem="",
        doubted_count=0,
        doubted_since=None,
        doubted_entries=0,
        reader=READER,
    )


def _with_state(current: RegistryState, name: str, state: SourceState) -> RegistryState:
    return replace(current, sources={**current.sources, name: state})
