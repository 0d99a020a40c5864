"""Syncs: one at a time, sources side by side, one new catalogue or none."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog

from steelyard_common.clock import Clock
from steelyard_common.errors import RefreshInProgressError, RegistryUnavailableError
from steelyard_common.feed import FeedReader
from steelyard_common.leased_job import Job, LeasedJob
from steelyard_common.leases import Lease, LeaseKeeper
from steelyard_registry.domain.events import EventKind
from steelyard_registry.domain.freshness import Freshness
from steelyard_registry.domain.models import Model
from steelyard_registry.domain.ports import LeaseLostError
from steelyard_registry.domain.publisher import Published, Publisher
from steelyard_registry.domain.quality.scores import Basis
from steelyard_registry.domain.source_reading import Reading, SourceReader
from steelyard_registry.domain.state import RegistryState
from steelyard_registry.domain.stewardship import Change
from steelyard_registry.domain.sync_run import (
    Progress,
    Report,
    SourceOutcome,
    SourceResult,
    SyncRun,
)
from steelyard_registry.domain.sync_source import OfferSource, SyncSource

SUBJECT = "the model catalogue"
LEASE_DURATION = timedelta(seconds=60)
"""Longer than a sync: downloads end after 30 seconds. A killed one blocks the next so long."""

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncPorts:
    """What a sync touches."""

    feeds: FeedReader
    leases: LeaseKeeper
    clock: Clock


class Syncer:
    """Reads sources of one kind and publishes what they say; one sync at a time."""

    def __init__(
        self,
        kind: str,
        sources: Iterable[SyncSource[Any]],
        publisher: Publisher,
        freshness: Freshness,
        ports: SyncPorts,
    ) -> None:
        """Take what is read.

        Args:
            kind: `models` or `quality`; names the lease.
            sources: Those that are switched on.
            publisher: Keeps and serves what they say.
            freshness: Which of them are read again without force.
            ports: The outside.
        """
        self.sources = {source.name: source for source in sources}
        self._kind = kind
        self._publisher = publisher
        self._freshness = freshness
        self._ports = ports
        self._job = LeasedJob(
            Job(
                name=kind,
                subject=SUBJECT,
                lease_duration=LEASE_DURATION,
                work=self._sync,
                when_stopped=RegistryUnavailableError,
            ),
            ports.leases,
        )

    async def follow(self, names: Iterable[str], *, force: bool) -> SyncRun:
        """Return a sync of some sources: the one that runs if it does as much, else a new one."""
        return await self._job.follow(SyncRun(frozenset(names), force=force))

    async def stop(self) -> None:
        """Break off a sync that runs; what is served stays."""
        await self._job.stop()

    async def _sync(self, run: SyncRun, lease: Lease) -> Report:
        clock = self._ports.clock
        started = clock.monotonic()
        await self._publisher.catch_up()
        state = self._publisher.state
        due = [
            self.sources[name]
            for name in sorted(run.names & self.sources.keys())
            if self._is_due(name, state, run)
        ]
        reader = SourceReader(self._ports.feeds, clock, run.tell)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(reader.read(source, state)) for source in due]
        readings = [task.result() for task in tasks]
        run.tell(Progress(source="", message="joining what was read"))
        try:
            published = await self._publisher.publish(_applied(readings), lease=lease)
        except LeaseLostError as error:
            raise RefreshInProgressError(SUBJECT) from error
        skipped = [
            _skipped(name, is_on=name in self.sources)
            for name in sorted(run.names - {each.name for each in due})
        ]
        outcomes = tuple(reading.outcome for reading in readings)
        for outcome in outcomes:
            self._log(outcome)
        report = Report(
            outcomes=(*outcomes, *skipped),
            counts=self._counts(published),
            not_found=_not_found(published, run.names),
            skipped_count=sum(outcome.dropped_count for outcome in outcomes),
            duration=timedelta(seconds=clock.monotonic() - started),
            version=published.after.edition.version,
        )
        logger.info(
            "synced",
            kind=self._kind,
            version=report.version,
            sources={each.source: each.result.name.lower() for each in report.outcomes},
        )
        return report

    def _is_due(self, name: str, state: RegistryState, run: SyncRun) -> bool:
        now = self._ports.clock.now()
        return run.force or self._freshness.is_source_stale(name, state.source(name), now)

    def _counts(self, published: Published) -> dict[EventKind, int]:
        if all(isinstance(source, OfferSource) for source in self.sources.values()):
            return dict(Counter(event.kind for event in published.events))
        return quality_counts(published.before.edition.models, published.after.edition.models)

    def _log(self, outcome: SourceOutcome) -> None:
        if outcome.result is SourceResult.FAILED:
            logger.warning("source not read", source=outcome.source, problem=outcome.message)
        elif outcome.dropped_count:
            logger.info("entries left out", source=outcome.source, count=outcome.dropped_count)


def quality_counts(before: Mapping[str, Model], after: Mapping[str, Model]) -> dict[EventKind, int]:
    """Return how many models were measured for the first time, and how many scores changed."""
    counts: Counter[EventKind] = Counter()
    for name, model in after.items():
        known = before.get(name)
        if known is model or known is None or known.quality == model.quality:
            continue
        kind = EventKind.UPDATED
        if _is_measured(model) and not _is_measured(known):
            kind = EventKind.ADDED
        counts[kind] += 1
    return dict(counts)


def _is_measured(model: Model) -> bool:
    return model.quality is not None and model.quality.basis is Basis.MEASURED


def _applied(readings: Sequence[Reading]) -> Change:
    def change(state: RegistryState) -> RegistryState:
        for reading in readings:
            state = reading.apply(state)
        return state

    return change


def _skipped(name: str, *, is_on: bool) -> SourceOutcome:
    return SourceOutcome(
        source=name,
        result=SourceResult.SKIPPED,
        message=f"{name} is {'fresh' if is_on else 'switched off'}",
    )


def _not_found(published: Published, names: frozenset[str]) -> tuple[str, ...]:
    return tuple(each.source_model for each in published.after.unjoined if each.source in names)
