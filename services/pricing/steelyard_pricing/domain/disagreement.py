"""Offers on which two sources differ."""

from dataclasses import dataclass

from steelyard_pricing.domain.comparison import AGREEMENT, SEED, largest_ratio
from steelyard_pricing.domain.snapshot import Listing, ObservedFact, Snapshot


@dataclass(frozen=True, slots=True)
class Disagreement:
    """What is served, what another source says, and how far they are apart."""

    listing: Listing
    other: ObservedFact
    ratio: float
    """The largest between two rates for the same thing, at least 1."""


def disagreements(snapshot: Snapshot) -> list[Disagreement]:
    """Return facts that differ from what is served by more than 0.5 %, largest difference first."""
    found = [
        Disagreement(listing, other, ratio)
        for listing in snapshot.listings.values()
        for other in listing.others
        if SEED not in {listing.fact.source, other.fact.source}
        and (ratio := largest_ratio(listing.fact, other.fact)) > 1 + AGREEMENT
    ]
    return sorted(found, key=lambda each: (-each.ratio, each.listing.offer, each.other.fact.source))
