"""Editions of all sources made scores of models: joined, linked to our scale, weighed."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Protocol

from steelyard_registry.domain.quality.blending import blend, weigh
from steelyard_registry.domain.quality.editions import Observation, ScoreEdition, ScoreSource
from steelyard_registry.domain.quality.joining import Joined, Unjoined
from steelyard_registry.domain.quality.linking import Anchor, Link, RankLink, fit_link
from steelyard_registry.domain.quality.metrics import own_bias
from steelyard_registry.domain.quality.scores import Basis, QualityScore, Task
from steelyard_registry.domain.quality.summaries import summaries

# Of a blend that may stand in for a curated score as an anchor.
MAX_ANCHOR_UNCERTAINTY = 8.0
# What ranks are spread over when no model has a known score: the floors of the tiers.
USUAL_SCORES = (80.0, 86.0, 90.0, 94.0)


class Join(Protocol):
    """Knows which model a source means by a name."""

    def join(self, source: ScoreSource, source_model: str) -> Joined | Unjoined:
        """Return the model, or why there is none."""


@dataclass(frozen=True, slots=True)
class Scored:
    """What all editions together say."""

    scores: Mapping[str, tuple[QualityScore, ...]]
    """Every score by canonical model id; of variants the one that counts first."""
    unjoined: tuple[tuple[ScoreSource, str, Unjoined], ...]
    """Names that belong to no model, by source, each once and in order."""


@dataclass(frozen=True, slots=True, order=True)
class _PanelKey:
    """Figures that may be compared with each other."""

    source: ScoreSource
    edition_date: date
    task: Task
    metric: str


@dataclass(frozen=True, slots=True)
class _Figure:
    """An observation of a known model."""

    joined: Joined
    observation: Observation


_Panels = Mapping[_PanelKey, Sequence[_Figure]]


def score_models(
    editions: Sequence[ScoreEdition],
    names: Join,
    curated: Mapping[str, Sequence[QualityScore]],
    corrections: Mapping[str, Sequence[QualityScore]],
    today: date,
) -> Scored:
    """Return the scores of all models with their shares; see `gather_scores`."""
    gathered = gather_scores(editions, names, curated, corrections, today)
    weighed = {model: weigh(scores, today) for model, scores in gathered.scores.items()}
    return Scored(weighed, gathered.unjoined)


def gather_scores(
    editions: Sequence[ScoreEdition],
    names: Join,
    curated: Mapping[str, Sequence[QualityScore]],
    corrections: Mapping[str, Sequence[QualityScore]],
    today: date,
) -> Scored:
    """Return the scores of all models, not yet weighed against each other.

    Figures are first linked through the curated scores. What has too few of them, such as an old
    edition, is then linked through what the first round said of its models as well.

    Args:
        editions: In any order, several of one source too: a model's newest figure of each metric
            counts, on the scale of its own edition.
        names: Joins the sources' names.
        curated: Judgements by canonical model id; the general ones are the anchors.
        corrections: Judgements that win, by canonical model id.
        today: Decides what is stale, what has faded and which corrections are over.
    """
    panels, unjoined = _panels(editions, names)
    anchors = {
        model: judged.score
        for model, scores in curated.items()
        if (judged := blend(scores, today)) is not None
    }
    links = _links(panels, anchors)
    sure = {key: link for key, link in links.items() if not isinstance(link, RankLink)}
    unsure = {key: figures for key, figures in panels.items() if key not in sure}
    links |= _links(unsure, {**_stand_ins(_measured(panels, sure), today), **anchors})
    measured = _measured(panels, links)
    given = [measured, curated, corrections]
    return Scored(
        scores={
            model: tuple(score for scores in given for score in scores.get(model, ()))
            for model in sorted(set().union(*given))
        },
        unjoined=unjoined,
    )


def _panels(
    editions: Iterable[ScoreEdition], names: Join
) -> tuple[_Panels, tuple[tuple[ScoreSource, str, Unjoined], ...]]:
    panels: dict[_PanelKey, list[_Figure]] = {}
    answers: dict[tuple[ScoreSource, str], Joined | Unjoined] = {}
    for edition in editions:
        for each in edition.observations:
            name = edition.source, each.source_model
            answer = answers.get(name) or answers.setdefault(name, names.join(*name))
            if isinstance(answer, Joined):
                key = _PanelKey(edition.source, edition.edition_date, each.task, each.metric)
                panels.setdefault(key, []).append(_Figure(answer, each))
    for figures in panels.values():
        figures.sort(key=_preference)
    unjoined = [(*name, each) for name, each in answers.items() if isinstance(each, Unjoined)]
    return panels, tuple(sorted(unjoined, key=lambda each: each[:2]))


def _preference(figure: _Figure) -> tuple[str, int, int, str]:
    """Sort the run of a model that counts first."""
    joined, observation = figure.joined, figure.observation
    return joined.model, joined.rank, -observation.sample_count, observation.source_model


def _links(panels: _Panels, known: Mapping[str, float]) -> dict[_PanelKey, Link]:
    reference = tuple(known.values()) or USUAL_SCORES
    links: dict[_PanelKey, Link] = {}
    for key, figures in panels.items():
        # Of several runs of a model the one that counts is the anchor: written last, it stays.
        values = {each.joined.model: each.observation.value for each in reversed(figures)}
        links[key] = fit_link(
            [each.observation.value for each in figures],
            [Anchor(value, known[model]) for model, value in values.items() if model in known],
            metric=key.metric,
            reference=reference,
        )
    return links


def _stand_ins(measured: Mapping[str, Sequence[QualityScore]], today: date) -> Mapping[str, float]:
    """Return models that are known well enough to be anchors where curated ones are few."""
    blends = ((model, blend(scores, today)) for model, scores in measured.items())
    return {
        model: quality.score
        for model, quality in blends
        if quality is not None and quality.uncertainty <= MAX_ANCHOR_UNCERTAINTY
    }


def _measured(
    panels: _Panels, links: Mapping[_PanelKey, Link]
) -> Mapping[str, Sequence[QualityScore]]:
    """Return the scores of each model by the linked panels, and the summaries of benchmarks."""
    newest: dict[tuple[str, ScoreSource, Task, str], list[QualityScore]] = {}
    for key in sorted(panels.keys() & links.keys()):
        link, normalization = links[key], links[key].normalization
        for model, figures in groupby(panels[key], key=lambda figure: figure.joined.model):
            # Editions come in the order of their dates, so that the newest one is what stays.
            newest[model, key.source, key.task, key.metric] = [
                _score(figure, key, link, normalization) for figure in figures
            ]
    of_model: dict[str, list[QualityScore]] = {}
    for (model, *_), scores in newest.items():
        of_model.setdefault(model, []).extend(scores)
    return {model: (*scores, *summaries(scores)) for model, scores in of_model.items()}


def _score(figure: _Figure, key: _PanelKey, link: Link, normalization: str) -> QualityScore:
    observation = figure.observation
    low, high = observation.low, observation.high
    interval = None if low is None or high is None else (low, high)
    placed = link.place(observation.value, interval)
    return QualityScore(
        model=figure.joined.model,
        score=placed.score,
        uncertainty=math.hypot(placed.uncertainty, own_bias(key.source)),
        basis=Basis.MEASURED,
        source=key.source.value,
        edition_date=key.edition_date,
        normalization=normalization,
        task=key.task,
        metric=key.metric,
        raw_value=f"{observation.value:.6g}",
        sample_count=observation.sample_count,
        source_model=observation.source_model,
        variant=figure.joined.variant,
        category=observation.category,
    )
