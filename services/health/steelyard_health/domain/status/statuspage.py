"""`/api/v2/summary.json` of Atlassian Statuspage, which incident.io speaks too.

The indicator is not looked at: it covers chat apps, and is `none` while incidents are open.
incident.io leaves out `incidents` and `scheduled_maintenances`, or sets them to null.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import Final

import msgspec

from steelyard_health.domain.status.json_body import decoded
from steelyard_health.domain.status.judging import judged
from steelyard_health.domain.status.level import StatusLevel
from steelyard_health.domain.status.reading import (
    Component,
    PageReading,
    Report,
    UnreadablePageError,
)
from steelyard_health.domain.status.rules import ComponentRules
from steelyard_health.domain.status.texts import instant, plain

_COMPONENT_LEVELS: Final[Mapping[str, StatusLevel]] = {
    "operational": StatusLevel.OPERATIONAL,
    "degraded_performance": StatusLevel.DEGRADED,
    "partial_outage": StatusLevel.DEGRADED,
    "major_outage": StatusLevel.OUTAGE,
    "full_outage": StatusLevel.OUTAGE,
    "under_maintenance": StatusLevel.MAINTENANCE,
}
_IMPACTS: Final[Mapping[str, StatusLevel]] = {
    "none": StatusLevel.OPERATIONAL,
    "minor": StatusLevel.DEGRADED,
    "major": StatusLevel.DEGRADED,
    "critical": StatusLevel.OUTAGE,
    "maintenance": StatusLevel.MAINTENANCE,
}
_Groups = Mapping[str | None, str]

_CLOSED = frozenset({"resolved", "postmortem", "completed", "canceled", "cancelled"})
_RUNNING = frozenset({"in_progress", "verifying"})


class _Component(msgspec.Struct):
    name: str
    status: str = ""
    id: str | None = None
    group: bool | None = None
    group_id: str | None = None


class _Update(msgspec.Struct):
    body: str | None = None
    created_at: str | None = None


class _Incident(msgspec.Struct):
    id: str
    name: str
    status: str
    impact: str | None = None
    started_at: str | None = None
    created_at: str | None = None
    updated_at: str | None = None
    resolved_at: str | None = None
    scheduled_for: str | None = None
    shortlink: str | None = None
    incident_updates: list[_Update] | None = None
    components: list[_Component] | None = None


class _Status(msgspec.Struct):
    description: str | None = None


class _Summary(msgspec.Struct):
    components: list[_Component] | None = None
    incidents: list[_Incident] | None = None
    scheduled_maintenances: list[_Incident] | None = None
    status: _Status | None = None


_DECODER: Final = msgspec.json.Decoder(_Summary)


def read_statuspage(body: bytes, rules: ComponentRules, now: datetime) -> PageReading:
    """Return what a summary says of the API.

    Raises:
        UnreadablePageError: It is no summary.
    """
    summary = decoded(_DECODER, body)
    if summary.components is None and summary.incidents is None:
        raise UnreadablePageError("tells neither of components nor of incidents")
    listed = summary.components or []
    groups: _Groups = {each.id: each.name for each in listed if each.group}
    components = [_component(each, groups) for each in listed if not each.group]
    reports = chain(
        (_report(each, groups) for each in summary.incidents or []),
        _running(summary.scheduled_maintenances or [], groups, now),
    )
    description = (summary.status and summary.status.description) or ""
    return judged(rules, components, reports, description)


def _component(raw: _Component, groups: _Groups) -> Component:
    group = groups.get(raw.group_id, "") if raw.group_id else ""
    name = f"{group} {raw.name}" if group else raw.name
    return Component(name, _COMPONENT_LEVELS.get(raw.status, StatusLevel.UNKNOWN))


def _report(raw: _Incident, groups: _Groups, *, is_planned: bool = False) -> Report:
    start = instant(raw.scheduled_for if is_planned else raw.started_at) or instant(raw.created_at)
    if start is None:
        raise UnreadablePageError("tells of an incident without its start")
    update = instant(raw.updated_at)
    end = (instant(raw.resolved_at) or update or start) if raw.status in _CLOSED else None
    # An impact of a kind that is not known is still that of an incident.
    impact = _IMPACTS.get(raw.impact or "minor", StatusLevel.DEGRADED)
    return Report(
        incident_id=raw.id,
        title=raw.name,
        impact=StatusLevel.MAINTENANCE if is_planned else impact,
        start_time=start,
        components=tuple(_component(c, groups) for c in raw.components or [] if not c.group),
        end_time=end,
        update_time=update,
        url=raw.shortlink or "",
        description=_last_words(raw.incident_updates or []),
    )


def _running(planned: Sequence[_Incident], groups: _Groups, now: datetime) -> Iterator[Report]:
    for raw in planned:
        if raw.status in _RUNNING:
            report = _report(raw, groups, is_planned=True)
            if report.start_time <= now:
                yield report


def _last_words(updates: Sequence[_Update]) -> str:
    newest = max(updates, key=lambda each: each.created_at or "", default=None)
    return "" if newest is None else plain(newest.body or "")
