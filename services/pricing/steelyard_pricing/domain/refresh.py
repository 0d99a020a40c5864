"""Refreshes: one at a time, sources side by side, one new snapshot or none."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from steelyard_common.clock import Clock
from steelyard_common.errors import (
    OverloadedError,
    PricingUnavailableError,
    RefreshInProgressError,
    SteelyardError,
    StorageFullError,
)
from steelyard_common.feed import FeedCause, FeedCopy
from steelyard_common.leases import Lease
from steelyard_pricing.domain.catalogue import Catalogue, serving_order
from steelyard_pricing.domain.changes import ChangeCounts
from steelyard_pricing.domain.comparison import CURATED, SEED, agree
from steelyard_pricing.domain.gate.held_change import HeldChange, HeldState
from steelyard_pricing.domain.gate.quarantine import (
    TAKEN_BACK,
    Memory,
    Passage,
    Quarantine,
    by_offer,
)
from steelyard_pricing.domain.ports import LeaseKeeper, PriceStore, QuarantineStore
from steelyard_pricing.domain.publication import (
    Cause,
    Commit,
    LeaseLostError,
    SnapshotRecord,
    SupersededError,
)
from steelyard_pricing.domain.publisher import Publisher, observed
from steelyard_pricing.domain.rates import PriceFact
from steelyard_pricing.domain.refresh_events import Phase, Progress, Report, SourceOutcome
from steelyard_pricing.domain.refresh_run import RefreshRun
from steelyard_pricing.domain.snapshot import ObservedFact, SourceFacts
from steelyard_pricing.domain.source import PriceSource, ServedCopy, SourceFailure, SourceState
from steelyard_pricing.domain.source_reading import (
    FeedReader,
    KnownSource,
    SourceReader,
    SourceReading,
)

LEASE = "refresh"
LEASE_DURATION = timedelta(minutes=5)
"""Longer than any refresh: downloads end after 30 seconds."""
PUBLISH_ATTEMPTS = 3

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshPorts:
    """What a refresh needs of the world."""

    feeds: FeedReader
    store: PriceStore
    quarantine: QuarantineStore
    leases: LeaseKeeper
    clock: Clock
    new_id: Callable[[], str]
    """Returns the id of a new held change."""


class Refresher:
    """Reads sources and publishes what they say; one refresh at a time."""

    def __init__(self, catalogue: Catalogue, publisher: Publisher, ports: RefreshPorts) -> None:
        self._catalogue = catalogue
        self._publisher = publisher
        self._ports = ports
        self._task: asyncio.Task[None] | None = None
        self._run_now: RefreshRun | None = None

    async def follow(
        self,
        names: Collection[str],
        *,
        force: bool,
        seen: Mapping[str, datetime | None] | None = None,
    ) -> RefreshRun:
        """Return a refresh of some sources: the one that runs if it does as much, else a new one.

        A new one begins when the one that runs has ended, and goes on when nobody follows it.

        Args:
            names: Of sources; at least one.
            force: Read also what is still fresh. The guards stay.
            seen: See RefreshRun.
        """
        while (running := self._run_now) is not None:
            if running.does(names, force=force):
                return running
            await running.ended()
        self._run_now = run = RefreshRun(frozenset(names), force=force, seen=seen)
        self._catalogue.is_refreshing = True
        self._task = asyncio.create_task(self._run(run), name="refresh")
        return run

    async def stop(self) -> None:
        """Break off a refresh that runs; what is served stays."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self, run: RefreshRun) -> None:
        try:
            report = await self._under_lease(run)
        except asyncio.CancelledError:
            run.fail(PricingUnavailableError())
            raise
        except RefreshInProgressError as error:
            run.fail(error)
            return
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

    async def _under_lease(self, run: RefreshRun) -> Report:
        lease = await self._ports.leases.acquire(LEASE, LEASE_DURATION)
        if lease is None:
            raise RefreshInProgressError("the price catalogue")
        try:
            return await self._refresh(run, lease)
        finally:
            await self._give_back(lease)

    async def _give_back(self, lease: Lease) -> None:
        try:
            await self._ports.leases.release(lease)
        except SteelyardError as error:
            # What was published is, and the lease expires by itself.
            logger.warning("lease not given back", problem=error.message)

    async def _refresh(self, run: RefreshRun, lease: Lease) -> Report:
        started = self._ports.clock.monotonic()
        async with self._publisher.turn:
            await self._publisher.catch_up()
        asked = [source for source in self._catalogue.sources if source.name in run.names]
        reader = SourceReader(self._ports.feeds, self._ports.clock, run.tell)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._read(reader, source, run)) for source in asked]
        readings, record = await self._publish([task.result() for task in tasks], lease)
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
        last_good = self._last_good(source.name)
        known = KnownSource(
            # What is held back must be seen again to be believed.
            copy=None if waiting else self._known_copy(source),
            last_good=tuple(each.fact for each in last_good.values()),
            elapsed=now - (state.last_success_time or now),
            other_sources=self._others(source.name),
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

    def _others(self, source: str) -> frozenset[str]:
        return frozenset(each.name for each in self._catalogue.sources) - {source}

    def _last_good(self, source: str) -> dict[str, ObservedFact]:
        facts = self._catalogue.facts
        is_first = source == self._catalogue.sources[0].name
        last = facts.get(source) or (facts.get(SEED) if is_first else None)
        return {each.fact.offer: each for each in last.facts} if last else {}

    async def _publish(
        self, readings: Sequence[SourceReading], lease: Lease
    ) -> tuple[list[SourceReading], SnapshotRecord | None]:
        for _ in range(PUBLISH_ATTEMPTS):
            async with self._publisher.turn:
                try:
                    return await self._publish_once(readings, lease)
                except LeaseLostError:
                    raise RefreshInProgressError("the price catalogue") from None
                except SupersededError:
                    # A review on another replica: what is last good is another thing now.
                    await self._publisher.catch_up()
        raise OverloadedError

    async def _publish_once(
        self, readings: Sequence[SourceReading], lease: Lease
    ) -> tuple[list[SourceReading], SnapshotRecord | None]:
        now = self._ports.clock.now()
        facts = dict(self._catalogue.facts)
        copies: dict[str, ServedCopy | None] = {}
        held_changes: list[HeldChange] = []
        held_bodies: dict[str, bytes] = {}
        passed: list[SourceReading] = []
        for reading in readings:
            source = reading.outcome.source
            waiting = by_offer(await self._ports.quarantine.waiting(source))
            held_count = 0
            if reading.accepted is not None:
                passage = await self._examined(reading, readings, waiting)
                parsed, copy = reading.accepted.parsed, reading.accepted.copy
                dated = observed(
                    passage.facts, self._last_good(source), now, passage.effective_times
                )
                facts[source] = SourceFacts(source, dated, parsed.entry_count)
                copies[source] = _served_copy(copy, parsed.entry_count)
                held_changes += passage.held_changes
                held_count = passage.waiting_count
                if (whole := waiting.get("")) is not None:
                    held_changes.append(whole.closed(HeldState.WITHDRAWN, now, note=TAKEN_BACK))
            elif reading.suspect is not None and not await self._ports.quarantine.is_refused(
                source, reading.suspect.copy.sha256
            ):
                change = self._held_body(reading, waiting.get(""), now)
                held_changes.append(change)
                held_bodies[change.held_change_id] = reading.suspect.copy.body
                held_count = 1
            passed.append(replace(reading, outcome=replace(reading.outcome, held_count=held_count)))
        served = serving_order(facts, self._catalogue.sources, facts.get(SEED))
        commit = Commit(
            states=self._states(passed, now),
            copies=copies,
            held_changes=held_changes,
            held_bodies=held_bodies,
            lease=lease,
        )
        try:
            record = await self._publisher.publish(served, cause=Cause.REFRESH, commit=commit)
        except StorageFullError:
            return self._not_kept(passed, now), None
        return passed, record

    async def _examined(
        self,
        reading: SourceReading,
        readings: Sequence[SourceReading],
        waiting: Mapping[str, HeldChange],
    ) -> Passage:
        source = reading.outcome.source
        assert reading.accepted is not None  # noqa: S101 - the caller looked
        memory = Memory(
            last_good=self._last_good(source),
            held=waiting,
            refused=await self._ports.quarantine.refused(source),
        )
        quarantine = Quarantine(
            source,
            memory,
            agrees=_Witnesses(self._catalogue, readings, source).agree,
            new_id=self._ports.new_id,
            now=self._ports.clock.now(),
        )
        facts = reading.accepted.parsed.facts
        return await asyncio.to_thread(quarantine.examine, facts, self._others(source))

    def _held_body(
        self, reading: SourceReading, waiting: HeldChange | None, now: datetime
    ) -> HeldChange:
        suspect = reading.suspect
        assert suspect is not None  # noqa: S101 - the caller looked
        new = HeldChange(
            held_change_id=self._ports.new_id(),
            source=reading.outcome.source,
            offer="",
            guard=suspect.guard,
            explanation=suspect.explanation,
            served=None,
            held=None,
            first_seen_time=now,
            last_seen_time=now,
            body_sha256=suspect.copy.sha256,
        )
        if waiting is None:
            return new
        return replace(
            new,
            held_change_id=waiting.held_change_id,
            first_seen_time=waiting.first_seen_time,
            sighting_count=waiting.sighting_count + 1,
        )

    def _states(self, readings: Sequence[SourceReading], now: datetime) -> dict[str, SourceState]:
        states: dict[str, SourceState] = {}
        for reading in readings:
            outcome = reading.outcome
            if outcome.outcome is Phase.SKIPPED:
                continue
            state = self._catalogue.state(outcome.source)
            failure = outcome.failure
            states[outcome.source] = state.failed(failure) if failure else state.succeeded(now)
        return states

    def _not_kept(self, readings: Sequence[SourceReading], now: datetime) -> list[SourceReading]:
        """Return readings as failures: what cannot be kept is not served."""
        failed = [
            reading if reading.accepted is None else _unkept(reading, now) for reading in readings
        ]
        # There is no room to write this down either.
        self._catalogue.states.update(self._states(failed, now))
        return failed

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


class _Witnesses:
    """What the other sources say of the same offers, in this refresh or before."""

    def __init__(
        self, catalogue: Catalogue, readings: Sequence[SourceReading], source: str
    ) -> None:
        said: dict[str, Sequence[PriceFact]] = {
            name: [each.fact for each in facts.facts]
            for name, facts in catalogue.facts.items()
            if name not in {source, SEED, CURATED}
        }
        for reading in readings:
            if reading.accepted is not None and reading.outcome.source != source:
                said[reading.outcome.source] = reading.accepted.parsed.facts
        self._facts: dict[str, list[PriceFact]] = {}
        for facts in said.values():
            for fact in facts:
                self._facts.setdefault(fact.offer, []).append(fact)

    def agree(self, fact: PriceFact) -> bool:
        """Say whether another source has the same price of tokens."""
        return any(agree(fact, other) for other in self._facts.get(fact.offer, ()))


def _served_copy(copy: FeedCopy, entry_count: int) -> ServedCopy:
    return ServedCopy(
        url=copy.url,
        etag=copy.etag,
        last_modified=copy.last_modified,
        sha256=copy.sha256,
        entry_count=entry_count,
        fetched_time=copy.fetched_time,
    )


def _unkept(reading: SourceReading, now: datetime) -> SourceReading:
    source = reading.outcome.source
    message = f"{source} was read, but there is no room to keep it"
    failure = SourceFailure(FeedCause.STORAGE, message, now)
    return SourceReading(replace(reading.outcome, outcome=Phase.FAILED, failure=failure))


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
