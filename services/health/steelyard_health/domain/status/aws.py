"""`currentevents` of Amazon's cloud: all services and regions in one list, in UTF-16.

An event is of a service in a region, such as `bedrock-us-east-1`, and may list others that it
reaches. Whole regions stay red for months, hence only named regions count.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

import msgspec

from steelyard_health.domain.status.json_body import decoded
from steelyard_health.domain.status.judging import judged
from steelyard_health.domain.status.level import StatusLevel, worst
from steelyard_health.domain.status.reading import (
    Component,
    PageReading,
    Report,
    UnreadablePageError,
)
from steelyard_health.domain.status.rules import ComponentRules
from steelyard_health.domain.status.texts import epoch_instant, one_line, plain

_RESOLVED = "0"
_LEVELS: Final[Mapping[str, StatusLevel]] = {
    _RESOLVED: StatusLevel.OPERATIONAL,
    "1": StatusLevel.DEGRADED,
    "2": StatusLevel.DEGRADED,
    "3": StatusLevel.OUTAGE,
}
_Number = str | int | float | None


class _LogEntry(msgspec.Struct):
    message: str | None = None
    summary: str | None = None
    timestamp: _Number = None


class _Impact(msgspec.Struct):
    current: _Number = None


class _Event(msgspec.Struct):
    service: str
    date: _Number = None
    arn: str | None = None
    status: _Number = None
    end_time: _Number = None
    summary: str | None = None
    service_name: str | None = None
    event_log: list[_LogEntry] | None = None
    impacted_services: dict[str, _Impact] | None = None


_DECODER: Final = msgspec.json.Decoder(list[_Event])


def read_aws(body: bytes, rules: ComponentRules, now: datetime) -> PageReading:
    """Return what the list says of `rules.services` in `rules.regions`; others are not even kept.

    Raises:
        UnreadablePageError: It is no such list.
    """
    del now
    events = decoded(_DECODER, body)
    ours = {f"{service}-{region}" for service in rules.services for region in rules.regions}
    found = ((event, sorted(ours & _services(event))) for event in events)
    return judged(rules, (), (_report(event, touched) for event, touched in found if touched))


def _services(event: _Event) -> set[str]:
    return {event.service, *(event.impacted_services or {})}


def _report(event: _Event, touched: list[str]) -> Report:
    start = _time(event.date)
    if start is None:
        raise UnreadablePageError("tells of an event without its start")
    log = event.event_log or []
    last = max(log, key=lambda entry: _seconds(entry.timestamp) or 0.0, default=_LogEntry())
    update = _time(last.timestamp)
    end = _time(event.end_time)
    level = _level(event, touched)
    if end is None and level is StatusLevel.OPERATIONAL:
        end = update or start
    return Report(
        # One event may have several rows, one of each service.
        incident_id=f"{event.arn or event.service} {start:%Y%m%dT%H%M%SZ}",
        title=one_line(f"{event.service_name or event.service}: {event.summary or 'event'}", 300),
        impact=level,
        start_time=start,
        components=tuple(Component(each, StatusLevel.UNKNOWN) for each in touched),
        touches_api=True,
        end_time=end,
        update_time=update,
        description=plain(last.message or last.summary or ""),
    )


def _level(event: _Event, touched: list[str]) -> StatusLevel:
    """Return how the touched services are, by what is told of them or of the whole event."""
    impacted = event.impacted_services or {}
    words = [impacted[name].current for name in touched if name in impacted]
    told = [_LEVELS.get(_word(word)) for word in words if word is not None]
    if told and _word(event.status) != _RESOLVED:
        return worst(level or StatusLevel.DEGRADED for level in told)
    return _LEVELS.get(_word(event.status), StatusLevel.DEGRADED)


def _word(value: _Number) -> str:
    return "" if value is None else str(value)


def _time(value: _Number) -> datetime | None:
    return epoch_instant(_seconds(value))


def _seconds(value: _Number) -> float | None:
    if value is None:
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None
