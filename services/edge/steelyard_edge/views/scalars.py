"""Single values as JSON shows them: exact USD, enum labels, times, absent where not known."""

from datetime import UTC, date, datetime
from typing import Any, Protocol

import orjson
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date

from steelyard.common.v1.page_info_pb2 import PageInfo
from steelyard_common.money import usd_text

UNITS_PER_1M = 1_000_000


class EnumNames(Protocol):
    """A generated enum, as far as its names go."""

    def Name(self, number: Any) -> str:
        """Return the name of a value."""


def usd(picodollars: int) -> orjson.Fragment:
    """Return an amount as a JSON number, exact to the last digit and without exponent."""
    return orjson.Fragment(usd_text(picodollars))


def usd_if(picodollars: int | None) -> orjson.Fragment | None:
    """Return an amount, or null where there is none."""
    return None if picodollars is None else usd(picodollars)


def label(names: EnumNames, number: int, prefix: str) -> str | None:
    """Return `heavy` for TIER_HEAVY with the prefix `TIER_`; null for the unspecified value."""
    if not number:
        return None
    return names.Name(number).removeprefix(prefix).lower()


def moment(message: Any, field: str) -> datetime | None:
    """Return a Timestamp field in UTC, null when it is unset."""
    if not message.HasField(field):
        return None
    timestamp: Timestamp = getattr(message, field)
    return timestamp.ToDatetime(tzinfo=UTC)


def day(message: Any, field: str) -> date | None:
    """Return a Date field, null when it is unset or names no whole day."""
    if not message.HasField(field):
        return None
    value: Date = getattr(message, field)
    try:
        return date(value.year, value.month, value.day)
    except ValueError:
        return None


def page(info: PageInfo) -> dict[str, Any]:
    """Return where a page stands; the token is null on the last one."""
    return {"next_page_token": text(info.next_page_token), "total_count": info.total_count}


def seconds(duration: Duration) -> float:
    return duration.ToTimedelta().total_seconds()


def known(count: int) -> int | None:
    """Return a count, null where 0 means not known."""
    return count or None


def text(value: str) -> str | None:
    """Return a text, null where empty means none."""
    return value or None
