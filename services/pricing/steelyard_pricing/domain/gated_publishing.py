"""Takes what sources said through the gate, and publishes what comes out with what is held."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from steelyard_common.errors import OverloadedError, RefreshInProgressError, StorageFullError
from steelyard_common.feed import FeedCause, FeedCopy
from steelyard_common.leases import Lease
from steelyard_pricing.domain.catalogue import Catalogue, serving_order
from steelyard_pricing.domain.comparison import CURATED, SEED, agree
from steelyard_pricing.domain.gate.held_change import HeldChange, HeldState
from steelyard_pricing.domain.gate.quarantine import (
    TAKEN_BACK,
    Memory,
    Passage,
    Quarantine,
    by_offer,
)
from steelyard_pricing.domain.publication import (
    Cause,
    Commit,
    LeaseLostError,
    SnapshotRecord,
    SupersededError,
)
from steelyard_pricing.domain.publisher import Publisher, observed
from steelyard_pricing.domain.rates import PriceFact
from steelyard_pricing.domain.refresh_events import Phase
from steelyard_pricing.domain.refresh_ports import RefreshPorts
from steelyard_pricing.domain.snapshot import SourceFacts
from steelyard_pricing.domain.source import ServedCopy, SourceFailure, SourceState
from steelyard_pricing.domain.source_reading import SourceReading

PUBLISH_ATTEMPTS = 3


class GatedPublisher:
    """Publishes the readings of one refresh together."""

    def __init__(self, catalogue: Catalogue, publisher: Publisher, ports: RefreshPorts) -> None:
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
                    passage.facts, self._catalogue.last_good(source), now, passage.effective_times
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
            last_good=self._catalogue.last_good(source),
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
        return await asyncio.to_thread(
            quarantine.examine, facts, self._catalogue.other_sources(source)
        )

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
