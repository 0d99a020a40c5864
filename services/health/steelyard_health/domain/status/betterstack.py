"""`index.json` of Better Stack: resources, sections and reports in one JSON:API document.

A report is over when it says so: its end may be missing all the same.
"""

from collections.abc import Iterable, Mapping, Sequence
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
from steelyard_health.domain.status.texts import instant, plain

_LEVELS: Final[Mapping[str, StatusLevel]] = {
    "operational": StatusLevel.OPERATIONAL,
    "resolved": StatusLevel.OPERATIONAL,
    "degraded": StatusLevel.DEGRADED,
    "downtime": StatusLevel.OUTAGE,
    "maintenance": StatusLevel.MAINTENANCE,
}
_NOT_MONITORED = "not_monitored"
_RESOLVED = "resolved"
_MAINTENANCE = "maintenance"


class _Affected(msgspec.Struct):
    status_page_resource_id: str | int
    status: str = ""


class _Attributes(msgspec.Struct):
    """Of any kind of entry; each kind has some of them."""

    name: str | None = None
    public_name: str | None = None
    status: str | None = None
    status_page_section_id: str | int | None = None
    title: str | None = None
    report_type: str | None = None
    starts_at: str | None = None
    ends_at: str | None = None
    aggregate_state: str | None = None
    affected_resources: list[_Affected] | None = None
    message: str | None = None
    published_at: str | None = None


class _Reference(msgspec.Struct):
    id: str


class _Updates(msgspec.Struct):
    data: list[_Reference] | None = None


class _Relationships(msgspec.Struct):
    status_updates: _Updates | None = None


class _Entry(msgspec.Struct):
    type: str
    id: str
    attributes: _Attributes
    relationships: _Relationships | None = None


class _Index(msgspec.Struct):
    included: list[_Entry]


_DECODER: Final = msgspec.json.Decoder(_Index)


def read_betterstack(body: bytes, rules: ComponentRules, now: datetime) -> PageReading:
    """Return what an index says of the API.

    Raises:
        UnreadablePageError: It is no index, or none of its resources is known as the API.
    """
    entries = decoded(_DECODER, body).included
    sections = {entry.id: entry.attributes.name or "" for entry in _of(entries, "section")}
    components = {
        entry.id: _component(entry.attributes, sections)
        for entry in _of(entries, "resource")
        # Of what nobody watches the page knows nothing.
        if entry.attributes.status not in {None, _NOT_MONITORED}
    }
    if not components:
        raise UnreadablePageError("names no component that is watched")
    updates = {entry.id: entry.attributes for entry in entries if entry.type == "status_update"}
    reports = (_report(each, components, updates, now) for each in _of(entries, "report"))
    return judged(rules, tuple(components.values()), (each for each in reports if each is not None))


def _of(entries: Iterable[_Entry], kind: str) -> Iterable[_Entry]:
    names = {f"status_page_{kind}", f"status_{kind}"}
    return (entry for entry in entries if entry.type in names)


def _component(raw: _Attributes, sections: Mapping[str, str]) -> Component:
    section = sections.get(str(raw.status_page_section_id), "")
    return Component(f"{section} {raw.public_name or ''}".strip(), _level(raw.status))


def _level(word: str | None) -> StatusLevel:
    return _LEVELS.get(word or "", StatusLevel.UNKNOWN)


def _report(
    entry: _Entry,
    components: Mapping[str, Component],
    updates: Mapping[str, _Attributes],
    now: datetime,
) -> Report | None:
    """Return what a report tells; None of work that is planned for later."""
    raw = entry.attributes
    start = instant(raw.starts_at)
    if start is None:
        raise UnreadablePageError("tells of a report without its start")
    is_planned = raw.report_type == _MAINTENANCE
    if is_planned and start > now:
        return None
    told = _updates(entry, updates)
    last = max(told, key=lambda each: each.published_at or "", default=_Attributes())
    update = instant(last.published_at)
    end = _end(raw, update or start, now)
    affected = raw.affected_resources or []
    # Of what is over only the updates say how bad it was.
    listed = [*affected, *(part for each in told if end for part in each.affected_resources or [])]
    levels = [_level(raw.aggregate_state), *(_level(each.status) for each in listed)]
    return Report(
        incident_id=entry.id,
        title=raw.title or "",
        impact=StatusLevel.MAINTENANCE if is_planned else worst(levels),
        start_time=start,
        components=tuple(
            Component(components[key].name, _level(each.status))
            for each in affected
            if (key := str(each.status_page_resource_id)) in components
        ),
        end_time=end,
        update_time=update,
        description=plain(last.message or ""),
    )


def _end(raw: _Attributes, last_told: datetime, now: datetime) -> datetime | None:
    end = instant(raw.ends_at)
    if end is not None and end <= now:
        return end
    return last_told if raw.aggregate_state == _RESOLVED else None


def _updates(entry: _Entry, updates: Mapping[str, _Attributes]) -> Sequence[_Attributes]:
    related = entry.relationships and entry.relationships.status_updates
    return [updates[each.id] for each in (related and related.data) or [] if each.id in updates]
