"""What is said of how good a model is."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import IntEnum

STALE_AFTER = timedelta(days=120)


class Task(IntEnum):
    """A kind of work that models are scored on; numbered as in the contract."""

    GENERAL = 1
    CODING = 2
    MATH = 3
    REASONING = 4
    VISION = 5
    LONG_CONTEXT = 6


class Basis(IntEnum):
    """The kind of evidence, weakest first; numbered as in the contract."""

    HEURISTIC = 1
    CURATED = 2
    MEASURED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityScore:
    """One score of one model from one source."""

    model: str
    score: float
    """0 to 100."""
    uncertainty: float
    """Half width of the 95 % interval, in points."""
    basis: Basis
    source: str
    edition_date: date | None
    """None for guesses, which have no edition."""
    normalization: str
    task: Task = Task.GENERAL
    note: str = ""
    metric: str = ""
    """What the source's figure is, e.g. `elo`, `mmlu`; empty for judgements."""
    raw_value: str = ""
    """The figure as the source has it."""
    sample_count: int = 0
    """Votes or questions behind it; 0 means not known."""
    source_model: str = ""
    """Name that the source uses."""
    variant: str = ""
    """How the source ran the model where it ran it in several ways, e.g. `thinking-32k`, `high`."""
    category: str = ""
    """The source's own word for the task, e.g. `hard_6`."""
    share: float = 0.0
    """Part that it has in the blend of its task, 0 to 1; 0 when it was set aside."""
    is_correction: bool = False
    """Whether a person set it to win over everything else."""
    expire_time: datetime | None = None
    """From when a correction no longer wins; None means never."""

    def is_stale(self, today: date) -> bool:
        """Whether the edition is more than 120 days old."""
        return self.edition_date is not None and today - self.edition_date > STALE_AFTER


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskQuality:
    """How good a model is at one task."""

    task: Task
    score: float
    uncertainty: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """The blend of a model's scores."""

    score: float
    uncertainty: float
    basis: Basis
    source: str
    edition_date: date | None
    is_stale: bool
    tasks: tuple[TaskQuality, ...] = ()
    """Only tasks with evidence of their own."""
    sources: tuple[str, ...] = ()
    """All sources in the blend, the weightiest first."""
    is_correction: bool = False
    """Whether a person set the score."""

    def score_for(self, task: Task) -> float:
        """Return the score for a task, the general one where the task has no evidence."""
        for each in self.tasks:
            if each.task is task:
                return each.score
        return self.score
