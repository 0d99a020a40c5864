"""Lets the facts of a body through one by one; what looks wrong waits and the last good stays."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from steelyard_pricing.domain.gate.catalogue import vanished_providers
from steelyard_pricing.domain.gate.entry import examine
from steelyard_pricing.domain.gate.finding import Finding
from steelyard_pricing.domain.gate.held_change import HeldChange, HeldState, Price, price_of
from steelyard_pricing.domain.rates import PriceFact
from steelyard_pricing.domain.snapshot import ObservedFact

TWO_SOURCES = "rule: another source says the same"
REPEATED = "rule: the same in three readings over a day"
TAKEN_BACK = "rule: the source says something else"


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What is known of a source when a body of it is examined."""

    last_good: Mapping[str, ObservedFact]
    """What is served of it, by offer."""
    held: Mapping[str, HeldChange] = field(default_factory=dict)
    """Changes that wait, by offer."""
    refused: Mapping[str, Collection[Price]] = field(default_factory=dict)
    """Prices that a person has refused, by offer; None among them stands for being gone."""


@dataclass(slots=True)
class Passage:
    """What comes through, and what becomes of the held changes."""

    facts: list[PriceFact] = field(default_factory=list)
    effective_times: dict[str, datetime] = field(default_factory=dict)
    """Of released changes: they apply from when they were first seen."""
    held_changes: list[HeldChange] = field(default_factory=list)
    """New ones, and old ones in their new state."""

    @property
    def waiting_count(self) -> int:
        return sum(change.state is HeldState.HELD for change in self.held_changes)


class Quarantine:
    """Examines one body of one source."""

    def __init__(
        self,
        source: str,
        memory: Memory,
        *,
        agrees: Callable[[PriceFact, PriceFact | None], bool],
        new_id: Callable[[], str],
        now: datetime,
    ) -> None:
        """Take what the examination needs to know.

        Args:
            source: Whose body it is.
            memory: What is known of the source.
            agrees: Says whether another source confirms a fact, given the last good one.
            new_id: Returns the id of a new held change.
            now: When the body was read.
        """
        self._source = source
        self._memory = memory
        self._agrees = agrees
        self._new_id = new_id
        self._now = now
        self._passage = Passage()
        self._sighted_again: set[str] = set()
        """Ids of changes that this body brings once more; the others are taken back."""

    def examine(self, facts: Sequence[PriceFact], other_sources: Collection[str]) -> Passage:
        """Return what may be served, and what is held.

        Args:
            facts: Everything that the body says.
            other_sources: Names of the other sources.
        """
        for fact in facts:
            self._pass(fact)
        named = {fact.offer for fact in facts}
        self._keep_vanished(facts, named, other_sources)
        for change in self._memory.held.values():
            if not change.is_whole_body and change.held_change_id not in self._sighted_again:
                self._withdraw(change)
        return self._passage

    def _pass(self, fact: PriceFact) -> None:
        known = self._memory.last_good.get(fact.offer)
        waiting = self._memory.held.get(fact.offer)
        refused = self._memory.refused.get(fact.offer, ())
        if price_of(fact) in refused:
            if known is not None or None not in refused:
                self._keep(fact, known)
            return
        finding = examine(fact, known.fact if known else None)
        is_same = waiting is not None and waiting.price == price_of(fact)
        if finding is None:
            self._passage.facts.append(fact)
            return
        change = self._sighted(fact.offer, fact, known, finding, waiting if is_same else None)
        note = self._release_note(fact, known, change)
        if not note:
            self._passage.held_changes.append(change)
            self._keep(fact, known)
            return
        self._passage.held_changes.append(change.closed(HeldState.RELEASED, self._now, note=note))
        self._passage.facts.append(fact)
        self._passage.effective_times[fact.offer] = change.first_seen_time

    def _release_note(self, fact: PriceFact, known: ObservedFact | None, change: HeldChange) -> str:
        if self._agrees(fact, known.fact if known else None):
            return TWO_SOURCES
        return REPEATED if change.is_confirmed_by_time else ""

    def _keep(self, fact: PriceFact, known: ObservedFact | None) -> None:
        """Serve the last good price; an offer that has none is listed without a price."""
        kept = known.fact if known else replace(fact, rates=(), is_free=False)
        self._passage.facts.append(kept)

    def _keep_vanished(
        self, facts: Sequence[PriceFact], named: Collection[str], other_sources: Collection[str]
    ) -> None:
        last_good = [known.fact for known in self._memory.last_good.values()]
        vanished = set(vanished_providers(facts, last_good, other_sources))
        for offer, known in self._memory.last_good.items():
            if offer in named:
                continue
            if None in self._memory.refused.get(offer, ()):
                self._passage.facts.append(known.fact)
            elif known.fact.name.provider in vanished:
                self._hold_removal(offer, known)

    def _hold_removal(self, offer: str, known: ObservedFact) -> None:
        waiting = self._memory.held.get(offer)
        if waiting is not None and waiting.held is not None:
            waiting = None  # of another kind
        finding = Finding("provider_vanished", f"nothing of {known.fact.name.provider} is left")
        change = self._sighted(offer, None, known, finding, waiting)
        if change.is_confirmed_by_time:
            change = change.closed(HeldState.RELEASED, self._now, note=REPEATED)
        else:
            self._passage.facts.append(known.fact)
        self._passage.held_changes.append(change)

    def _sighted(
        self,
        offer: str,
        fact: PriceFact | None,
        known: ObservedFact | None,
        finding: Finding,
        waiting: HeldChange | None,
    ) -> HeldChange:
        if waiting is not None:
            self._sighted_again.add(waiting.held_change_id)
            return waiting.seen_again(self._now)
        return HeldChange(
            held_change_id=self._new_id(),
            source=self._source,
            offer=offer,
            guard=finding.guard,
            explanation=finding.explanation,
            served=known,
            held=fact,
            first_seen_time=self._now,
            last_seen_time=self._now,
        )

    def _withdraw(self, change: HeldChange) -> None:
        self._passage.held_changes.append(
            change.closed(HeldState.WITHDRAWN, self._now, note=TAKEN_BACK)
        )


def by_offer(changes: Iterable[HeldChange]) -> dict[str, HeldChange]:
    """Return held changes by the offer they are of."""
    return {change.offer: change for change in changes}
