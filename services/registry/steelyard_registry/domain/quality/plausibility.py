"""Whether a new edition of scores can be what its source measured."""

from collections.abc import Mapping, Sequence

from steelyard_registry.domain.quality.editions import ScoreEdition
from steelyard_registry.domain.quality.scores import Task

MIN_COMMON = 10
MIN_CORRELATION = 0.9
"""Two real editions of the Arena nine months apart have 0.99; swapped columns have none."""


def agrees(new: ScoreEdition, known: ScoreEdition) -> bool:
    """Say whether two editions put the models that both have in about the same order.

    Each metric of general use is compared by itself. Scales may move from edition to edition:
    ratings are relative to whoever takes part.
    """
    before, after = _general(known), _general(new)
    for metric in before.keys() & after.keys():
        common = sorted(before[metric].keys() & after[metric].keys())
        if len(common) < MIN_COMMON:
            continue
        correlation = rank_correlation(
            [before[metric][name] for name in common], [after[metric][name] for name in common]
        )
        if correlation < MIN_CORRELATION:
            return False
    return True


def rank_correlation(one: Sequence[float], other: Sequence[float]) -> float:
    """Return Spearman's correlation, -1 to 1; 0 when either has one value alone."""
    first, second = _ranks(one), _ranks(other)
    mean = (len(first) - 1) / 2
    covariance = sum((x - mean) * (y - mean) for x, y in zip(first, second, strict=True))
    spread = sum((x - mean) ** 2 for x in first) * sum((y - mean) ** 2 for y in second)
    return float(covariance / spread**0.5) if spread else 0.0


def _general(edition: ScoreEdition) -> Mapping[str, Mapping[str, float]]:
    by_metric: dict[str, dict[str, float]] = {}
    for each in edition.observations:
        if each.task is Task.GENERAL:
            by_metric.setdefault(each.metric, {})[each.source_model] = each.value
    return by_metric


def _ranks(values: Sequence[float]) -> list[float]:
    """Return the place of each value; equal ones share the mean of theirs."""
    order = sorted(range(len(values)), key=lambda place: values[place])
    ranks = [0.0] * len(values)
    start = 0
    while start < len(order):
        end = start
        while end < len(order) and values[order[end]] == values[order[start]]:
            end += 1
        for place in order[start:end]:
            ranks[place] = (start + end - 1) / 2
        start = end
    return ranks
