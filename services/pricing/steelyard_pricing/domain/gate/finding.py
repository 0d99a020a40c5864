"""Why a change looks wrong."""

from typing import NamedTuple


class Finding(NamedTuple):
    """A guard and what it found."""

    guard: str
    """For programs: `entry_delta`, `zeroed`, `lost_price`, `swapped`, `bounds`, `ratio`..."""
    explanation: str
    """One sentence for people, with the figures."""
