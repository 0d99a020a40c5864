"""What a refresh tells while it runs, and at its end."""

from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum

from steelyard_pricing.domain.changes import ChangeCounts
from steelyard_pricing.domain.source import SourceFailure


class Phase(IntEnum):
    """A step of reading a source, or how it ended; numbered as in the contract."""

    DOWNLOADING = 1
    PARSING = 2
    CHECKING = 3
    PUBLISHED = 4
    NOT_MODIFIED = 5
    SKIPPED = 6
    REJECTED = 7
    FAILED = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """One step of one source."""

    source: str
    phase: Phase
    message: str
    byte_count: int = 0
    total_byte_count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceOutcome:
    """How reading one source ended."""

    source: str
    outcome: Phase
    fetched_count: int = 0
    dropped_count: int = 0
    failure: SourceFailure | None = None
    duration: timedelta = timedelta()
    byte_count: int = 0
    held_count: int = 0
    """Changes that are held back; a whole body counts as one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How a refresh of all sources ended."""

    model_count: int
    changes: ChangeCounts
    duration: timedelta
    outcomes: tuple[SourceOutcome, ...]
    snapshot_version: int

    @property
    def held_count(self) -> int:
        return sum(outcome.held_count for outcome in self.outcomes)

    @property
    def fetched_count(self) -> int:
        return sum(outcome.fetched_count for outcome in self.outcomes)
