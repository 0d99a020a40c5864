"""General scores out of the single benchmarks of a source."""

from collections.abc import Iterable, Sequence
from datetime import date

from steelyard_registry.domain.quality.metrics import (
    SOURCE_CORRELATION,
    SUMMARY_METRIC,
    is_single_benchmark,
)
from steelyard_registry.domain.quality.pooling import Estimate, pool
from steelyard_registry.domain.quality.scores import Basis, QualityScore, Task

MIN_BENCHMARKS = 3
MIN_TASKS = 2


def summaries(scores: Sequence[QualityScore]) -> tuple[QualityScore, ...]:
    """Return a general score for each source that has one in single benchmarks only.

    It takes three benchmarks of two tasks: less is knowledge of a task, not of the model. Pictures
    are a task beside the others and say nothing in general.

    Args:
        scores: Of one model by all sources; of several with the same metric the first one counts.
    """
    with_general = {
        score.source
        for score in scores
        if score.task is Task.GENERAL and not is_single_benchmark(score)
    }
    sources = dict.fromkeys(score.source for score in scores if is_single_benchmark(score))
    found = (
        _summary(_one_per_metric(scores, source))
        for source in sources
        if source not in with_general
    )
    return tuple(each for each in found if each is not None)


def _one_per_metric(scores: Iterable[QualityScore], source: str) -> tuple[QualityScore, ...]:
    first: dict[str, QualityScore] = {}
    for score in scores:
        if score.source == source and score.task is not Task.VISION and is_single_benchmark(score):
            first.setdefault(score.metric, score)
    return tuple(first[metric] for metric in sorted(first))


def _summary(scores: Sequence[QualityScore]) -> QualityScore | None:
    if len(scores) < MIN_BENCHMARKS or len({score.task for score in scores}) < MIN_TASKS:
        return None
    pooled = pool(
        [Estimate(score.score, score.uncertainty) for score in scores],
        correlation=SOURCE_CORRELATION,
    )
    metrics = ", ".join(score.metric for score in scores)
    return QualityScore(
        model=scores[0].model,
        score=pooled.value,
        uncertainty=pooled.uncertainty,
        basis=Basis.MEASURED,
        source=scores[0].source,
        edition_date=max(score.edition_date or date.min for score in scores),
        normalization=f"mean by precision of {len(scores)} benchmarks, each linked by itself",
        note=f"made of {metrics}",
        metric=SUMMARY_METRIC,
        sample_count=sum(score.sample_count for score in scores),
        source_model=scores[0].source_model,
        variant=scores[0].variant,
    )
