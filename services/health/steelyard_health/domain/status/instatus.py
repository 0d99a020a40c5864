"""`summary.json` of Instatus: the state of the whole page, and what goes on.

Its incidents name no component, so it never says more than DEGRADED of the API.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

import msgspec

from steelyard_health.domain.status.json_body import decoded
from steelyard_health.domain.status.judging import judged
from steelyard_health.domain.status.level import StatusLevel
from steelyard_health.domain.status.reading import PageReading, Report, UnreadablePageError
from steelyard_health.domain.status.rules import ComponentRules
from steelyard_health.domain.status.texts import instant

_PAGE_STATES = frozenset({"UP", "HASISSUES", "UNDERMAINTENANCE"})
_IMPACTS: Final[Mapping[str, StatusLevel]] = {
    "OPERATIONAL": StatusLevel.OPERATIONAL,
    "UNDERMAINTENANCE": StatusLevel.MAINTENANCE,
    "DEGRADEDPERFORMANCE": StatusLevel.DEGRADED,
    "PARTIALOUTAGE": StatusLevel.DEGRADED,
    "MINOROUTAGE": StatusLevel.DEGRADED,
    "MAJOROUTAGE": StatusLevel.OUTAGE,
}
_RESOLVED = "RESOLVED"
_RUNNING = frozenset({"INPROGRESS", "VERIFYING"})


class _Page(msgspec.Struct):
    status: str


class _Incident(msgspec.Struct):
    name: str
    started: str
    status: str
    id: str | None = None
    impact: str | None = None
    url: str | None = None
    updated: str | None = msgspec.field(name="updatedAt", default=None)


class _Maintenance(msgspec.Struct):
    name: str
    start: str
    status: str
    id: str | None = None
    url: str | None = None
    updated: str | None = msgspec.field(name="updatedAt", default=None)


class _Summary(msgspec.Struct):
    page: _Page
    incidents: list[_Incident] | None = msgspec.field(name="activeIncidents", default=None)
    planned: list[_Maintenance] | None = msgspec.field(name="activeMaintenances", default=None)


_DECODER: Final = msgspec.json.Decoder(_Summary)


def read_instatus(body: bytes, rules: ComponentRules, now: datetime) -> PageReading:
    """Return what a summary says of the API.

    Raises:
        UnreadablePageError: It is no summary, or in a state that is not known.
    """
    summary = decoded(_DECODER, body)
    if summary.page.status not in _PAGE_STATES:
        raise UnreadablePageError("is in a state that is not known")
    reports = [_report(each) for each in summary.incidents or []]
    running = [each for each in summary.planned or [] if each.status in _RUNNING]
    reports += [report for each in running if (report := _work(each)).start_time <= now]
    reading = judged(rules, (), reports)
    if summary.page.status == "UP" or any(each.is_open for each in reading.incidents):
        return reading
    # Something is not well, and the page does not say what.
    is_work = summary.page.status == "UNDERMAINTENANCE"
    level = StatusLevel.MAINTENANCE if is_work else StatusLevel.DEGRADED
    return replace(reading, level=level)


def _report(raw: _Incident) -> Report:
    update = instant(raw.updated)
    start = _start(raw.started)
    return Report(
        incident_id=raw.id or f"{raw.name} {start:%Y%m%dT%H%M%SZ}",
        title=raw.name,
        # An impact of a kind that is not known is still that of an incident.
        impact=_IMPACTS.get(raw.impact or "", StatusLevel.DEGRADED),
        start_time=start,
        end_time=(update or start) if raw.status == _RESOLVED else None,
        update_time=update,
        url=raw.url or "",
    )


def _work(raw: _Maintenance) -> Report:
    start = _start(raw.start)
    return Report(
        incident_id=raw.id or f"{raw.name} {start:%Y%m%dT%H%M%SZ}",
        title=raw.name,
        impact=StatusLevel.MAINTENANCE,
        start_time=start,
        update_time=instant(raw.updated),
        url=raw.url or "",
    )


def _start(text: str) -> datetime:
    start = instant(text)
    if start is None:
        raise UnreadablePageError("tells of an incident without its start")
    return start
