"""What a sync tells while it runs, and at its end."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import IntEnum

from steelyard_common.leased_job import JobRun
from steelyard_registry.domain.events import EventKind


class SourceResult(IntEnum):
    """What came of reading a source; numbered as in the contract."""

    READ = 1
    UNCHANGED = 2
    SKIPPED = 3
    FAILED = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceOutcome:
    """How reading one source went."""

    source: str
    result: SourceResult
    message: str
    entry_count: int = 0
    dropped_count: int = 0
    edition_date: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """One step of a sync; a total of 0 means that it is not known."""

    source: str
    message: str
    done_count: int = 0
    total_count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a sync came to."""

    outcomes: tuple[SourceOutcome, ...]
    counts: dict[EventKind, int] = field(default_factory=dict)
    """Offers, or models for scores, by what happened to them."""
    not_found: tuple[str, ...] = ()
    """Names that are joined to no model."""
    skipped_count: int = 0
    duration: timedelta
    version: int

    @property
    def added(self) -> int:
        return self.counts.get(EventKind.ADDED, 0)

    @property
    def updated(self) -> int:
        return self.counts.get(EventKind.UPDATED, 0)

    @property
    def deprecated(self) -> int:
        return self.counts.get(EventKind.DEPRECATED, 0)

    @property
    def restored(self) -> int:
        return self.counts.get(EventKind.RESTORED, 0)

    @property
    def errors(self) -> tuple[str, ...]:
        """Why sources failed."""
        return tuple(
            outcome.message for outcome in self.outcomes if outcome.result is SourceResult.FAILED
        )


SyncRun = JobRun[Progress, Report]
