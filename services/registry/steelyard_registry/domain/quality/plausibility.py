"""Whether a new edition of scores can be what its source measured."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from statistics import median

from steelyard_registry.domain.quality.editions import ScoreEdition
from steelyard_registry.domain.quality.scores import Task

MIN_COMMON = 10
MIN_CORRELATION = 0.9
"""Two real editions of the Arena nine months apart have 0.99; swapped columns have none."""
MIN_NAMES = 30
"""Below so many, most of them may well be others in the next edition."""
MIN_COMMON_SHARE = 0.3
"""Of the names of the older edition; the Arena's of nine months later has half of them."""
MAX_LEAD = 100.0
"""Of a rating over the next one. In no real edition is it above 45 at the top."""
MAX_MOVE = 150.0
"""Of a rating from edition to edition, beside the move of all."""

_MAX_LEADERS = 3
_RATING = "elo"
_Key = tuple[Task, str]


def agrees(new: ScoreEdition, known: ScoreEdition) -> bool:
    """Say whether two editions put the models that both have in about the same order.

    Each metric is compared by itself. Scales may move from edition to edition: ratings are
    relative to whoever takes part.
    """
    before, after = _figures(known), _figures(new)
    for key in before.keys() & after.keys():
        common = sorted(before[key].keys() & after[key].keys())
        if len(before[key]) >= MIN_NAMES and len(common) < MIN_COMMON_SHARE * len(before[key]):
            return False
        if len(common) < MIN_COMMON:
            continue
        correlation = rank_correlation(
            [before[key][name] for name in common], [after[key][name] for name in common]
        )
        if correlation < MIN_CORRELATION:
            return False
    return True


def without_outliers(new: ScoreEdition, known: ScoreEdition | None) -> ScoreEdition:
    """Return an edition without single ratings that nobody can have measured.

    Left out is who leads all others by far, and who has moved by far while the others have not.
    Shares of right answers have ends of their own, and single ones may leap.
    """
    before = {} if known is None else _figures(known)
    wrong = {
        (key, name)
        for key, figures in _figures(new).items()
        if key[1] == _RATING
        for name in (*_leaders(figures), *_movers(figures, before.get(key, {})))
    }
    if not wrong:
        return new
    kept = tuple(
        each
        for each in new.observations
        if ((each.task, each.metric), each.source_model) not in wrong
    )
    return replace(new, observations=kept)


def _leaders(figures: Mapping[str, float]) -> list[str]:
    """Return who is above a gap that real ratings do not have, if it is hardly anybody."""
    best = sorted(figures, key=lambda name: -figures[name])
    for count, (name, after) in enumerate(pairwise(best[: _MAX_LEADERS + 1]), start=1):
        if figures[name] - figures[after] > MAX_LEAD and len(best) > MIN_COMMON:
            return best[:count]
    return []


def _movers(figures: Mapping[str, float], before: Mapping[str, float]) -> list[str]:
    moves = {name: figures[name] - before[name] for name in figures.keys() & before.keys()}
    if len(moves) < MIN_COMMON:
        return []
    usual = median(moves.values())
    return [name for name, move in moves.items() if abs(move - usual) > MAX_MOVE]


def rank_correlation(one: Sequence[float], other: Sequence[float]) -> float:
    """Return Spearman's correlation, -1 to 1; 0 when either has one value alone."""
    first, second = _ranks(one), _ranks(other)
    mean = (len(first) - 1) / 2
    covariance = sum((x - mean) * (y - mean) for x, y in zip(first, second, strict=True))
    spread = sum((x - mean) ** 2 for x in first) * sum((y - mean) ** 2 for y in second)
    return float(covariance / spread**0.5) if spread else 0.0


def _figures(edition: ScoreEdition) -> Mapping[_Key, Mapping[str, float]]:
    by_key: dict[_Key, dict[str, float]] = {}
    for each in edition.observations:
        by_key.setdefault((each.task, each.metric), {})[each.source_model] = each.value
    return by_key


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
