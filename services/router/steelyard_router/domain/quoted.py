"""What a decision is made from."""

from typing import NamedTuple

from steelyard_router.domain.catalog import Offer
from steelyard_router.domain.health import OfferHealth
from steelyard_router.domain.rates import Cost


class Quoted(NamedTuple):
    """A shortlisted offer with the answers about it."""

    offer: Offer
    quality: float
    """Score for the task."""
    trusted_quality: float
    cost: Cost | None
    """None when the offer is unpriced."""
    is_price_estimated: bool
    health: OfferHealth
    key_present: bool
