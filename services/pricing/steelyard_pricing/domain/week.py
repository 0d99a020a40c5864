"""Parts of the week in UTC, for prices that depend on the time of day."""

from collections.abc import Iterable
from datetime import datetime
from itertools import pairwise

from steelyard_pricing.domain.rates import TimeWindow

MINUTES_PER_DAY = 24 * 60
DAYS = range(1, 8)

Span = tuple[int, int]
"""Minutes of the day in UTC; the second is exclusive."""


def minute_of_week(time: datetime) -> int:
    """Return the minute of an aware UTC time, counted from Monday midnight."""
    return time.weekday() * MINUTES_PER_DAY + time.hour * 60 + time.minute


def contains(windows: Iterable[TimeWindow], minute: int) -> bool:
    """Say whether a minute of the week lies in one of the windows."""
    day, minute_of_day = divmod(minute, MINUTES_PER_DAY)
    return any(
        window.start_minute <= minute_of_day < window.end_minute
        and (not window.weekdays or day + 1 in window.weekdays)
        for window in windows
    )


def windows_between(
    hours: Iterable[Span], weekdays: Iterable[int], *, weekday_offset_minutes: int = 0
) -> tuple[TimeWindow, ...]:
    """Return the windows in which the hour and the weekday both fit.

    Args:
        hours: Minutes of the day in UTC; an end at or before the start lies on the next day.
        weekdays: 1 is Monday.
        weekday_offset_minutes: Where weekdays change: 480 for a zone eight hours ahead of UTC.
    """
    spans, on_days = list(hours), set(weekdays)
    # Nothing changes between two of these minutes of the day.
    edges = {0, MINUTES_PER_DAY, -weekday_offset_minutes % MINUTES_PER_DAY}
    edges.update(edge for span in spans for edge in span)
    fitting: dict[Span, list[int]] = {}
    for day in DAYS:
        inside = [
            (start, end)
            for start, end in pairwise(sorted(edges))
            if _weekday(day, start + weekday_offset_minutes) in on_days
            and any(_covers(span, start) for span in spans)
        ]
        for span in _joined(inside):
            fitting.setdefault(span, []).append(day)
    return tuple(
        TimeWindow(() if len(days) == len(DAYS) else tuple(days), start, end)
        for (start, end), days in sorted(fitting.items())
    )


def _covers(span: Span, minute: int) -> bool:
    start, end = span
    return start <= minute < end if start < end else minute >= start or minute < end


def _weekday(day: int, minute: int) -> int:
    """Return the weekday `minute` minutes after midnight of `day`, also beyond midnight."""
    return (day - 1 + minute // MINUTES_PER_DAY) % len(DAYS) + 1


def _joined(spans: Iterable[Span]) -> list[Span]:
    """Merge spans that follow each other without a gap."""
    joined: list[Span] = []
    for start, end in spans:
        if joined and joined[-1][1] == start:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined
