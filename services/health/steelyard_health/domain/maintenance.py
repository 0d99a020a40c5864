"""Planned absences, and what people did by hand."""

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType

from steelyard_health.domain.outcome import provider_of

MAX_AHEAD = timedelta(days=366)
"""How far from now the end of an absence may be."""

KEPT = timedelta(days=30)
"""How long an absence is kept after its end; its actions stay."""

MAX_WINDOWS = 1000
"""Absences that are planned or hold at one time."""

MAX_NOTE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Maintenance:
    """A planned absence of a provider or of one offer."""

    provider: str
    offer: str = ""
    """Empty when the whole provider is meant."""
    start_time: datetime
    end_time: datetime
    """Not part of it any more."""
    note: str = ""
    actor: str = ""

    @property
    def name(self) -> str:
        """Id of the offer or of the provider."""
        return self.offer or self.provider

    def holds_at(self, now: datetime) -> bool:
        """Say whether the absence holds at a time."""
        return self.start_time <= now < self.end_time


@dataclass(frozen=True, slots=True, eq=False)
class MaintenancePlan:
    """All absences by the name of their offer or provider.

    A plan never changes: another one replaces it, so that the same object means the same plan. What
    holds changes with the time alone, though.
    """

    windows: Mapping[str, Maintenance] = field(default_factory=lambda: MappingProxyType({}))

    @classmethod
    def of_windows(cls, windows: Iterable[Maintenance]) -> "MaintenancePlan":
        """Return the plan of absences, of which each name has one at most."""
        return cls(MappingProxyType({each.name: each for each in windows}))

    def of(self, name: str, now: datetime) -> Maintenance | None:
        """Return the absence that holds for an offer, by its provider's too, or for a provider."""
        for each in (name, provider_of(name)):
            window = self.windows.get(each)
            if window is not None and window.holds_at(now):
                return window
        return None


class ActionKind(enum.IntEnum):
    """What can be done by hand; numbered as in the contract."""

    RESET = 1
    MAINTENANCE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthAction:
    """What somebody did by hand."""

    action_id: str
    kind: ActionKind
    provider: str
    offer: str
    """Empty when the whole provider is meant."""
    actor: str
    time: datetime
    note: str
    maintenance: Maintenance | None = None
    """The absence that was planned or ended."""
