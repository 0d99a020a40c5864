"""What differs between two snapshots."""

from dataclasses import dataclass

from steelyard_pricing.domain.snapshot import Listing, Snapshot


@dataclass(frozen=True, slots=True)
class ChangeCounts:
    """How many offers came, went, cost something else, or stayed."""

    added: int
    changed: int
    removed: int
    unchanged: int


def count_changes(before: Snapshot, after: Snapshot) -> ChangeCounts:
    """Compare the prices that two snapshots serve."""
    kept = before.listings.keys() & after.listings.keys()
    changed = sum(_price(before.listings[offer]) != _price(after.listings[offer]) for offer in kept)
    return ChangeCounts(
        added=len(after.listings) - len(kept),
        changed=changed,
        removed=len(before.listings) - len(kept),
        unchanged=len(kept) - changed,
    )


def _price(listing: Listing) -> tuple[object, ...]:
    return listing.fact.rates, listing.fact.is_free
