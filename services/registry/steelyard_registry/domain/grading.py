"""Models with their quality."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from steelyard_registry.domain.facts import Facts
from steelyard_registry.domain.models import Model
from steelyard_registry.domain.modes import Mode
from steelyard_registry.domain.quality import heuristics
from steelyard_registry.domain.quality.blending import settle
from steelyard_registry.domain.quality.joining import ScoreNames
from steelyard_registry.domain.quality.scores import QualityScore
from steelyard_registry.domain.quality.scoring import Scored, gather_scores

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


class Grader:
    """Grades models, and remembers how it joined and linked the last editions to the last offers.

    That takes most of the time, and what people decide changes nothing of it.
    """

    def __init__(self) -> None:
        self._last: tuple[Facts, date, Scored] | None = None

    def graded(
        self, models: Iterable[Model], facts: Facts, today: date
    ) -> tuple[list[Model], Grades]:
        """Return models with their quality, and every score that it rests on.

        Args:
            models: Of the facts, without quality.
            facts: Has editions, curated scores and corrections.
            today: Decides which scores are stale.
        """
        known = list(models)
        gathered = self._gathered(known, facts, today)
        corrections = _by_model(facts.corrections.values(), known)
        scores: dict[str, tuple[QualityScore, ...]] = {}
        for place, model in enumerate(known):
            if model.mode in _SCORED_MODES:
                name = model.model
                evidence = (*gathered.scores.get(name, ()), *corrections.get(name, ()))
                # A guess is shown beside better evidence as well.
                quality, weighed = settle((*evidence, heuristics.guess(name)), today)
                scores[name] = weighed
                known[place] = replace(model, quality=quality)
        unjoined = tuple(
            UnjoinedName(str(source), name, int(why.reason), why.canonical_name)
            for source, name, why in gathered.unjoined
        )
        return known, Grades(scores, unjoined)

    def _gathered(self, models: list[Model], facts: Facts, today: date) -> Scored:
        if self._last is not None:
            known, day, gathered = self._last
            if day == today and known.offers is facts.offers and _same_scores(known, facts):
                return gathered
        names = ScoreNames(models, facts.aliases)
        gathered = gather_scores(facts.editions, names, facts.evidence, {}, today)
        self._last = facts, today, gathered
        return gathered


def _same_scores(one: Facts, other: Facts) -> bool:
    same_editions = len(one.editions) == len(other.editions) and all(
        mine is theirs for mine, theirs in zip(one.editions, other.editions, strict=True)
    )
    return same_editions and one.evidence is other.evidence and one.aliases is other.aliases


def _by_model(
    scores: Iterable[QualityScore], models: Sequence[Model]
) -> Mapping[str, Sequence[QualityScore]]:
    """Return what people have set by model; under a new name where a model has one."""
    names = {model.model for model in models}
    sold = {offer.offer: model.model for model in models for offer in model.offers}
    by_model: dict[str, list[QualityScore]] = {}
    for score in scores:
        name = score.model if score.model in names else sold.get(score.source_model)
        if name is not None:
            by_model.setdefault(name, []).append(score)
    return by_model
