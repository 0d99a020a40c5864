"""How well a provider says it is."""

from collections.abc import Iterable, Mapping
from enum import IntEnum
from typing import Final


class StatusLevel(IntEnum):
    """What a page says of the API; numbered as in the contract."""

    UNKNOWN = 1
    """It could not be read or understood."""
    OPERATIONAL = 2
    DEGRADED = 3
    """Slow or partly down."""
    OUTAGE = 4
    MAINTENANCE = 5
    """Planned work goes on."""


_SEVERITY: Final[Mapping[StatusLevel, int]] = {
    StatusLevel.UNKNOWN: 0,
    StatusLevel.OPERATIONAL: 1,
    StatusLevel.MAINTENANCE: 2,
    StatusLevel.DEGRADED: 3,
    StatusLevel.OUTAGE: 4,
}
_FACTORS: Final[Mapping[StatusLevel, float]] = {
    StatusLevel.UNKNOWN: 1.0,
    StatusLevel.OPERATIONAL: 1.0,
    StatusLevel.DEGRADED: 0.75,
    StatusLevel.MAINTENANCE: 0.75,
    StatusLevel.OUTAGE: 0.5,
}


def status_factor(level: StatusLevel) -> float:
    """Return what a score is multiplied by: 0.5 to 1, so that no page alone takes anybody out."""
    return _FACTORS[level]


def worst(levels: Iterable[StatusLevel]) -> StatusLevel:
    """Return the worst of some levels, OPERATIONAL without any."""
    return max(levels, key=_SEVERITY.__getitem__, default=StatusLevel.OPERATIONAL)


def at_most_degraded(level: StatusLevel) -> StatusLevel:
    """Return the level, DEGRADED instead of OUTAGE."""
    return StatusLevel.DEGRADED if level is StatusLevel.OUTAGE else level
