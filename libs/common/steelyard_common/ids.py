"""Time-ordered ids with a prefix, e.g. `dec_01jd8q2x...`: a lower-case ULID."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Final

from steelyard_common.clock import Clock, SystemClock

_RANDOM_BYTES: Final = 10
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_CROCKFORD: Final = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS: Final = tuple(map("".join, product(_CROCKFORD, repeat=2)))
"""Two digits for every 10 bits."""
_SHIFTS: Final = tuple(range(120, -1, -10))
"""Of the 13 pairs of digits in a ULID."""


def new_id(
    prefix: str, *, clock: Clock | None = None, random: Callable[[int], bytes] = os.urandom
) -> str:
    """Return `{prefix}_{ULID}`: 48 bits of UTC milliseconds, then 80 random bits."""
    milliseconds = ((clock or SystemClock()).now() - _EPOCH) // _MILLISECOND
    value = milliseconds << 8 * _RANDOM_BYTES | int.from_bytes(random(_RANDOM_BYTES))
    return f"{prefix}_{''.join([_PAIRS[value >> shift & 1023] for shift in _SHIFTS])}"
