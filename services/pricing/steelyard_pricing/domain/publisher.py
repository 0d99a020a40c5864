"""Publishes snapshots: compile, commit, swap. Everything that changes prices goes through here."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from steelyard_common.clock import Clock
from steelyard_pricing.domain.catalogue import Catalogue
from steelyard_pricing.domain.changes import PriceChange, count_changes, price_changes
from steelyard_pricing.domain.comparison import CURATED
from steelyard_pricing.domain.ports import PriceStore
from steelyard_pricing.domain.publication import (
    Cause,
    Commit,
    Publication,
    SnapshotRecord,
    Status,
    Stored,
)
from steelyard_pricing.domain.rates import PriceFact
from steelyard_pricing.domain.snapshot import ObservedFact, Snapshot, SourceFacts

logger = structlog.get_logger(__name__)

Listener = Callable[[Snapshot, datetime], Awaitable[None]]
"""Told of each snapshot that this process begins to serve, and when."""


@dataclass(frozen=True, slots=True)
class _Compiled:
    snapshot: Snapshot
    publication: Publication


class Publisher:
    """The only one that changes what is served.

    Whoever publishes takes `turn` first, and holds it from looking at what is served until the
    new snapshot is.
    """

    def __init__(self, catalogue: Catalogue, store: PriceStore, clock: Clock) -> None:
        self.turn = asyncio.Lock()
        self._catalogue = catalogue
        self._store = store
        self._clock = clock
        self._listeners: list[Listener] = []

    def listen(self, listener: Listener) -> None:
        """Tell `listener` of every snapshot from now on."""
        self._listeners.append(listener)

    async def publish(
        self,
        facts: Mapping[str, SourceFacts],
        *,
        cause: Cause,
        note: str = "",
        commit: Commit | None = None,
    ) -> SnapshotRecord | None:
        """Serve other facts, if they are other ones; None when there was nothing to publish.

        Args:
            facts: What each source contributes, in order of precedence.
            cause: Why.
            note: What a person said about it.
            commit: What else to write in the same transaction.

        Raises:
            SupersededError: Another replica was faster. Nothing has changed; `catch_up` helps.
            StorageFullError: There is no room. Nothing has changed.
        """
        commit = commit or Commit()
        compiled = await asyncio.to_thread(self._compile, facts, cause=cause, note=note)
        publication = compiled.publication if compiled else None
        after_version = self._catalogue.snapshot.version
        waiting_count = await self._store.commit(
            replace(commit, publication=publication, after_version=after_version)
        )
        # No await from here to the swap: readers see all of it or nothing.
        self._note(commit)
        self._catalogue.waiting_count = waiting_count
        if compiled is None:
            return None
        self._catalogue.serve(compiled.snapshot, dict(facts))
        await self._tell(compiled.snapshot)
        return compiled.publication.record

    async def catch_up(self) -> None:
        """Serve what another replica has published, if one has."""
        catalogue = self._catalogue
        status = await self._store.status()
        if status.version == catalogue.snapshot.version:
            self._take_over(status)
            return
        stored = await self._store.load()
        if stored is None:
            return
        facts = stored_facts(stored, [source.name for source in catalogue.sources])
        snapshot = await asyncio.to_thread(compiled_snapshot, facts, stored.record)
        self._take_over(stored.status)
        catalogue.serve(snapshot, facts)
        logger.info("serving the snapshot of another replica", snapshot_version=snapshot.version)
        await self._tell(snapshot)

    def _compile(
        self, facts: Mapping[str, SourceFacts], *, cause: Cause, note: str
    ) -> _Compiled | None:
        opened, closed = _difference(self._catalogue.facts, facts)
        if not (opened or closed):
            return None
        before = self._catalogue.snapshot
        version, now = before.version + 1, self._clock.now()
        snapshot = Snapshot.compile(list(facts.values()), version=version, published_time=now)
        changes: tuple[PriceChange, ...] = price_changes(before, snapshot)
        record = SnapshotRecord(
            version=version,
            published_time=now,
            cause=cause,
            note=note,
            counts=count_changes(changes, snapshot),
        )
        return _Compiled(
            snapshot, Publication(record=record, opened=opened, closed=closed, changes=changes)
        )

    def _take_over(self, status: Status) -> None:
        self._catalogue.states.update(status.states)
        self._catalogue.copies = dict(status.copies)
        self._catalogue.waiting_count = status.waiting_count

    def _note(self, commit: Commit) -> None:
        catalogue = self._catalogue
        catalogue.states.update(commit.states)
        for source, copy in commit.copies.items():
            if copy is None:
                catalogue.copies.pop(source, None)
            else:
                catalogue.copies[source] = copy

    async def _tell(self, snapshot: Snapshot) -> None:
        for listener in self._listeners:
            try:
                await listener(snapshot, self._clock.now())
            except Exception:
                # The snapshot is served, whatever somebody makes of it.
                logger.exception("listener failed", snapshot_version=snapshot.version)


def observed(
    facts: Iterable[PriceFact],
    known: Mapping[str, ObservedFact],
    now: datetime,
    effective_times: Mapping[str, datetime] | None = None,
) -> tuple[ObservedFact, ...]:
    """Date facts: a price that stands keeps its date, another one is dated now.

    Args:
        facts: What a source says.
        known: What is served of it, by offer.
        now: When it was read.
        effective_times: When released changes were first seen.
    """
    first_seen = effective_times or {}
    return tuple(
        _dated(fact, known.get(fact.offer), first_seen.get(fact.offer, now)) for fact in facts
    )


def stored_facts(stored: Stored, order: Iterable[str]) -> dict[str, SourceFacts]:
    """Return the facts of a stored snapshot, sources in order of precedence."""
    names = [name for name in order if name in stored.facts]
    others = (name for name in stored.facts if name not in names)
    names += sorted(others, key=CURATED.__eq__)
    return {
        name: SourceFacts(
            name,
            stored.facts[name],
            _entry_count(stored, name),
        )
        for name in names
    }


def _entry_count(stored: Stored, name: str) -> int:
    copy = stored.status.copies.get(name)
    return copy.entry_count if copy is not None else len(stored.facts[name])


def compiled_snapshot(facts: Mapping[str, SourceFacts], record: SnapshotRecord) -> Snapshot:
    """Return the snapshot that was published as `record`."""
    return Snapshot.compile(
        list(facts.values()), version=record.version, published_time=record.published_time
    )


def _dated(fact: PriceFact, known: ObservedFact | None, now: datetime) -> ObservedFact:
    if known is None or known.fact.source != fact.source or not _is_same_price(known.fact, fact):
        return ObservedFact(fact, now)
    return ObservedFact(fact, known.observed_time, known.effective_time)


def _is_same_price(one: PriceFact, other: PriceFact) -> bool:
    return one.rates == other.rates and one.is_free == other.is_free


def _difference(
    before: Mapping[str, SourceFacts], after: Mapping[str, SourceFacts]
) -> tuple[list[tuple[str, ObservedFact]], list[tuple[str, str]]]:
    """Return facts that are new or different, and those that are replaced or gone."""
    opened: list[tuple[str, ObservedFact]] = []
    closed: list[tuple[str, str]] = []
    for source in dict.fromkeys((*before, *after)):
        old = _by_offer(before.get(source))
        new = _by_offer(after.get(source))
        opened += [(source, fact) for offer, fact in new.items() if old.get(offer) != fact]
        closed += [(source, offer) for offer, fact in old.items() if new.get(offer) != fact]
    return opened, closed


def _by_offer(facts: SourceFacts | None) -> dict[str, ObservedFact]:
    return {} if facts is None else {each.fact.offer: each for each in facts.facts}
