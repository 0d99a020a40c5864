"""What a caller wants of the choice, with names resolved to weights."""

import math
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, NamedTuple

from steelyard_router.domain.tier import Tier


class Weights(NamedTuple):
    """What matters how much; each >= 0 and finite, not all 0."""

    quality: float
    cost: float
    latency: float
    risk: float


DEFAULT_POLICY: Final = "balanced"
EXPLICIT_POLICY: Final = "custom"
"""Name under which a decision shows weights of the caller's own."""

NAMED_WEIGHTS: Final = MappingProxyType(
    {
        "balanced": Weights(1.0, 1.0, 0.5, 2.0),
        "cheap": Weights(0.3, 2.0, 0.2, 2.0),
        "fast": Weights(0.5, 0.3, 3.0, 2.0),
        "best": Weights(4.0, 0.2, 0.1, 2.0),
    }
)
_EXPLICIT_SUM = sum(NAMED_WEIGHTS[DEFAULT_POLICY])


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy as applied."""

    name: str = DEFAULT_POLICY
    weights: Weights = NAMED_WEIGHTS[DEFAULT_POLICY]
    max_cost_picodollars: int | None = None
    """Limit on the expected cost, not on its 90th percentile."""
    max_latency_seconds: float | None = None
    """Limit on the expected time of offers that were timed; others pass."""
    min_quality: float | None = None
    tier: Tier | None = None
    min_tier: Tier | None = None
    max_tier: Tier | None = None
    allowed_providers: frozenset[str] = frozenset()
    denied_providers: frozenset[str] = frozenset()
    baseline: str = ""
    session_id: str = ""
    allow_unpriced: bool = False
    allow_free: bool = False
    region: str = ""
    required_capabilities: int = 0
    task_type: str = ""


def scaled(weights: Weights) -> Weights:
    """Return weights of the same ratios with the sum of the balanced ones.

    Divided by the largest first, so that neither huge nor tiny ones overflow.
    """
    largest = max(weights)
    ratios = [weight / largest for weight in weights]
    factor = _EXPLICIT_SUM / math.fsum(ratios)
    return Weights(*(ratio * factor for ratio in ratios))
