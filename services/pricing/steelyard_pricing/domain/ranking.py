"""Offers side by side, by what one stated usage costs on each."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from steelyard_pricing.domain.components import USAGE_CLASSES, CostPart
from steelyard_pricing.domain.quote import Parts, UsageLines, cost_parts, divided_half_even
from steelyard_pricing.domain.rates import STANDARD_TIER
from steelyard_pricing.domain.snapshot import Listing

_MIX = {"uncached_input_token": 750_000, "output_token": 250_000}
DEFAULT_MIX = tuple(_MIX.get(usage_class.name, 0) for usage_class in USAGE_CLASSES)
"""Three prompt tokens to one of completion, a million together."""


class RankedListing(NamedTuple):
    """An offer with the cost of the usage; without parts it is unpriced."""

    listing: Listing
    parts: Parts | None


@dataclass(frozen=True, slots=True)
class Ranking:
    """Offers that cost something, cheapest first, and the numbers of the others."""

    ranked: tuple[RankedListing, ...]
    free_count: int
    unpriced_count: int


@dataclass(slots=True)
class SellerSummary:
    """One seller's offers; costs are of the priced ones that are not free."""

    provider: str
    offer_count: int = 0
    free_count: int = 0
    costs: list[tuple[int, str]] = field(default_factory=list)
    """Cost and offer."""

    @property
    def mean(self) -> int:
        """The mean cost, rounded half-even; 0 without priced offers."""
        total = sum(cost for cost, _ in self.costs)
        return divided_half_even(total, len(self.costs)) if self.costs else 0


class Pricer:
    """Prices one usage on listings, at one moment."""

    def __init__(self, usage: UsageLines, minute_of_week: Callable[[], int]) -> None:
        self._usage = usage
        self._minute_of_week = minute_of_week

    def parts(self, listing: Listing) -> Parts | None:
        """Return the cost, None when the offer is unpriced."""
        if listing.card is None:
            return None
        prices = listing.card.prices(STANDARD_TIER, self._minute_of_week)
        return cost_parts(self._usage, prices.bands[prices.band_index(self._usage.prompt_tokens)])


def rank(listings: Iterable[Listing], pricer: Pricer, *, limit: int) -> Ranking:
    """Rank listings; what costs nothing without being free counts as unpriced."""
    priced: list[tuple[int, str, RankedListing]] = []
    free_count = unpriced_count = 0
    for listing in listings:
        if listing.fact.is_free:
            free_count += 1
            continue
        parts = pricer.parts(listing)
        total = parts[CostPart.TOTAL] if parts is not None else 0
        if total:
            priced.append((total, listing.offer, RankedListing(listing, parts)))
        else:
            unpriced_count += 1
    priced.sort(key=lambda entry: entry[:2])
    return Ranking(tuple(entry[2] for entry in priced[:limit]), free_count, unpriced_count)


def compare_sellers(listings: Iterable[Listing], pricer: Pricer) -> list[SellerSummary]:
    """Sum up each seller, by mean cost; sellers without a priced offer come last."""
    sellers: dict[str, SellerSummary] = {}
    for listing in listings:
        provider = listing.fact.name.provider
        seller = sellers.setdefault(provider, SellerSummary(provider))
        seller.offer_count += 1
        if listing.fact.is_free:
            seller.free_count += 1
            continue
        parts = pricer.parts(listing)
        if parts is not None and parts[CostPart.TOTAL]:
            seller.costs.append((parts[CostPart.TOTAL], listing.offer))
    return sorted(
        sellers.values(), key=lambda seller: (not seller.costs, seller.mean, seller.provider)
    )


def at_each_seller(listings: Iterable[Listing], pricer: Pricer) -> list[RankedListing]:
    """Return one model at each seller, cheapest first, unpriced last."""
    ranked = [RankedListing(listing, pricer.parts(listing)) for listing in listings]
    return sorted(
        ranked,
        key=_by_cost,
    )


def is_served(listing: Listing, today: date) -> bool:
    """Say whether the seller still serves the offer."""
    deprecated = listing.fact.deprecation_date
    return deprecated is None or today < deprecated


def _by_cost(entry: RankedListing) -> tuple[bool, int, str]:
    total = 0 if entry.parts is None else entry.parts[CostPart.TOTAL]
    return entry.parts is None, total, entry.listing.offer
