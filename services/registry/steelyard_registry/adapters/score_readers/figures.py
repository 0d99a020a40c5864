"""Names and figures of a source, checked; what is not a sane one counts as absent."""

import math
import re

from steelyard_catalog import fields

MAX_NAME_LENGTH = 256

# Ratings of the Arena have been between 700 and 1600; the sign of a bad one is no error.
_MAX_RATING = 10_000.0
_NUMBER = re.compile(r"-?\d{1,20}(?:\.\d{0,30})?(?:[eE][+-]?\d{1,3})?", re.ASCII)
_COUNT = re.compile(r"\d{1,12}", re.ASCII)


def name(value: object) -> str:
    """Return a name without the space around it; empty when it is no text, unprintable or long."""
    if not isinstance(value, str):
        return ""
    stripped = value.strip()
    # What is printable holds no control character and no lone surrogate.
    return stripped if len(stripped) <= MAX_NAME_LENGTH and stripped.isprintable() else ""


def decimal_text(text: str) -> float | None:
    """Return the number of a cell; None for `nan`, `inf` and everything else."""
    stripped = text.strip()
    number = float(stripped) if _NUMBER.fullmatch(stripped) else math.inf
    return number if math.isfinite(number) else None


def count_text(text: str) -> int:
    """Return the count of a cell; 0 when it is not known."""
    stripped = text.strip()
    return int(stripped) if _COUNT.fullmatch(stripped) else 0


def json_number(mapping: fields.Fields, field: str) -> float | None:
    """Return the number of a field of JSON; None when it is absent, odd or out of proportion."""
    number = fields.number(mapping, field)
    return None if number is None else float(number)


def rating(number: float | None) -> float | None:
    """Return a rating that is one; else None."""
    return number if number is not None and abs(number) <= _MAX_RATING else None


def share(number: float | None, *, whole: float = 1.0) -> float | None:
    """Return a number between 0 and `whole` as a share from 0 to 1; None outside of it."""
    if number is None or not 0 <= number <= whole:
        return None
    # 57.6 of 100 is 0.576; sources have six digits at most.
    return round(number / whole, 12)
