"""All prices of one moment: immutable, indexed once, replaced as a whole."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import IntEnum
from typing import Self, TypeVar

from steelyard_catalog.names import NameIndex
from steelyard_catalog.nearest import Nearest
from steelyard_pricing.domain.comparison import CURATED, dearness, differ_widely
from steelyard_pricing.domain.modes import Mode
from steelyard_pricing.domain.rate_card import CardCompiler, RateCard
from steelyard_pricing.domain.rates import PriceFact

K = TypeVar("K")

SECOND_OPINIONS = frozenset({"models_dev", CURATED})
"""Sources whose own offers answer to their ids alone.

The registry does not read them: a plain name has to mean the same offer in both services.
"""


class NameMatch(IntEnum):
    """How a name led to an offer, numbered as in the contract."""

    EXACT = 1
    CASE_INSENSITIVE = 2
    ALIAS = 3


@dataclass(frozen=True, slots=True)
class ObservedFact:
    """A fact, since when its source says so, and from when it applies."""

    fact: PriceFact
    observed_time: datetime
    effective_time: datetime | None = None
    """None where it applies from when it was observed, as with every source so far."""

    @property
    def applies_from(self) -> datetime:
        """Return the first instant at which the price applies."""
        return self.effective_time or self.observed_time


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """The facts of one source that are good to be served."""

    source: str
    facts: tuple[ObservedFact, ...]
    entry_count: int


@dataclass(frozen=True, slots=True)
class Listing:
    """One offer: the fact that is served, and what the other sources say."""

    offer: str
    served: ObservedFact
    others: tuple[ObservedFact, ...]
    card: RateCard | None
    """None when the offer is unpriced."""
    charged: PriceFact
    """What the card is of: the served fact, or the dearer one that disputes it."""
    is_disputed: bool
    """Whether sources differ by more than a factor of two."""
    is_estimated: bool = False
    """Whether no source publishes the price, and a curated one stands in."""

    @property
    def fact(self) -> PriceFact:
        return self.served.fact

    @property
    def naming_source(self) -> str:
        """Return the source that the names are from; a curated price is of an offer as named."""
        named = self.others[0] if self.is_estimated and self.others else self.served
        return named.fact.source

    @property
    def price(self) -> tuple[object, ...]:
        """What has to be equal for the price to be the same."""
        return self.fact.rates, self.fact.is_free, self.charged.rates, self.is_estimated


@dataclass(frozen=True, slots=True)
class Resolution:
    """The offer that a name means."""

    listing: Listing
    match: NameMatch


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Every offer that a source names, by id."""

    version: int
    published_time: datetime
    listings: Mapping[str, Listing]
    names: NameIndex
    sellers_of: Mapping[str, tuple[Listing, ...]]
    """Offers by the canonical id of the model that they sell."""
    sources: tuple[str, ...]
    """Sources behind the snapshot, in order of precedence."""
    offers: tuple[str, ...] = field(repr=False)
    """Ids in their order."""
    priced_count: int
    provider_count: int
    _moving_names: Mapping[str, Listing] = field(repr=False)
    _nearest: Nearest = field(repr=False)
    _by_mode: Mapping[Mode, tuple[Listing, ...]] = field(repr=False)

    @classmethod
    def compile(
        cls, sources: Sequence[SourceFacts], *, version: int, published_time: datetime
    ) -> Self:
        """Return the snapshot of `sources`, which are in order of precedence."""
        listings = {listing.offer: listing for listing in _listings(sources)}
        ordered = [listings[offer] for offer in sorted(listings)]
        sellers_of = _grouped((listing.fact.name.model, listing) for listing in ordered)
        return cls(
            version=version,
            published_time=published_time,
            listings=listings,
            names=NameIndex(
                (each.fact.name for each in ordered if each.naming_source not in SECOND_OPINIONS),
                by_id_only=(
                    each.fact.name for each in ordered if each.naming_source in SECOND_OPINIONS
                ),
            ),
            sellers_of=sellers_of,
            sources=tuple(source.source for source in sources),
            offers=tuple(listing.offer for listing in ordered),
            priced_count=sum(listing.card is not None for listing in ordered),
            provider_count=len({listing.fact.name.provider for listing in ordered}),
            _moving_names={
                alias.lower(): listing for listing in ordered for alias in listing.fact.aliases
            },
            _nearest=Nearest(sellers_of),
            _by_mode=_grouped((listing.fact.mode, listing) for listing in ordered),
        )

    def find(self, name: str) -> Listing | None:
        """Return the offer that a name means, None when it means none. Takes constant time."""
        listing = self.listings.get(name)
        if listing is not None:
            return listing
        offer = self.names.resolve(name)
        return self._moving_names.get(name.lower()) if offer is None else self.listings[offer]

    def resolve(self, name: str) -> Resolution | None:
        """Return the offer that a name means, and how it was found."""
        listing = self.find(name)
        return None if listing is None else Resolution(listing, _match(name, listing.fact))

    def nearest(self, name: str) -> list[str]:
        """Return up to three names that come close to one that means nothing."""
        return self._nearest.find(name)

    def of_mode(self, mode: Mode) -> tuple[Listing, ...]:
        """Return the offers of one mode, by id."""
        return self._by_mode.get(mode, ())


def _listings(sources: Sequence[SourceFacts]) -> Iterator[Listing]:
    compiler = CardCompiler()
    by_offer: dict[str, list[ObservedFact]] = {}
    for source in sources:
        for observed in source.facts:
            by_offer.setdefault(observed.fact.name.offer, []).append(observed)
    for found in by_offer.values():
        found.sort(key=_precedence)
        served, *others = _with_stand_in(found)
        yield _listing(compiler, served, tuple(others))


def _precedence(observed: ObservedFact) -> tuple[bool, bool]:
    """Order facts about one offer; equals stay in the order of the sources.

    A seller knows its own prices best, also that it has none. Others that have a price go before
    those that have not.
    """
    fact = observed.fact
    return fact.source != fact.name.provider, not fact.is_priced


def _with_stand_in(found: Sequence[ObservedFact]) -> Sequence[ObservedFact]:
    """Return what sources say of one offer; a curated price is first where it is the only one.

    Elsewhere it is left out: it is neither an alternative nor disputes anything. All but the price
    is taken from the source that names the offer.
    """
    curated = next((each for each in found if each.fact.source == CURATED), None)
    if curated is None:
        return found
    others = [each for each in found if each.fact.source != CURATED]
    if any(each.fact.is_priced for each in others):
        return others
    return [_completed(curated, others[0].fact) if others else curated, *others]


def _completed(curated: ObservedFact, named: PriceFact) -> ObservedFact:
    price = curated.fact
    fact = replace(
        named,
        mode=named.mode or price.mode,
        source=CURATED,
        rates=price.rates,
        source_uri=price.source_uri,
    )
    return replace(curated, fact=fact)


def _listing(
    compiler: CardCompiler, served: ObservedFact, others: tuple[ObservedFact, ...]
) -> Listing:
    disputing = [other.fact for other in others if differ_widely(served.fact, other.fact)]
    charged = max([served.fact, *disputing], key=dearness)
    card = compiler.compile(charged) if charged.is_priced else None
    is_estimated = served.fact.source == CURATED
    return Listing(served.fact.offer, served, others, card, charged, bool(disputing), is_estimated)


def _grouped(pairs: Iterable[tuple[K, Listing]]) -> Mapping[K, tuple[Listing, ...]]:
    groups: dict[K, list[Listing]] = {}
    for key, listing in pairs:
        groups.setdefault(key, []).append(listing)
    return {key: tuple(listings) for key, listings in groups.items()}


def _match(name: str, fact: PriceFact) -> NameMatch:
    known = (fact.name.offer, fact.name.provider_model, fact.name.model)
    if name in known:
        return NameMatch.EXACT
    lower = name.lower()
    if any(lower == spelled.lower() for spelled in known):
        return NameMatch.CASE_INSENSITIVE
    return NameMatch.ALIAS
