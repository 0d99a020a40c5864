"""What is known of a status page now."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from steelyard_health.domain.status.level import StatusLevel, status_factor

EXPIRY: Final = timedelta(minutes=15)
"""How long what a page said counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageStatus:
    """The last good reading of a page, and what went wrong since."""

    level: StatusLevel = StatusLevel.UNKNOWN
    """As it was read."""
    description: str = ""
    page_url: str = ""
    """For people."""
    read_time: datetime | None = None
    """When it was last read with success."""
    problem: str = ""
    """Why it could not be read or understood last; empty when it could."""
    open_incident_count: int = 0
    """Incidents that touch the API and last."""

    def level_at(self, now: datetime) -> StatusLevel:
        """Return what the page says of the API, UNKNOWN when that was long ago."""
        is_current = self.read_time is not None and now - self.read_time <= EXPIRY
        return self.level if is_current else StatusLevel.UNKNOWN

    def factor_at(self, now: datetime) -> float:
        """Return what a score is multiplied by: 0.5 to 1, and 1 when nothing is known."""
        return status_factor(self.level_at(now))
