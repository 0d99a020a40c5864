"""Offers that their sellers stop serving, and what may take their place.

A replacement is never guessed from a name: it sells the same canonical model, under the same
seller's current id, or at the seller where it is cheapest.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from steelyard_pricing.domain.comparison import dearness
from steelyard_pricing.domain.ranking import is_served
from steelyard_pricing.domain.snapshot import Listing, Snapshot


class ReplacementReason(StrEnum):
    """Where a replacement comes from."""

    NONE = ""
    SAME_SELLER = "same_seller"
    OTHER_SELLER = "other_seller"


@dataclass(frozen=True, slots=True)
class Deprecation:
    """An offer that ends, and what may replace it."""

    listing: Listing
    end_date: date
    replacement: Listing | None
    reason: ReplacementReason

    @property
    def cost_ratio(self) -> float:
        """Cost of the default mix at the replacement over that at the offer; 0 without both."""
        if self.replacement is None:
            return 0.0
        old, new = dearness(self.listing.fact), dearness(self.replacement.fact)
        return new / old if old and new else 0.0


def deprecations(
    snapshot: Snapshot, today: date, *, provider: str, until: date | None, include_past: bool
) -> list[Deprecation]:
    """Return offers with an announced end, the soonest first."""
    found = [
        _deprecation(snapshot, listing, ends, today)
        for listing in snapshot.listings.values()
        if (ends := listing.fact.deprecation_date) is not None
        and provider in {"", listing.fact.name.provider}
        and (until is None or ends <= until)
        and (include_past or ends >= today)
    ]
    return sorted(found, key=lambda each: (each.end_date, each.listing.offer))


def _deprecation(snapshot: Snapshot, listing: Listing, ends: date, today: date) -> Deprecation:
    same_model = snapshot.sellers_of[listing.fact.name.model]
    lasting = [other for other in same_model if other is not listing and _lasts(other, ends, today)]
    own = [other for other in lasting if other.fact.name.provider == listing.fact.name.provider]
    if own:
        return Deprecation(listing, ends, _cheapest(own), ReplacementReason.SAME_SELLER)
    if lasting:
        return Deprecation(listing, ends, _cheapest(lasting), ReplacementReason.OTHER_SELLER)
    return Deprecation(listing, ends, None, ReplacementReason.NONE)


def _lasts(listing: Listing, ends: date, today: date) -> bool:
    if not (is_served(listing, today) and listing.fact.is_priced and not listing.fact.is_free):
        return False
    own_end = listing.fact.deprecation_date
    return own_end is None or own_end > ends


def _cheapest(listings: Iterable[Listing]) -> Listing:
    return min(listings, key=lambda listing: (dearness(listing.fact), listing.offer))
