"""How much thinking a request needs, and the quality that each tier asks for."""

from collections.abc import Iterator
from enum import IntEnum
from types import MappingProxyType
from typing import Final


class Tier(IntEnum):
    """Cognitive tiers, smallest first; numbers are those of the contract."""

    MICRO = 1
    STANDARD = 2
    VERSATILE = 3
    HEAVY = 4
    COMPLEX = 5


QUALITY_FLOORS: Final = MappingProxyType(
    {
        Tier.MICRO: 0.0,
        Tier.STANDARD: 80.0,
        Tier.VERSATILE: 86.0,
        Tier.HEAVY: 90.0,
        Tier.COMPLEX: 94.0,
    }
)
NAMES: Final = MappingProxyType({tier.name.lower(): tier for tier in Tier})


def clamped(tier: Tier, smallest: Tier | None, largest: Tier | None) -> Tier:
    """Return the tier, raised to `smallest` or lowered to `largest`."""
    if smallest is not None and tier < smallest:
        return smallest
    if largest is not None and tier > largest:
        return largest
    return tier


def floors_from(tier: Tier) -> Iterator[float]:
    """Yield the floor of a tier, then those below it, highest first."""
    for each in reversed(Tier):
        if each <= tier:
            yield QUALITY_FLOORS[each]
