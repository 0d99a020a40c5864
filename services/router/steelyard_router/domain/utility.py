"""The value of an offer on fixed scales, which no other offer moves."""

import math
from typing import NamedTuple

from steelyard_router.domain.policy import Weights

PICODOLLARS_PER_USD = 1e12
COST_SCALE_USD = 1e-4
"""A cost far below this one makes no difference."""
LATENCY_SCALE_SECONDS = 1.0
"""A time far below this one makes no difference."""
WORST_HEALTH = 0.01


class Utility(NamedTuple):
    """`total` = quality - cost - latency - risk."""

    total: float
    quality: float
    cost: float
    latency: float
    risk: float


def utility(
    weights: Weights,
    *,
    quality: float,
    cost_picodollars: float,
    latency_seconds: float,
    health: float,
) -> Utility:
    """Return what an offer is worth.

    Args:
        weights: Of the policy.
        quality: 0 to 100; ten points weigh one unit.
        cost_picodollars: Expected; each doubling of a cost well above a hundredth of a cent weighs
            the same.
        latency_seconds: Expected; each doubling of a time well above a second weighs the same.
        health: 0 to 1, taken as the probability that the call succeeds.
    """
    gain = weights.quality * quality / 10.0
    cost = weights.cost * math.log1p(cost_picodollars / PICODOLLARS_PER_USD / COST_SCALE_USD)
    latency = weights.latency * math.log1p(latency_seconds / LATENCY_SCALE_SECONDS)
    risk = weights.risk * -math.log(max(WORST_HEALTH, health)) if health < 1.0 else 0.0
    return Utility(gain - cost - latency - risk, gain, cost, latency, risk)


def trusted_quality(score: float, uncertainty: float) -> float:
    """Return the quality that counts: half of the uncertainty is held against it.

    So a guess never beats evidence of the same score.
    """
    return min(100.0, max(0.0, score - uncertainty / 2.0))
