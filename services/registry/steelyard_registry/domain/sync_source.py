"""What is read in a sync: feeds of offers and feeds of scores behind one face."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Protocol, TypeVar

from steelyard_common.feed import Feed, FeedCopy
from steelyard_registry.domain.feeds import ShrunkError, ShuffledError, check_size
from steelyard_registry.domain.lifecycle import confirmed, largest_providers, taken_over
from steelyard_registry.domain.models import Offer
from steelyard_registry.domain.quality.editions import ScoreEdition, ScoreSource, with_edition
from steelyard_registry.domain.quality.plausibility import agrees, without_outliers
from steelyard_registry.domain.source_facts import SourceFacts
from steelyard_registry.domain.state import OfferRecord, RegistryState, SourceState
from steelyard_registry.domain.upheaval import check_upheaval

BELIEVED_AFTER = timedelta(hours=24)
BELIEVED_READINGS = 3
LARGE_PROVIDERS = 10

P = TypeVar("P")
K = TypeVar("K")
V = TypeVar("V")


class SyncSource(Protocol[P]):
    """One feed: how it is read, what is wrong with it, and what it changes."""

    @property
    def name(self) -> str:
        """Id, as in answers."""

    @property
    def feed(self) -> Feed:
        """Where it is read."""

    def parse(self, copy: FeedCopy) -> P:
        """Read a body; slow, and called off the event loop.

        Raises:
            CatalogueFormatError: It is not what the source publishes.
        """

    def check(self, parsed: P, state: RegistryState) -> None:
        """Accept a body after what is known.

        Raises:
            DoubtedError: It is rather broken than true.
        """

    def describe(self, parsed: P, state: SourceState) -> SourceState:
        """Return the state of the source with what is known of the new body."""

    def take(self, state: RegistryState, parsed: P, now: datetime) -> RegistryState:
        """Return the state with what the new body says."""

    def confirm(self, state: RegistryState, now: datetime) -> RegistryState:
        """Return the state after the source said that nothing has changed."""

    def dropped_count(self, parsed: P) -> int:
        """Return how many entries could not be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferSource:
    """A feed of offers."""

    name: str
    feed: Feed
    read: Callable[[bytes, datetime], SourceFacts]
    shipped: Mapping[str, Offer]
    """Offers of the seed, if this is the source that it stands in for."""

    def parse(self, copy: FeedCopy) -> SourceFacts:
        return self.read(copy.body, copy.fetched_time)

    def check(self, parsed: SourceFacts, state: RegistryState) -> None:
        known = state.records.get(self.name)
        before: Sequence[Offer] = tuple(self.shipped.values())
        if known is not None:
            before = [each.offer for each in known.values() if not each.missed_syncs]
        check_size(len(parsed.offers), len(before))
        sellers = {offer.provider for offer in parsed.offers}
        gone = largest_providers(before, LARGE_PROVIDERS) - sellers
        if gone:
            raise ShrunkError(f"names nothing of {', '.join(sorted(gone))} any more")
        check_upheaval(parsed.offers, {offer.offer: offer for offer in before}, state.day)

    def describe(self, parsed: SourceFacts, state: SourceState) -> SourceState:
        return replace(
            state,
            entry_count=len(parsed.offers),
            moving_names=dict(parsed.moving_names),
        )

    def take(self, state: RegistryState, parsed: SourceFacts, now: datetime) -> RegistryState:
        known = state.records.get(self.name)
        if known is None:
            # The seed was a reading as well: what is no longer named has its time of grace.
            known = {name: OfferRecord(offer=offer) for name, offer in self.shipped.items()}
        records = taken_over(known, parsed, now, shipped=self.shipped)
        return replace(state, records=_with(state.records, self.name, records))

    def confirm(self, state: RegistryState, now: datetime) -> RegistryState:
        records = confirmed(state.records.get(self.name, {}), now)
        return replace(state, records=_with(state.records, self.name, records))

    def dropped_count(self, parsed: SourceFacts) -> int:
        return parsed.dropped_count


@dataclass(frozen=True, slots=True)
class ReadEdition:
    """An edition, and how many of its rows could not be used."""

    edition: ScoreEdition
    dropped_count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreFeed:
    """A feed of scores."""

    name: ScoreSource
    feed: Feed
    read: Callable[[FeedCopy], ReadEdition]

    def parse(self, copy: FeedCopy) -> ReadEdition:
        return self.read(copy)

    def check(self, parsed: ReadEdition, state: RegistryState) -> None:
        editions = state.editions.get(self.name, ())
        if not editions or state.source(self.name).url != self.feed.url:
            return  # another address may spell names in another way
        # Leaderboards drop names more freely than catalogues do.
        check_size(len(parsed.edition.observations) * 2, len(editions[0].observations))
        if not agrees(parsed.edition, editions[0]):
            raise ShuffledError("puts the models in quite another order than before")

    def describe(self, parsed: ReadEdition, state: SourceState) -> SourceState:
        return replace(
            state,
            entry_count=len(parsed.edition.observations),
            edition_date=parsed.edition.edition_date,
        )

    def take(self, state: RegistryState, parsed: ReadEdition, now: datetime) -> RegistryState:
        known = state.editions.get(self.name, ())
        edition = without_outliers(parsed.edition, known[0] if known else None)
        editions = with_edition(known, edition)
        return replace(state, editions=_with(state.editions, self.name, editions))

    def confirm(self, state: RegistryState, now: datetime) -> RegistryState:
        return state

    def dropped_count(self, parsed: ReadEdition) -> int:
        return parsed.dropped_count


def is_believed(state: SourceState, entry_count: int, now: datetime) -> bool:
    """Whether a body that was doubted often enough, and for long enough, is true after all.

    It must have about as many entries as the one that was doubted first: another one is another
    matter.
    """
    if state.doubted_since is None or not _is_alike(entry_count, state.doubted_entries):
        return False
    readings = state.doubted_count + 1
    return readings >= BELIEVED_READINGS and now - state.doubted_since >= BELIEVED_AFTER


def doubted(state: SourceState, entry_count: int, now: datetime) -> SourceState:
    """Return the state of a source after a body that is rather broken than true."""
    if state.doubted_since is None or not _is_alike(entry_count, state.doubted_entries):
        return replace(state, doubted_count=1, doubted_since=now, doubted_entries=entry_count)
    return replace(state, doubted_count=state.doubted_count + 1)


def _is_alike(one: int, other: int) -> bool:
    return abs(one - other) * 20 <= max(one, other)


def _with(mapping: Mapping[K, V], key: K, value: V) -> Mapping[K, V]:
    if mapping.get(key) is value:
        return mapping
    return MappingProxyType({**mapping, key: value})
