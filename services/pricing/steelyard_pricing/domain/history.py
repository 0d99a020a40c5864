"""What an offer cost at one time, by what was known at another."""

from collections.abc import Sequence
from datetime import datetime

from steelyard_pricing.domain.changes import PriceChange
from steelyard_pricing.domain.comparison import CURATED
from steelyard_pricing.domain.rate_card import CardCompiler
from steelyard_pricing.domain.rates import PriceFact
from steelyard_pricing.domain.snapshot import Listing


def in_force_at(changes: Sequence[PriceChange], effective_at: datetime) -> PriceChange | None:
    """Return the change that says what an offer cost at a time; None when nothing is known of it.

    Each change says what holds from its effective time on. A later change overrules an earlier one
    for all that it covers, also for times before it was recorded.

    Args:
        changes: Of one offer, in the order in which they were recorded, as far as known.
        effective_at: The time to price at.
    """
    for change in reversed(changes):
        if change.effective_time <= effective_at:
            return change
    return None


def charged_at(changes: Sequence[PriceChange], effective_at: datetime) -> PriceFact | None:
    """Return what an offer was charged by at a time; None when no price is known for it."""
    change = in_force_at(changes, effective_at)
    if change is None or change.after is None:
        return None
    return change.charged or change.after.fact


def listing_at(changes: Sequence[PriceChange], effective_at: datetime) -> Listing | None:
    """Return an offer as it was served at a time; None when it was not, or had no price."""
    change = in_force_at(changes, effective_at)
    if change is None or change.after is None or not change.after.fact.is_priced:
        return None
    charged = change.charged or change.after.fact
    return Listing(
        offer=change.offer,
        served=change.after,
        others=(),
        card=CardCompiler().compile(charged),
        charged=charged,
        is_disputed=change.charged is not None,
        is_estimated=change.after.fact.source == CURATED,
    )
