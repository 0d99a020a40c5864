"""How good a model is: dated, sourced scores, and the blend of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
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

    def score_for(self, task: Task) -> float:
        """Return the score for a task, the general one where the task has no evidence."""
        for each in self.tasks:
            if each.task is task:
                return each.score
        return self.score


def blend(scores: Sequence[QualityScore], today: date) -> Quality | None:
    """Return what all scores of a model say together; None without a general one.

    Stronger evidence sets weaker aside: measured before curated before heuristic, then the newer
    edition, then the smaller uncertainty.
    """
    general = _strongest(scores, Task.GENERAL)
    if general is None:
        return None
    of_tasks = [
        each
        for task in Task
        if task is not Task.GENERAL and (each := _strongest(scores, task)) is not None
    ]
    return Quality(
        score=general.score,
        uncertainty=general.uncertainty,
        basis=general.basis,
        source=general.source,
        edition_date=general.edition_date,
        is_stale=general.is_stale(today),
        tasks=tuple(
            TaskQuality(task=each.task, score=each.score, uncertainty=each.uncertainty)
            for each in of_tasks
        ),
    )


def _strongest(scores: Sequence[QualityScore], task: Task) -> QualityScore | None:
    return max((score for score in scores if score.task is task), key=_strength, default=None)


def _strength(score: QualityScore) -> tuple[Basis, date, float]:
    return score.basis, score.edition_date or date.min, -score.uncertainty
