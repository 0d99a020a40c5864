"""Refreshes: one at a time, sources side by side, one new snapshot or none."""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta

import structlog

from steelyard_common.errors import PricingUnavailableError
from steelyard_common.feed import FeedCopy
from steelyard_common.leased_job import Job, LeasedJob
from steelyard_common.leases import Lease
from steelyard_pricing.domain.catalogue import Catalogue
from steelyard_pricing.domain.changes import ChangeCounts
from steelyard_pricing.domain.gated_publishing import GatedPublisher
from steelyard_pricing.domain.price_ports import PricePorts
from steelyard_pricing.domain.publisher import Publisher
from steelyard_pricing.domain.refresh_events import Phase, Progress, Report, SourceOutcome
from steelyard_pricing.domain.refresh_run import RefreshRun
from steelyard_pricing.domain.snapshot import ObservedFact
from steelyard_pricing.domain.source import PriceSource
from steelyard_pricing.domain.source_reading import (
    KnownSource,
    SourceReader,
    SourceReading,
)

LEASE = "refresh"
LEASE_DURATION = timedelta(seconds=60)
"""Longer than a refresh: downloads end after 30 seconds. A killed one blocks the next so long."""
PUBLISH_ATTEMPTS = 3

logger = structlog.get_logger(__name__)


class Refresher:
    """Reads sources and publishes what they say; one refresh at a time."""

    def __init__(
        self,
        catalogue: Catalogue,
        publisher: Publisher,
        ports: PricePorts,
    ) -> None:
        self._catalogue = catalogue
        self._publisher = publisher
        self._ports = ports
        self._gate = GatedPublisher(catalogue, publisher, ports)
        self._job = LeasedJob(
            Job(
                name=LEASE,
                subject="the price catalogue",
                lease_duration=LEASE_DURATION,
                work=self._work,
                when_stopped=PricingUnavailableError,
            ),
            ports.leases,
        )

    async def follow(
        self,
        names: Collection[str],
        *,
        force: bool,
        seen: Mapping[str, datetime | None] | None = None,
    ) -> RefreshRun:
        """Return a refresh of some sources: the one that runs if it does as much, else a new one.

        Args:
            names: Of sources; at least one.
            force: Read also what is still fresh. The guards stay.
            seen: See RefreshRun.
        """
        return await self._job.follow(RefreshRun(names, force=force, seen=seen))

    async def stop(self) -> None:
        """Break off a refresh that runs; what is served stays."""
        await self._job.stop()

    async def _work(self, run: RefreshRun, lease: Lease) -> Report:
        self._catalogue.is_refreshing = True
        try:
            report = await self._refresh(run, lease)
        finally:
            self._catalogue.is_refreshing = False
        logger.info(
            "refreshed",
            snapshot_version=report.snapshot_version,
            model_count=report.model_count,
            sources={outcome.source: outcome.outcome.name.lower() for outcome in report.outcomes},
        )
        return report

    async def _refresh(self, run: RefreshRun, lease: Lease) -> Report:
        started = self._ports.clock.monotonic()
        async with self._publisher.turn:
            await self._publisher.catch_up()
        asked = [source for source in self._catalogue.sources if source.name in run.names]
        reader = SourceReader(self._ports.feeds, self._ports.clock, run.tell)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._read(reader, source, run)) for source in asked]
        readings, record = await self._gate.publish([task.result() for task in tasks], lease)
        for reading in readings:
            self._log(reading.outcome)
            run.tell(_ending(reading.outcome))
        after = self._catalogue.snapshot
        unchanged = ChangeCounts(0, 0, 0, len(after.listings))
        return Report(
            model_count=len(after.listings),
            changes=record.counts if record else unchanged,
            duration=timedelta(seconds=self._ports.clock.monotonic() - started),
            outcomes=tuple(reading.outcome for reading in readings),
            snapshot_version=after.version,
        )

    async def _read(
        self, reader: SourceReader, source: PriceSource, run: RefreshRun
    ) -> SourceReading:
        state, now = self._catalogue.state(source.name), self._ports.clock.now()
        is_stale = self._catalogue.is_source_stale(source.name, now)
        was_read = source.name in run.seen and run.seen[source.name] != state.last_attempt_time
        if not source.is_enabled or was_read or not (run.force or is_stale):
            return SourceReading(SourceOutcome(source=source.name, outcome=Phase.SKIPPED))
        waiting = await self._ports.quarantine.waiting(source.name)
        last_good = await self._ports.gatekeeper.last_good(source.name)
        known = KnownSource(
            # What is held back must be seen again to be believed.
            copy=None if waiting else self._known_copy(source),
            last_good=tuple(each.fact for each in last_good.values()),
            elapsed=now - (state.last_success_time or _newest(last_good.values()) or now),
            other_sources=self._catalogue.other_sources(source.name),
        )
        return await reader.read(source, known)

    def _known_copy(self, source: PriceSource) -> FeedCopy | None:
        copy = self._catalogue.copies.get(source.name)
        if copy is None or copy.fetched_time is None or source.name not in self._catalogue.facts:
            return None
        return FeedCopy(
            url=copy.url,
            body=b"",
            sha256=copy.sha256,
            etag=copy.etag,
            last_modified=copy.last_modified,
            fetched_time=copy.fetched_time,
            checked_time=copy.fetched_time,
        )

    def _log(self, outcome: SourceOutcome) -> None:
        if outcome.failure is not None:
            logger.warning(
                "source not read",
                source=outcome.source,
                cause=outcome.failure.cause,
                problem=outcome.failure.message,
            )
        if outcome.held_count:
            logger.warning(
                "price changes held back", source=outcome.source, count=outcome.held_count
            )


def _newest(facts: Iterable[ObservedFact]) -> datetime | None:
    """Return when the newest of facts was first seen: its source was read then at the latest."""
    return max((each.observed_time for each in facts), default=None)


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
