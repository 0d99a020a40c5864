"""`summary/active` of Flashduty (Flashcat): components without states, and what goes on.

A component is as bad as the worst of what goes on says of it.
"""

from collections.abc import Mapping, Sequence
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
from steelyard_health.domain.status.texts import epoch_instant, plain

_LEVELS: Final[Mapping[str, StatusLevel]] = {
    "operational": StatusLevel.OPERATIONAL,
    "degraded": StatusLevel.DEGRADED,
    "degraded_performance": StatusLevel.DEGRADED,
    "partial_outage": StatusLevel.DEGRADED,
    "full_outage": StatusLevel.OUTAGE,
    "major_outage": StatusLevel.OUTAGE,
    "maintenance": StatusLevel.MAINTENANCE,
    "under_maintenance": StatusLevel.MAINTENANCE,
}
_CLOSED = frozenset({"resolved", "completed", "canceled", "cancelled"})
_RUNNING = frozenset({"ongoing", "in_progress"})
_MAINTENANCE = "maintenance"


class _Component(msgspec.Struct):
    component_id: str
    name: str


class _Affected(msgspec.Struct):
    component_id: str
    status: str
    name: str | None = None


class _Update(msgspec.Struct):
    at_seconds: int | float | None = None
    description: str | None = None


class _Change(msgspec.Struct):
    change_id: str | int
    title: str
    status: str
    start_at_seconds: int | float
    close_at_seconds: int | float | None = None
    type: str | None = None
    description: str | None = None
    affected_components: list[_Affected] | None = None
    updates: list[_Update] | None = None


class _Page(msgspec.Struct):
    components: list[_Component]


class _Data(msgspec.Struct):
    page: _Page
    active_changes: list[_Change] | None = None


class _Answer(msgspec.Struct):
    data: _Data


_DECODER: Final = msgspec.json.Decoder(_Answer)


def read_flashduty(body: bytes, rules: ComponentRules, now: datetime) -> PageReading:
    """Return what a summary says of the API.

    Raises:
        UnreadablePageError: It is no summary, or names no component that is known as the API.
    """
    data = decoded(_DECODER, body).data
    if not data.page.components:
        raise UnreadablePageError("names no component")
    changes = [each for each in data.active_changes or [] if _counts(each, now)]
    levels = _levels(changes)
    components = [
        Component(each.name, levels.get(each.component_id, StatusLevel.OPERATIONAL))
        for each in data.page.components
    ]
    names = {each.component_id: each.name for each in data.page.components}
    return judged(rules, components, (_report(each, names) for each in changes))


def _counts(change: _Change, now: datetime) -> bool:
    """Whether it is no work that is planned for later."""
    start = epoch_instant(change.start_at_seconds)
    if start is None:
        raise UnreadablePageError("tells of a change without its start")
    return change.type != _MAINTENANCE or (change.status in _RUNNING and start <= now)


def _levels(changes: Sequence[_Change]) -> Mapping[str, StatusLevel]:
    """Return the worst that goes on, by component; UNKNOWN where a word is not known."""
    levels: dict[str, StatusLevel] = {}
    for change in changes:
        for each in change.affected_components or []:
            if change.status not in _CLOSED:
                level = _LEVELS.get(each.status, StatusLevel.UNKNOWN)
                known = levels.get(each.component_id, StatusLevel.OPERATIONAL)
                is_known = StatusLevel.UNKNOWN not in {level, known}
                levels[each.component_id] = (
                    worst((level, known)) if is_known else StatusLevel.UNKNOWN
                )
    return levels


def _report(change: _Change, names: Mapping[str, str]) -> Report:
    start = epoch_instant(change.start_at_seconds)
    if start is None:
        raise UnreadablePageError("tells of a change without its start")
    touched = tuple(
        Component(
            names.get(each.component_id) or each.name or each.component_id,
            _LEVELS.get(each.status, StatusLevel.UNKNOWN),
        )
        for each in change.affected_components or []
    )
    last = max(change.updates or [], key=lambda each: each.at_seconds or 0, default=_Update())
    update = epoch_instant(last.at_seconds)
    close = epoch_instant(change.close_at_seconds)
    known = [each.level for each in touched if each.level is not StatusLevel.UNKNOWN]
    impact = worst(known) if known else StatusLevel.DEGRADED
    return Report(
        incident_id=str(change.change_id),
        title=change.title,
        impact=StatusLevel.MAINTENANCE if change.type == _MAINTENANCE else impact,
        start_time=start,
        components=touched,
        end_time=(close or update or start) if change.status in _CLOSED else None,
        update_time=update,
        description=plain(last.description or change.description or ""),
    )
