"""From what a page tells to what it means for the API.

The level of a page is the worst of two:

1. Its API components. OUTAGE when at least half of them are out; a single model of many that is
   out leaves the API partly down, which is DEGRADED.
2. Incidents that last and touch the API.

Chat apps, consoles, sites and the like count in neither. An incident that names components touches
the API when one of them is part of it. Its impact is that of everything it touches, so where the
page tells how the touched API components are, those decide; an open incident on components that are
called operational is DEGRADED all the same, for pages close components before incidents and open
incidents before components.

An incident that names no component does not touch the API when its title names something else
and not the API, or when the only components that are not well are others. Else it does: as
DEGRADED at most, and as what its impact says only when API components are not all well either.
A page whose incidents name no component and that tells nothing of components, therefore,
is never more than DEGRADED: half the score is not lost because of a web site.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from steelyard_health.domain.status.level import StatusLevel, at_most_degraded, worst
from steelyard_health.domain.status.reading import (
    MAX_INCIDENTS,
    MAX_PARTS,
    Component,
    Incident,
    PageReading,
    Report,
    UnreadablePageError,
)
from steelyard_health.domain.status.rules import ComponentRules
from steelyard_health.domain.status.texts import (
    MAX_COMPONENTS,
    MAX_DESCRIPTION,
    MAX_NAME,
    MAX_TITLE,
    bounded_id,
    one_line,
    web_address,
)

_WELL = StatusLevel.OPERATIONAL


@dataclass(frozen=True, slots=True)
class _Judge:
    rules: ComponentRules
    api_level: StatusLevel
    tells_components: bool
    only_others_unwell: bool

    @classmethod
    def of(cls, rules: ComponentRules, components: Sequence[Component]) -> "_Judge":
        if len(components) > MAX_PARTS:
            raise UnreadablePageError(f"names more than {MAX_PARTS} components")
        api = [each for each in components if rules.counts(each.name)]
        if components and not api:
            raise UnreadablePageError("names no component that is known as its API")
        for each in api:
            if each.level is StatusLevel.UNKNOWN:
                name = one_line(each.name, MAX_NAME)
                raise UnreadablePageError(f"says of {name} what is not understood")
        api_level = _level_of(api)
        others = [each for each in components if not rules.counts(each.name)]
        return cls(
            rules=rules,
            api_level=api_level,
            tells_components=bool(components),
            only_others_unwell=api_level is _WELL and worst(c.level for c in others) is not _WELL,
        )

    def incident(self, report: Report) -> Incident:
        touches = self._touches(report)
        start = report.start_time
        return Incident(
            incident_id=bounded_id(report.incident_id),
            title=one_line(report.title, MAX_TITLE),
            level=self._level(report) if touches and report.end_time is None else report.impact,
            components=tuple(
                dict.fromkeys(
                    one_line(c.name, MAX_NAME) for c in report.components[:MAX_COMPONENTS]
                )
            ),
            touches_api=touches,
            start_time=start,
            end_time=report.end_time and max(start, report.end_time),
            update_time=report.update_time,
            url=web_address(report.url),
            description=one_line(report.description, MAX_DESCRIPTION),
        )

    def _touches(self, report: Report) -> bool:
        if report.touches_api is not None:
            return report.touches_api
        if report.components:
            return any(self.rules.counts(each.name) for each in report.components)
        if self.rules.names_api(report.title):
            return True
        return not self.rules.names_other(report.title) and not self.only_others_unwell

    def _level(self, report: Report) -> StatusLevel:
        if report.impact is StatusLevel.MAINTENANCE:
            return report.impact
        if not report.components:
            is_confirmed = self.api_level is not _WELL
            return report.impact if is_confirmed else at_most_degraded(report.impact)
        touched = worst(each.level for each in report.components if self.rules.counts(each.name))
        if touched is StatusLevel.UNKNOWN or not self.tells_components:
            return report.impact if touched in {StatusLevel.UNKNOWN, _WELL} else touched
        if touched is _WELL:
            return at_most_degraded(report.impact)
        return touched if self.api_level is StatusLevel.OUTAGE else at_most_degraded(touched)


def judged(
    rules: ComponentRules,
    components: Sequence[Component],
    reports: Iterable[Report],
    description: str = "",
) -> PageReading:
    """Return what a page means for the API; see the module for how.

    Args:
        rules: What counts as the API.
        components: All that the page names with their states; empty when it tells none.
        reports: What it tells of incidents.
        description: The page's own words; by default the title of the worst incident.

    Raises:
        UnreadablePageError: No component is known as the API, its state is not understood, or there
            is too much of it.
    """
    judge = _Judge.of(rules, components)
    incidents = [judge.incident(report) for report in islice(reports, MAX_PARTS + 1)]
    if len(incidents) > MAX_PARTS:
        raise UnreadablePageError(f"tells of more than {MAX_PARTS} incidents")
    present = [each for each in incidents if each.is_open and each.touches_api]
    level = worst([judge.api_level, *(each.level for each in present)])
    if not description:
        description = next((each.title for each in present if each.level is level), "")
    return PageReading(
        level=level, description=one_line(description, MAX_TITLE), incidents=_kept(incidents)
    )


def _level_of(components: Sequence[Component]) -> StatusLevel:
    level = worst(each.level for each in components)
    out = sum(each.level is StatusLevel.OUTAGE for each in components)
    return level if out * 2 >= len(components) else at_most_degraded(level)


def _kept(incidents: Iterable[Incident]) -> tuple[Incident, ...]:
    """Return incidents by id, one of each."""
    newest = sorted(incidents, key=lambda each: (each.is_open, each.start_time), reverse=True)
    by_id: dict[str, Incident] = {}
    for each in newest:
        by_id.setdefault(each.incident_id, each)
    return tuple(by_id.values())[:MAX_INCIDENTS]
