"""Takes one body at a time through the gate, with all that is known of its source."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from steelyard_common.clock import Clock
from steelyard_pricing.domain.catalogue import Catalogue
from steelyard_pricing.domain.comparison import CURATED, SEED, confirms
from steelyard_pricing.domain.gate.held_change import HeldChange
from steelyard_pricing.domain.gate.quarantine import Memory, Passage, Quarantine
from steelyard_pricing.domain.ports import PriceStore, QuarantineStore
from steelyard_pricing.domain.publisher import observed
from steelyard_pricing.domain.rates import ParsedSource, PriceFact
from steelyard_pricing.domain.snapshot import ObservedFact, SourceFacts


@dataclass(frozen=True, slots=True)
class Examined:
    """What of a body may be served, and what becomes of held changes."""

    facts: SourceFacts
    passage: Passage


class Gatekeeper:
    """The one way from a parsed body to facts that may be served."""

    def __init__(
        self,
        catalogue: Catalogue,
        store: PriceStore,
        quarantine: QuarantineStore,
        clock: Clock,
        new_id: Callable[[], str],
    ) -> None:
        self._catalogue = catalogue
        self._store = store
        self._quarantine = quarantine
        self._clock = clock
        self._new_id = new_id

    async def last_good(self, source: str) -> dict[str, ObservedFact]:
        """Return what a new body of a source is compared with, by offer.

        That is what is served of it. Of a source that was off it is what was served last, and of
        the first one, before it was ever read, the seed.
        """
        served = self._catalogue.facts.get(source)
        if served is not None:
            return _by_offer(served.facts)
        retired = await self._store.retired_facts(source)
        if retired:
            return _by_offer(retired)
        seed = self._catalogue.facts.get(SEED)
        is_first = source == self._catalogue.sources[0].name
        return _by_offer(seed.facts) if seed is not None and is_first else {}

    async def examine(
        self,
        source: str,
        parsed: ParsedSource,
        waiting: Mapping[str, HeldChange],
        said: Mapping[str, Sequence[PriceFact]],
        *,
        seen_time: datetime | None = None,
    ) -> Examined:
        """Let the facts of a body pass, or not.

        Args:
            source: Whose body it is.
            parsed: What it says.
            waiting: Held changes of the source, by offer.
            said: What other sources have said in the same refresh.
            seen_time: When the body was first seen, if that was before now.
        """
        memory = Memory(
            last_good=await self.last_good(source),
            held=waiting,
            refused=await self._quarantine.refused(source),
        )
        return await asyncio.to_thread(self._examine, source, parsed, memory, said, seen_time)

    def _examine(
        self,
        source: str,
        parsed: ParsedSource,
        memory: Memory,
        said: Mapping[str, Sequence[PriceFact]],
        seen_time: datetime | None,
    ) -> Examined:
        now = self._clock.now()
        quarantine = Quarantine(
            source,
            memory,
            agrees=_Witnesses(self._catalogue, said, source).confirm,
            new_id=self._new_id,
            now=now,
        )
        passage = quarantine.examine(parsed.facts, self._catalogue.other_sources(source))
        dated = observed(passage.facts, memory.last_good, seen_time or now, passage.effective_times)
        return Examined(SourceFacts(source, dated, parsed.entry_count), passage)


class _Witnesses:
    """What the other sources say of the same offers, in this refresh or before."""

    def __init__(
        self, catalogue: Catalogue, said: Mapping[str, Sequence[PriceFact]], source: str
    ) -> None:
        known: dict[str, Sequence[PriceFact]] = {
            name: [each.fact for each in facts.facts]
            for name, facts in catalogue.facts.items()
            if name not in {SEED, CURATED}
        }
        self._facts: dict[str, list[PriceFact]] = {}
        for name, facts in {**known, **said}.items():
            if name == source:
                continue
            for fact in facts:
                self._facts.setdefault(fact.offer, []).append(fact)

    def confirm(self, fact: PriceFact, last_good: PriceFact | None) -> bool:
        """Say whether another source has all that is new about a fact."""
        witnesses = self._facts.get(fact.offer, ())
        return any(confirms(witness, fact, last_good) for witness in witnesses)


def _by_offer(facts: Sequence[ObservedFact]) -> dict[str, ObservedFact]:
    return {each.fact.offer: each for each in facts}
