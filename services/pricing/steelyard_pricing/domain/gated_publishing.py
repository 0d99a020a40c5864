"""Takes what sources said through the gate, and publishes what comes out with what is held."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from steelyard_common.errors import OverloadedError, RefreshInProgressError, StorageFullError
from steelyard_common.feed import FeedCause, FeedCopy
from steelyard_common.leases import Lease
from steelyard_pricing.domain.catalogue import Catalogue, serving_order
from steelyard_pricing.domain.comparison import SEED
from steelyard_pricing.domain.gate.held_change import HeldChange, HeldState
from steelyard_pricing.domain.gate.quarantine import TAKEN_BACK, by_offer
from steelyard_pricing.domain.price_ports import PricePorts
from steelyard_pricing.domain.publication import (
    Cause,
    Commit,
    LeaseLostError,
    SnapshotRecord,
    SupersededError,
)
from steelyard_pricing.domain.publisher import Publisher
from steelyard_pricing.domain.rates import PriceFact
from steelyard_pricing.domain.refresh_events import Phase
from steelyard_pricing.domain.snapshot import SourceFacts
from steelyard_pricing.domain.source import ServedCopy, SourceFailure, SourceState
from steelyard_pricing.domain.source_reading import SourceReading, SuspectBody

PUBLISH_ATTEMPTS = 3
MAX_HEADER = 256


@dataclass(slots=True)
class _Outcome:
    """What the readings of one refresh lead to, as far as they were looked at."""

    facts: dict[str, SourceFacts]
    copies: dict[str, ServedCopy | None] = field(default_factory=dict)
    held_changes: list[HeldChange] = field(default_factory=list)
    held_bodies: dict[str, bytes] = field(default_factory=dict)
    readings: list[SourceReading] = field(default_factory=list)


class GatedPublisher:
    """Publishes the readings of one refresh together."""

    def __init__(
        self,
        catalogue: Catalogue,
        publisher: Publisher,
        ports: PricePorts,
    ) -> None:
        self._catalogue = catalogue
        self._publisher = publisher
        self._ports = ports

    async def publish(
        self, readings: Sequence[SourceReading], lease: Lease
    ) -> tuple[list[SourceReading], SnapshotRecord | None]:
        """Publish what passes; return the readings with what is held, and the snapshot if any.

        Raises:
            RefreshInProgressError: The lease is lost: another replica refreshes.
            OverloadedError: Others publish all the time.
        """
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
        outcome = _Outcome(facts=dict(self._catalogue.facts))
        said = {
            reading.outcome.source: reading.accepted.parsed.facts
            for reading in readings
            if reading.accepted is not None
        }
        for reading in readings:
            held_count = await self._pass(reading, said, outcome)
            judged = replace(reading.outcome, held_count=held_count)
            outcome.readings.append(replace(reading, outcome=judged))
        facts = outcome.facts
        served = serving_order(facts, self._catalogue.sources, facts.get(SEED))
        now = self._ports.clock.now()
        commit = Commit(
            states=self._states(outcome.readings, now),
            copies=outcome.copies,
            held_changes=outcome.held_changes,
            held_bodies=outcome.held_bodies,
            lease=lease,
        )
        try:
            record = await self._publisher.publish(served, cause=Cause.REFRESH, commit=commit)
        except StorageFullError:
            return self._not_kept(outcome.readings, now), None
        return outcome.readings, record

    async def _pass(
        self,
        reading: SourceReading,
        said: Mapping[str, Sequence[PriceFact]],
        outcome: "_Outcome",
    ) -> int:
        """Add what a reading leads to; return how many of its changes are held."""
        source = reading.outcome.source
        waiting = by_offer(await self._ports.quarantine.waiting(source))
        whole = waiting.get("")
        if reading.accepted is not None:
            parsed, copy = reading.accepted.parsed, reading.accepted.copy
            examined = await self._ports.gatekeeper.examine(source, parsed, waiting, said)
            outcome.facts[source] = examined.facts
            outcome.copies[source] = _served_copy(copy, parsed.entry_count)
            outcome.held_changes += examined.passage.held_changes
            if whole is not None:
                outcome.held_changes.append(self._withdrawn(whole))
            return examined.passage.waiting_count
        suspect = reading.suspect
        if suspect is None or await self._ports.quarantine.is_refused(source, suspect.copy.sha256):
            return 0
        if whole is not None and whole.body_sha256 != suspect.copy.sha256:
            # Another body is another change: nobody approves what was not looked at.
            outcome.held_changes.append(self._withdrawn(whole))
            whole = None
        change = self._held_body(source, suspect, whole)
        outcome.held_changes.append(change)
        if whole is None:
            outcome.held_bodies[change.held_change_id] = suspect.copy.body
        return 1

    def _withdrawn(self, change: HeldChange) -> HeldChange:
        return change.closed(HeldState.WITHDRAWN, self._ports.clock.now(), note=TAKEN_BACK)

    def _held_body(
        self, source: str, suspect: SuspectBody, waiting: HeldChange | None
    ) -> HeldChange:
        now = self._ports.clock.now()
        if waiting is not None:
            return waiting.seen_again(now)
        return HeldChange(
            held_change_id=self._ports.new_id(),
            source=source,
            offer="",
            guard=suspect.guard,
            explanation=suspect.explanation,
            served=None,
            held=None,
            first_seen_time=now,
            last_seen_time=now,
            body_sha256=suspect.copy.sha256,
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


def _served_copy(copy: FeedCopy, entry_count: int) -> ServedCopy:
    return ServedCopy(
        url=copy.url,
        etag=_short(copy.etag),
        last_modified=_short(copy.last_modified),
        sha256=copy.sha256,
        entry_count=entry_count,
        fetched_time=copy.fetched_time,
    )


def _unkept(reading: SourceReading, now: datetime) -> SourceReading:
    source = reading.outcome.source
    message = f"{source} was read, but there is no room to keep it"
    failure = SourceFailure(FeedCause.STORAGE, message, now)
    return SourceReading(replace(reading.outcome, outcome=Phase.FAILED, failure=failure))


def _short(header: str | None) -> str | None:
    """Return what a publisher sent to be sent back, unless it is too long to keep."""
    return header if header is not None and len(header) <= MAX_HEADER else None
