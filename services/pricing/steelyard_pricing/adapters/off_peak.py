"""The off-peak windows of LiteLLM's map: hours in UTC, on weekdays that may be of another zone."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from steelyard_pricing.domain.rates import TimeWindow
from steelyard_pricing.domain.week import DAYS, MINUTES_PER_DAY, Span, windows_between

_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)", re.ASCII)
# A zone whose offset changes between these has summer time.
_PROBES = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC))


class UnreadableWindowError(ValueError):
    """The windows are not of the known form; their prices must not apply all day."""


def read_windows(pricing: Mapping[str, object]) -> tuple[TimeWindow, ...]:
    """Return the windows in which `pricing` applies.

    Raises:
        UnreadableWindowError: A window is unreadable, or there is none.
    """
    listed = pricing.get("windows", [pricing])
    if not isinstance(listed, list) or not listed:
        raise UnreadableWindowError("there are no windows")
    offset = _offset_minutes(pricing.get("weekday_timezone"))
    return tuple(window for item in listed for window in _read_window(item, offset))


def _read_window(item: object, offset_minutes: int) -> Iterable[TimeWindow]:
    if not isinstance(item, dict):
        raise UnreadableWindowError("a window is not an object")
    hours = item.get("hours_utc")
    spans = [_span(text) for text in (hours if isinstance(hours, list) else [hours])]
    weekdays = item.get("weekdays", list(DAYS))
    if not isinstance(weekdays, list) or any(day not in DAYS for day in weekdays):
        raise UnreadableWindowError("weekdays are numbers from 1 to 7")
    return windows_between(spans, weekdays, weekday_offset_minutes=offset_minutes)


def _span(text: object) -> Span:
    match = _HOURS.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise UnreadableWindowError("hours are not of the form 10:00-16:30")
    from_hour, from_minute, to_hour, to_minute = map(int, match.groups())
    return from_hour * 60 + from_minute, (to_hour * 60 + to_minute) or MINUTES_PER_DAY


def _offset_minutes(zone: object) -> int:
    if zone is None:
        return 0
    if not isinstance(zone, str):
        raise UnreadableWindowError("the zone of the weekdays is not a name")
    try:
        info = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UnreadableWindowError("the zone of the weekdays is not known") from error
    offsets = {moment.astimezone(info).utcoffset() for moment in _PROBES}
    if len(offsets) > 1:
        raise UnreadableWindowError("weekdays of a zone with summer time move in UTC")
    offset = offsets.pop()
    return int(offset.total_seconds()) // 60 if offset else 0
