"""Typed access to a source's fields; what has an odd type counts as absent."""

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal

_MAX_TEXT = 2048
_MAX_LIST = 64
_MAX_COUNT = 10**15
# Feeds cut dates short: a month alone means its first day, a year alone the first of January.
_DAY = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?", re.ASCII)

Fields = Mapping[str, object]


def text(fields: Fields, name: str) -> str:
    """Return a text that can be sent on as UTF-8; else empty."""
    value = fields.get(name)
    return value if isinstance(value, str) and _is_sendable(value) else ""


def texts(fields: Fields, name: str) -> tuple[str, ...]:
    """Return the usable texts of a list."""
    value = fields.get(name)
    if not isinstance(value, list):
        return ()
    return tuple(item for item in value[:_MAX_LIST] if isinstance(item, str) and _is_sendable(item))


def flag(fields: Fields, name: str) -> bool | None:
    """Return what a flag says; None when it does not say."""
    value = fields.get(name)
    return value if isinstance(value, bool) else None


def count(fields: Fields, name: str) -> int | None:
    """Return a whole number >= 0, which some sources write as `32000.0` or as text."""
    value = fields.get(name)
    if (
        isinstance(value, str)
        and value.isascii()
        and value.isdigit()
        and len(value) <= len(str(_MAX_COUNT))
    ):
        value = int(value)
    if isinstance(value, Decimal) and value == value.to_integral_value():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value <= _MAX_COUNT else None


def number(fields: Fields, name: str) -> Decimal | None:
    """Return a number exactly as the source wrote it, negative ones included."""
    value = fields.get(name)
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return Decimal(value)
    return value if isinstance(value, Decimal) else None


def day(fields: Fields, name: str) -> date | None:
    """Return a date `2026-11-30`, `2026-11` or `2026`."""
    value = fields.get(name)
    match = _DAY.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    year, month, day_of_month = match.groups(default="1")
    try:
        return date(int(year), int(month), int(day_of_month))
    except ValueError:
        return None


def _is_sendable(value: str) -> bool:
    """Whether a text is short and free of lone surrogates, which protobuf refuses."""
    return len(value) <= _MAX_TEXT and (value.isascii() or value == _without_surrogates(value))


def _without_surrogates(value: str) -> str:
    return value.encode("utf-8", "replace").decode()
