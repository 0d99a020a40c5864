"""What differs between two snapshots: the change feed, and its counts."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from math import log

from steelyard_pricing.domain.rates import PriceFact, Rate
from steelyard_pricing.domain.snapshot import Listing, ObservedFact, Snapshot


class ChangeKind(IntEnum):
    """What happened to a price, numbered as in the contract."""

    ADDED = 1
    CHANGED = 2
    REMOVED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceChange:
    """What happened to the price of one offer in one version. It never changes afterwards."""

    version: int
    offer: str
    kind: ChangeKind
    before: ObservedFact | None
    after: ObservedFact | None
    charged: PriceFact | None
    """What is charged from now on where that is not `after`: a dearer fact that disputes it."""
    effective_time: datetime
    recorded_time: datetime
    ratio: float
    """Of the rate that moved most, after to before; 0 when nothing compares."""


@dataclass(frozen=True, slots=True)
class ChangeCounts:
    """How many offers came, went, cost something else, or stayed."""

    added: int
    changed: int
    removed: int
    unchanged: int


def price_changes(before: Snapshot | None, after: Snapshot) -> tuple[PriceChange, ...]:
    """Return what changed from one snapshot to the next, by offer."""
    old = before.listings if before is not None else {}
    new = after.listings
    touched = sorted(
        offer
        for offer in old.keys() | new.keys()
        if offer not in old or offer not in new or old[offer].price != new[offer].price
    )
    return tuple(_change(old.get(offer), new.get(offer), after) for offer in touched)


def count_changes(changes: Sequence[PriceChange], after: Snapshot) -> ChangeCounts:
    """Sum up the changes that led to a snapshot."""
    kinds = Counter(change.kind for change in changes)
    added, changed = kinds[ChangeKind.ADDED], kinds[ChangeKind.CHANGED]
    return ChangeCounts(
        added=added,
        changed=changed,
        removed=kinds[ChangeKind.REMOVED],
        unchanged=len(after.listings) - added - changed,
    )


def ratio_of(before: Iterable[Rate], after: Iterable[Rate]) -> float:
    """Return the ratio, after to before, of the rate that moved most; 0 when nothing compares."""
    old = {rate.key: rate.picodollars for rate in before}
    ratios = [
        rate.picodollars / old[rate.key] for rate in after if rate.picodollars and old.get(rate.key)
    ]
    return max(ratios, key=lambda ratio: abs(log(ratio)), default=0.0)


def _change(before: Listing | None, after: Listing | None, snapshot: Snapshot) -> PriceChange:
    kind = ChangeKind.CHANGED
    if before is None:
        kind = ChangeKind.ADDED
    elif after is None:
        kind = ChangeKind.REMOVED
    known = after or before
    if known is None:
        raise ValueError("nothing changed")
    is_disputed = after is not None and after.charged is not after.fact
    return PriceChange(
        version=snapshot.version,
        offer=known.offer,
        kind=kind,
        before=before.served if before else None,
        after=after.served if after else None,
        charged=after.charged if after and is_disputed else None,
        effective_time=_effective_time(before, after) or snapshot.published_time,
        recorded_time=snapshot.published_time,
        ratio=ratio_of(before.fact.rates, after.fact.rates) if before and after else 0.0,
    )


def _effective_time(before: Listing | None, after: Listing | None) -> datetime | None:
    """Return from when a change holds, None where that is when it is published.

    Only a price that its source newly states reaches back to when it was first seen. Where an old
    fact takes the place of another, or begins to dispute it, or a curated one stands in for a price
    that was taken back, what was served until now stays what it was.
    """
    if after is None:
        return None
    if before is None:
        return after.served.applies_from
    was_published = before.fact.is_priced and not before.is_estimated
    if after.is_estimated and was_published:
        return None
    charged = _observed(after, after.charged)
    known = next((each for each in _facts(before) if each.fact.source == charged.fact.source), None)
    is_news = known is None or known.fact.rates != charged.fact.rates
    return charged.applies_from if is_news else None


def _facts(listing: Listing) -> tuple[ObservedFact, ...]:
    return listing.served, *listing.others


def _observed(listing: Listing, fact: PriceFact) -> ObservedFact:
    return next((each for each in _facts(listing) if each.fact is fact), listing.served)
