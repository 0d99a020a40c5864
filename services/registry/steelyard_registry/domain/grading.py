"""Models with their quality."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from steelyard_registry.domain.facts import Facts
from steelyard_registry.domain.models import Model
from steelyard_registry.domain.modes import Mode
from steelyard_registry.domain.quality import heuristics
from steelyard_registry.domain.quality.blending import settle
from steelyard_registry.domain.quality.joining import ScoreNames
from steelyard_registry.domain.quality.scores import QualityScore
from steelyard_registry.domain.quality.scoring import gather_scores

_SCORED_MODES = frozenset({Mode.CHAT, Mode.COMPLETION})


@dataclass(frozen=True, slots=True)
class UnjoinedName:
    """A name that a source scores and that is joined to no model."""

    source: str
    source_model: str
    reason: int
    """UnjoinedReason."""
    canonical_name: str


@dataclass(frozen=True, slots=True)
class Grades:
    """What is known of how good models are."""

    scores: Mapping[str, tuple[QualityScore, ...]]
    """Every score of each model, with its share in the blend."""
    unjoined: tuple[UnjoinedName, ...]


def graded(models: Iterable[Model], facts: Facts, today: date) -> tuple[list[Model], Grades]:
    """Return models with their quality, and every score that it rests on.

    Args:
        models: Without quality.
        facts: Has editions, curated scores and corrections.
        today: Decides which scores are stale.
    """
    known = list(models)
    gathered = gather_scores(
        facts.editions,
        ScoreNames(known, facts.aliases),
        facts.evidence,
        _by_model(facts.corrections.values()),
        today,
    )
    scores: dict[str, tuple[QualityScore, ...]] = {}
    for place, model in enumerate(known):
        if model.mode in _SCORED_MODES:
            evidence = gathered.scores.get(model.model, ())
            # A guess is shown beside better evidence as well.
            quality, weighed = settle((*evidence, heuristics.guess(model.model)), today)
            scores[model.model] = weighed
            known[place] = replace(model, quality=quality)
    unjoined = tuple(
        UnjoinedName(str(source), name, int(why.reason), why.canonical_name)
        for source, name, why in gathered.unjoined
    )
    return known, Grades(scores, unjoined)


def _by_model(scores: Iterable[QualityScore]) -> dict[str, list[QualityScore]]:
    by_model: dict[str, list[QualityScore]] = {}
    for score in scores:
        by_model.setdefault(score.model, []).append(score)
    return by_model
