"""Time-ordered ids with a prefix, e.g. `dec_01jd8q2x...`: a lower-case ULID."""

import base64
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from steelyard_common.clock import Clock, SystemClock

ULID_LENGTH = 26
_RANDOM_BYTES = 10
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_RFC4648_TO_CROCKFORD = bytes.maketrans(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", b"0123456789abcdefghjkmnpqrstvwxyz"
)


def new_id(
    prefix: str, *, clock: Clock | None = None, random: Callable[[int], bytes] = os.urandom
) -> str:
    """Return `{prefix}_{ULID}`: 48 bits of UTC milliseconds, then 80 random bits."""
    milliseconds = ((clock or SystemClock()).now() - _EPOCH) // _MILLISECOND
    value = milliseconds.to_bytes(6) + random(_RANDOM_BYTES)
    # b32encode pads on the right, a ULID on the left: encode 160 bits, keep the last 130.
    encoded = base64.b32encode(value.rjust(20, b"\0")).translate(_RFC4648_TO_CROCKFORD)
    return f"{prefix}_{encoded[-ULID_LENGTH:].decode()}"
