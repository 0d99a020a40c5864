"""The scores of one model as one.

A correction wins alone. Else stronger evidence sets weaker aside, measured before curated before
heuristic; a measurement that is very unsure only joins the curated score, and that of a task the
general one.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from itertools import groupby

from steelyard_registry.domain.quality.metrics import (
    SIZE_METRIC,
    SOURCE_CORRELATION,
    is_single_benchmark,
)
from steelyard_registry.domain.quality.pooling import Estimate, pool
from steelyard_registry.domain.quality.scores import (
    Basis,
    Quality,
    QualityScore,
    Task,
    TaskQuality,
)

HALF_LIFE_DAYS = 365.0
# However many sources agree: they were all brought to our scale by the same known scores.
MIN_UNCERTAINTY = 1.0
# However old, something is left: weights must not become 0.
_LEAST_TRUST = 1e-6
# A measurement that is less sure than this sets no judgement aside.
MAX_LONE_UNCERTAINTY = 8.0
# A measurement that is less sure than this is held against a small model's size: where benchmarks
# have a floor, they cannot tell a model of one billion parameters from one of thirty.
SURE_UNCERTAINTY = 3.0
# How far a model's tasks usually lie from its general score, as a half width.
TASK_SPREAD = 4.0


@dataclass(frozen=True, slots=True)
class _Part:
    """What one source says of a task, out of one or more of its figures."""

    estimate: Estimate
    shares: tuple[tuple[int, float], ...]
    """Place of each figure among the model's scores, and its share in the part."""


@dataclass(frozen=True, slots=True)
class _Blend:
    """The answer for one task."""

    score: float
    uncertainty: float
    shares: tuple[tuple[int, float], ...]
    """Place of each score that counts and its share, the weightiest first."""


def blend(scores: Sequence[QualityScore], today: date) -> Quality | None:
    """Return what all scores of a model say together; None without a general one.

    Args:
        scores: Of one model. Of several with the same source, task, metric and edition, the first
            one counts: it is the run that is most like how the model answers by default.
        today: Decides what is stale, what has faded and which corrections are over.
    """
    return _quality(scores, _blends(scores, today), today)


def weigh(scores: Sequence[QualityScore], today: date) -> tuple[QualityScore, ...]:
    """Return the scores of a model with the share that each has in the blend of its task."""
    return _weighed(scores, _blends(scores, today))


def settle(
    scores: Sequence[QualityScore], today: date
) -> tuple[Quality | None, tuple[QualityScore, ...]]:
    """Return what `blend` and `weigh` do, at the price of one."""
    blends = _blends(scores, today)
    return _quality(scores, blends, today), _weighed(scores, blends)


def _weighed(
    scores: Sequence[QualityScore], blends: Mapping[Task, _Blend]
) -> tuple[QualityScore, ...]:
    shares = dict(each for blend in blends.values() for each in blend.shares)
    return tuple(
        score
        if score.share == shares.get(place, 0.0)
        else replace(score, share=shares.get(place, 0.0))
        for place, score in enumerate(scores)
    )


def _quality(
    scores: Sequence[QualityScore], blends: Mapping[Task, _Blend], today: date
) -> Quality | None:
    general = blends.get(Task.GENERAL)
    if general is None:
        return None
    counted = [scores[place] for place, _ in general.shares]
    return Quality(
        score=general.score,
        uncertainty=general.uncertainty,
        basis=counted[0].basis,
        source=counted[0].source,
        edition_date=counted[0].edition_date,
        is_stale=all(each.is_stale(today) for each in counted),
        tasks=tuple(
            TaskQuality(task=task, score=each.score, uncertainty=each.uncertainty)
            for task, each in blends.items()
            if task is not Task.GENERAL
        ),
        sources=_by_weight(scores, general),
        is_correction=counted[0].is_correction,
    )


def _by_weight(scores: Sequence[QualityScore], blended: _Blend) -> tuple[str, ...]:
    weights: dict[str, float] = {}
    for place, share in blended.shares:
        source = scores[place].source
        weights[source] = weights.get(source, 0.0) + share
    return tuple(sorted(weights, key=lambda source: (-weights[source], source)))


def _blends(scores: Sequence[QualityScore], today: date) -> dict[Task, _Blend]:
    """Return the answer for each task that has evidence of its own."""
    of_task: dict[Task, list[int]] = {}
    for place, score in enumerate(scores):
        of_task.setdefault(score.task, []).append(place)
    blends: dict[Task, _Blend] = {}
    # General use comes first, as the tasks may lean on it.
    for task in sorted(of_task):
        found = _blend(scores, of_task[task], blends.get(Task.GENERAL), today)
        if found is not None:
            blends[task] = found
    return blends


def _blend(
    scores: Sequence[QualityScore], places: Sequence[int], general: _Blend | None, today: date
) -> _Blend | None:
    """Return the answer for one task.

    Args:
        scores: All of the model.
        places: Of the task's scores among them.
        general: Answer for general use, where that is known already.
        today: As for `blend`.
    """
    if (correction := _correction(scores, places, today)) is not None:
        return _pooled([_part(scores, [correction], today)])
    measured = _parts(scores, places, Basis.MEASURED, today)
    curated = _parts(scores, places, Basis.CURATED, today)[:1]
    if not measured:
        weaker = curated or _parts(scores, places, Basis.HEURISTIC, today)[:1]
        return _pooled(weaker) if weaker else None
    alone = _pooled(measured)
    if alone.uncertainty > MAX_LONE_UNCERTAINTY:
        return _pooled([*measured, *(curated or _as_task(general))])
    by_size = [place for place in places if scores[place].metric == SIZE_METRIC]
    if by_size and alone.uncertainty > SURE_UNCERTAINTY:
        return _held_against(alone, by_size[0], scores[by_size[0]])
    return alone


def _held_against(measured: _Blend, place: int, guess: QualityScore) -> _Blend:
    """Return what was measured, drawn towards a guess by their precision.

    That the two disagree says nothing about what was measured, so it keeps its uncertainty, and
    the guess, which is never surer, the smaller share.
    """
    precision = 1 / measured.uncertainty**2, 1 / guess.uncertainty**2
    share = precision[1] / sum(precision)
    kept = tuple((each, part * (1 - share)) for each, part in measured.shares)
    return _Blend(
        score=measured.score + share * (guess.score - measured.score),
        uncertainty=measured.uncertainty,
        shares=(*kept, (place, share)),
    )


def _as_task(general: _Blend | None) -> list[_Part]:
    """Return how good a model should be at a task by how good it is in general."""
    if general is None:
        return []
    uncertainty = math.hypot(general.uncertainty, TASK_SPREAD)
    return [_Part(Estimate(general.score, uncertainty), ())]


def _correction(scores: Sequence[QualityScore], places: Iterable[int], today: date) -> int | None:
    """Return the newest correction in force; of two of one day the one that was added later."""
    start = datetime.combine(today, time(), UTC)
    in_force = [
        place
        for place in places
        if (score := scores[place]).is_correction
        and (score.expire_time is None or score.expire_time > start)
    ]
    return max(
        in_force, key=lambda place: (scores[place].edition_date or date.min, place), default=None
    )


def _parts(
    scores: Sequence[QualityScore], places: Iterable[int], basis: Basis, today: date
) -> list[_Part]:
    """Return what each source says on a basis, in the order in which the sources were given."""
    of_source: dict[str, list[int]] = {}
    for place in places:
        score = scores[place]
        if score.basis is basis and not score.is_correction:
            of_source.setdefault(score.source, []).append(place)
    counting = (_counting(scores, figures) for figures in of_source.values())
    return [_part(scores, figures, today) for figures in counting if figures]


def _counting(scores: Sequence[QualityScore], places: list[int]) -> list[int]:
    """Return which figures of one source count for a task: one per metric.

    An index sets aside the single benchmarks that it is made of. Single general benchmarks never
    count: they are in the summary of all benchmarks, where there are enough of them.
    """
    whole = [place for place in places if not is_single_benchmark(scores[place])]
    if not whole and scores[places[0]].task is Task.GENERAL:
        return []
    in_order = sorted(whole or places, key=lambda place: scores[place].metric)
    by_metric = groupby(in_order, key=lambda place: scores[place].metric)
    return [_first(scores, list(figures)) for _, figures in by_metric]


def _first(scores: Sequence[QualityScore], places: list[int]) -> int:
    """Return the first one of the newest edition, or a surer one of the same run."""
    newest = max(scores[place].edition_date or date.min for place in places)
    current = [place for place in places if (scores[place].edition_date or date.min) == newest]
    run = _run(scores[current[0]])
    return min(
        (place for place in current if _run(scores[place]) == run),
        key=lambda place: scores[place].uncertainty,
    )


def _run(score: QualityScore) -> tuple[str, str]:
    return score.source_model, score.variant


def _part(scores: Sequence[QualityScore], places: Sequence[int], today: date) -> _Part:
    """Make one of several figures of a source, so that it has one voice however many it has."""
    figures = [scores[place] for place in places]
    pooled = pool(
        [Estimate(each.score, each.uncertainty) for each in figures],
        correlation=SOURCE_CORRELATION,
    )
    trust = max(_trust(each, today) for each in figures)
    return _Part(
        Estimate(pooled.value, pooled.uncertainty, trust),
        tuple(zip(places, pooled.shares, strict=True)),
    )


def _trust(score: QualityScore, today: date) -> float:
    """Return what is left of a weight: half of it after a year."""
    if score.edition_date is None:
        return 1.0
    days = max((today - score.edition_date).days, 0)
    return max(math.exp2(-days / HALF_LIFE_DAYS), _LEAST_TRUST)


def _pooled(parts: Sequence[_Part]) -> _Blend:
    pooled = pool([part.estimate for part in parts])
    shares = [
        (place, share * inner)
        for part, share in zip(parts, pooled.shares, strict=True)
        for place, inner in part.shares
    ]
    return _Blend(
        score=pooled.value,
        uncertainty=max(pooled.uncertainty, MIN_UNCERTAINTY),
        shares=tuple(sorted(shares, key=lambda each: -each[1])),
    )
