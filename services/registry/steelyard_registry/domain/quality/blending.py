"""The scores of one model as one."""

from collections.abc import Sequence
from datetime import date

from steelyard_registry.domain.quality.scores import (
    Basis,
    Quality,
    QualityScore,
    Task,
    TaskQuality,
)


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
