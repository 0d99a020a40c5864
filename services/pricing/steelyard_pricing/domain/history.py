"""What an offer cost at one time, by what was known at another."""

from collections.abc import Sequence
from datetime import datetime

from steelyard_pricing.domain.changes import PriceChange
from steelyard_pricing.domain.rates import PriceFact


def charged_at(changes: Sequence[PriceChange], effective_at: datetime) -> PriceFact | None:
    """Return what an offer was charged by at a time; None when no price is known for it.

    Each change says what holds from its effective time on. A later change overrules an earlier one
    for all that it covers, also for times before it was recorded.

    Args:
        changes: Of one offer, in the order in which they were recorded, as far as known.
        effective_at: The time to price at.
    """
    for change in reversed(changes):
        if change.effective_time <= effective_at:
            if change.after is None:
                return None
            return change.charged or change.after.fact
    return None
