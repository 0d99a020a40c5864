"""Which incidents somebody asks for, and where a page of them begins."""

from dataclasses import dataclass
from datetime import datetime

from steelyard_health.domain.status.reading import Incident


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentQuery:
    """What is wanted."""

    provider: str = ""
    """Empty means all."""
    open_only: bool = False


@dataclass(frozen=True, slots=True)
class StoredIncident:
    """An incident and whose it is."""

    provider: str
    incident: Incident

    @property
    def place(self) -> "IncidentPlace":
        return IncidentPlace(self.incident.start_time, self.provider, self.incident.incident_id)


@dataclass(frozen=True, slots=True)
class IncidentPlace:
    """Where an incident stands in the list of all, by which it is ordered."""

    start_time: datetime
    provider: str
    incident_id: str
