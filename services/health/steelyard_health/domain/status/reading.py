"""What is read from a status page: raw reports, and what they mean for the API."""

from dataclasses import dataclass
from datetime import datetime

from steelyard_health.domain.status.level import StatusLevel

MAX_PARTS = 1000
"""Components, or incidents, of one page; real ones have up to about 160."""

MAX_INCIDENTS = 200
"""Kept of one page; what lasts comes first, then the newest."""


class UnreadablePageError(Exception):
    """A body is not what the page's format promises; the message is one sentence for people."""


@dataclass(frozen=True, slots=True)
class Component:
    """A part of a provider, as its page names it."""

    name: str
    """With the name of its group before it."""
    level: StatusLevel
    """UNKNOWN when the page does not tell, or in a word that is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a page tells of one incident, before anybody has judged whether the API is meant."""

    incident_id: str
    title: str
    impact: StatusLevel
    """By the page's own words, over everything that is touched; MAINTENANCE for planned work."""
    start_time: datetime
    components: tuple[Component, ...] = ()
    """Named as touched; empty when the page does not say."""
    touches_api: bool | None = None
    """None when only the names of components can tell."""
    end_time: datetime | None = None
    update_time: datetime | None = None
    url: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """What a page tells of one incident, texts bounded."""

    incident_id: str
    title: str
    level: StatusLevel
    components: tuple[str, ...]
    touches_api: bool
    start_time: datetime
    end_time: datetime | None = None
    """None while it lasts."""
    update_time: datetime | None = None
    url: str = ""
    description: str = ""

    @property
    def is_open(self) -> bool:
        return self.end_time is None


@dataclass(frozen=True, slots=True, kw_only=True)
class PageReading:
    """What one page says at one moment."""

    level: StatusLevel
    """Of the API alone."""
    description: str
    """In the page's own words; empty when it has none."""
    incidents: tuple[Incident, ...] = ()
    """Those that touch something else, too."""
