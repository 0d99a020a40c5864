"""What the figures of a source are, as far as it decides how they are weighed."""

from steelyard_registry.domain.quality.editions import ScoreSource
from steelyard_registry.domain.quality.scores import QualityScore

# A general score that we make of a source's single benchmarks.
SIZE_METRIC = "parameters"
"""Of a guess that rests on how small a model is."""
SUMMARY_METRIC = "benchmarks"
# How much the errors of a source's benchmarks go together: it runs models in its own way.
SOURCE_CORRELATION = 0.5
SELF_REPORTED_BIAS = 4.0
_WHOLE = ("", SUMMARY_METRIC)
_INDEX = "-index"


def is_single_benchmark(score: QualityScore) -> bool:
    """Whether a figure is of one test only, not of a leaderboard or an index of many tests."""
    if score.metric in _WHOLE:
        return False
    if score.source == ScoreSource.ARTIFICIAL_ANALYSIS:
        return not score.metric.endswith(_INDEX)
    return score.source == ScoreSource.LLM_STATS


def own_bias(source: ScoreSource) -> float:
    """Return what may be wrong with all figures of a source, as a half width in points.

    The figures that llm-stats collects are nearly all the makers' own: run as suits the model.
    """
    return SELF_REPORTED_BIAS if source is ScoreSource.LLM_STATS else 0.0
