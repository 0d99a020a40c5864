"""What is served now: the current snapshot, and how current it is."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from steelyard_pricing.domain.comparison import CURATED, SEED
from steelyard_pricing.domain.snapshot import Listing, Snapshot, SourceFacts
from steelyard_pricing.domain.source import PriceSource, ServedCopy, SourceState

FRESH_CONFIDENCE = 1.0
STALE_CONFIDENCE = 0.8
SEED_CONFIDENCE = 0.6
DISPUTED_CONFIDENCE = 0.5
ESTIMATED_CONFIDENCE = 0.4


@dataclass(slots=True, kw_only=True)
class Catalogue:
    """The one mutable thing: readers take `snapshot` once and keep to it, refreshes replace it."""

    sources: Sequence[PriceSource]
    time_to_live: timedelta
    snapshot: Snapshot
    facts: dict[str, SourceFacts]
    """What each source contributes, in order of precedence."""
    copies: dict[str, ServedCopy]
    states: dict[str, SourceState] = field(default_factory=dict)
    is_refreshing: bool = False
    waiting_count: int = 0
    """Changes that are held back."""
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set, and replaced by a new one, when another snapshot is served."""

    def serve(self, snapshot: Snapshot, facts: dict[str, SourceFacts]) -> None:
        """Replace what is served: readers see all of it or nothing."""
        self.snapshot, self.facts = snapshot, facts
        self.changed.set()
        self.changed = asyncio.Event()

    def state(self, source: str) -> SourceState:
        return self.states.get(source, _NEVER_READ)

    def other_sources(self, source: str) -> frozenset[str]:
        """Return the names of the other feeds."""
        return frozenset(each.name for each in self.sources) - {source}

    def is_source_stale(self, source: str, now: datetime) -> bool:
        """Say whether the facts of a source are older than the freshness setting.

        Curated ones are no feed, and as old as their day says.
        """
        if source == CURATED:
            return False
        return source == SEED or self.state(source).is_stale(now, self.time_to_live)

    def is_stale(self, now: datetime) -> bool:
        """Say whether a source behind the snapshot is."""
        return any(self.is_source_stale(source, now) for source in self.snapshot.sources)

    def is_valid(self, now: datetime) -> bool:
        """Say whether every source that is switched on was read within the freshness setting."""
        enabled = [source.name for source in self.sources if source.is_enabled]
        return bool(enabled) and not any(self.is_source_stale(name, now) for name in enabled)

    def last_updated_time(self) -> datetime | None:
        """Return when a source was last read with success."""
        times = [self.state(source.name).last_success_time for source in self.sources]
        return max((time for time in times if time is not None), default=None)

    def confidence(self, listing: Listing, now: datetime) -> float:
        """Return how far the price of an offer can be trusted, 0 to 1."""
        source = listing.fact.source
        if listing.is_estimated:
            return ESTIMATED_CONFIDENCE
        if listing.is_disputed:
            return DISPUTED_CONFIDENCE
        if source == SEED:
            return SEED_CONFIDENCE
        return STALE_CONFIDENCE if self.is_source_stale(source, now) else FRESH_CONFIDENCE

    def contributions(self) -> Mapping[str, int]:
        """Return how many offers each source names in what is served."""
        return {name: len(facts.facts) for name, facts in self.facts.items()}


_NEVER_READ = SourceState()


def serving_order(
    facts: Mapping[str, SourceFacts], sources: Sequence[PriceSource], seed: SourceFacts | None
) -> dict[str, SourceFacts]:
    """Return what is served, in order of precedence.

    The seed was made from the map that is the first source: it stands in until that was read, and
    no longer, or offers that are gone from the map would never go. Curated facts are the last.
    """
    served = {source.name: facts[source.name] for source in sources if source.name in facts}
    if seed is not None and sources[0].name not in served:
        served[SEED] = seed
    if CURATED in facts:
        served[CURATED] = facts[CURATED]
    return served
