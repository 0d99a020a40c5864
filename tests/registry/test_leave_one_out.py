"""Do the scores say what an edition says that they were not made of? On real files.

The edition that is left out is the Arena's of 2025-12-11: votes of people, none of our judgement.
Benchmarks alone agree with those votes by about 0.83: they ask for knowledge and many-step work,
which is not all that people like. With older editions of the Arena, which a running registry has
as well, the blend agrees by more than 0.9. Mind what that shows: older editions count part of the
same votes, and the 33 models that only the newest one has are ordered like it by 0.3 only.
"""

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from steelyard_registry.domain.quality.editions import ScoreEdition, ScoreSource
from steelyard_registry.domain.quality.joining import Joined, Unjoined
from steelyard_registry.domain.quality.scores import Basis, Quality, QualityScore
from steelyard_registry.domain.quality.scoring import score_models
from tests.registry.evaluation import (
    ARENA_DAY,
    TODAY,
    Agreement,
    Evidence,
    agreement,
    general_figures,
    qualities,
    read_evidence,
    without_word,
)

pytestmark = [pytest.mark.real_data, pytest.mark.replays]

ARENA, ANALYSIS, LLM_STATS = (
    ScoreSource.ARENA,
    ScoreSource.ARTIFICIAL_ANALYSIS,
    ScoreSource.LLM_STATS,
)
FRONTIER = ("gpt-6-astra", "claude-opus-5-5", "gemini-4-argon", "gpt-5.6-sol", "claude-opus-4-8")
OF_2024 = ("gpt-4o", "gpt-4o-mini", "claude-3-5-sonnet", "llama-3.1-405b-instruct", "gpt-4-turbo")


class ShuffledNames:
    """Joins each name of some sources to a wrong model: what is known must count for nothing."""

    def __init__(self, evidence: Evidence, editions: tuple[ScoreEdition, ...]) -> None:
        self._names = evidence.names
        joined = {
            answer.model
            for edition in editions
            for each in edition.observations
            if isinstance(answer := self._names.join(edition.source, each.source_model), Joined)
        }
        models = sorted(joined)
        others = models.copy()
        Random(7).shuffle(others)  # noqa: S311 - the same in every run
        self._other = dict(zip(models, others, strict=True))

    def join(self, source: ScoreSource, source_model: str) -> Joined | Unjoined:
        answer = self._names.join(source, source_model)
        if isinstance(answer, Unjoined):
            return answer
        return Joined(self._other[answer.model], answer.variant, answer.rank)


@pytest.fixture(scope="module")
def evidence(real_data: Path) -> Evidence:
    return read_evidence(real_data)


@pytest.fixture(scope="module")
def votes(evidence: Evidence) -> dict[str, float]:
    """Return the ratings of the edition that is left out."""
    (edition,) = (each for each in evidence.editions if each.edition_date == ARENA_DAY)
    return general_figures(evidence.names, edition)


@pytest.fixture(scope="module")
def everything(evidence: Evidence) -> dict[str, Quality]:
    return qualities(evidence.scored(evidence.editions, evidence.curated))


def agreed(
    evidence: Evidence, votes: Mapping[str, float], *sources: ScoreSource, tainted: bool = False
) -> Agreement:
    """Return how the votes and the blend of all but their edition agree."""
    curated = evidence.curated if tainted else without_word(evidence.curated, "Arena")
    scored = evidence.scored(evidence.of(*sources, without=ARENA_DAY), curated)
    assert not [
        score
        for scores in scored.scores.values()
        for score in scores
        if score.edition_date == ARENA_DAY and (score.basis is Basis.MEASURED or not tainted)
    ]
    return agreement(votes, {model: each.score for model, each in qualities(scored).items()})


def test_the_blend_of_all_other_editions_orders_models_like_the_one_left_out(
    evidence: Evidence, votes: Mapping[str, float]
) -> None:
    found = agreed(evidence, votes, ARENA, ANALYSIS, LLM_STATS, tainted=True)

    assert found.count >= 130
    assert found.correlation >= 0.9


def test_it_does_so_without_curated_scores_that_were_made_with_a_look_at_it(
    evidence: Evidence, votes: Mapping[str, float]
) -> None:
    found = agreed(evidence, votes, ARENA, ANALYSIS, LLM_STATS)

    assert found.count >= 130
    assert found.correlation >= 0.9


def test_benchmarks_alone_agree_with_votes_as_far_as_they_measure_the_same(
    evidence: Evidence, votes: Mapping[str, float]
) -> None:
    found = agreed(evidence, votes, ANALYSIS, LLM_STATS)

    assert found.count >= 90
    assert found.correlation >= 0.75


def test_older_votes_alone_agree_with_the_newest_ones(
    evidence: Evidence, votes: Mapping[str, float]
) -> None:
    scored = evidence.scored(evidence.of(ARENA, without=ARENA_DAY), {})

    scores = {model: each.score for model, each in qualities(scored).items()}
    assert agreement(votes, scores).correlation >= 0.95


def test_with_figures_joined_to_wrong_models_nothing_agrees(
    evidence: Evidence, votes: Mapping[str, float]
) -> None:
    editions = evidence.of(ARENA, ANALYSIS, LLM_STATS, without=ARENA_DAY)

    scored = score_models(editions, ShuffledNames(evidence, editions), {}, {}, TODAY)

    scores = {model: each.score for model, each in qualities(scored).items()}
    assert abs(agreement(votes, scores).correlation) < 0.3


def test_uncertainties_cover_what_the_edition_left_out_says(
    evidence: Evidence, votes: Mapping[str, float]
) -> None:
    rest = qualities(evidence.scored(evidence.of(ANALYSIS, LLM_STATS), evidence.curated))
    own = qualities(evidence.scored(evidence.of(ARENA), evidence.curated))

    models = [
        model
        for model in votes
        if model in rest and {rest[model].basis, own[model].basis} == {Basis.MEASURED}
    ]
    covered = [
        abs(rest[model].score - own[model].score)
        <= (rest[model].uncertainty ** 2 + own[model].uncertainty ** 2) ** 0.5
        for model in models
    ]
    assert len(covered) >= 90
    assert sum(covered) / len(covered) >= 0.9


def test_the_tiers_keep_their_meaning(everything: Mapping[str, Quality]) -> None:
    scores = {model: each.score for model, each in everything.items()}

    assert 50 < min(scores.values()) < max(scores.values()) < 99
    assert all(scores[model] >= 94 for model in FRONTIER)
    assert all(80 <= scores[model] < 90 for model in OF_2024)
    assert 80 <= scores["gpt-4o-mini"] < scores["gpt-4o"] < scores["gpt-4.1"] < scores["gpt-5"] < 94
    assert scores["gpt-5-nano"] < scores["gpt-5-mini"] < scores["gpt-5"] < scores["gpt-5.4"]
    assert scores["claude-haiku-4-5"] < scores["claude-sonnet-4-5"] < scores["claude-opus-4-5"]
    assert scores["gpt-3.5-turbo"] < 80
    bands = (50, 80, 86, 90, 94, 100)
    counts = [
        sum(low <= score < high for score in scores.values()) for low, high in pairwise(bands)
    ]
    assert min(counts) >= 20


def test_what_is_curated_by_hand_and_measured_is_rarely_far_apart(
    evidence: Evidence, everything: Mapping[str, Quality]
) -> None:
    def judged(scores: tuple[QualityScore, ...]) -> float:
        return scores[0].score

    distances = sorted(
        abs(everything[model].score - judged(tuple(scores)))
        for model, scores in evidence.curated.items()
    )

    assert distances[len(distances) // 2] < 1
    assert distances[int(len(distances) * 0.9)] < 2.5


def test_r9_the_frontier_is_told_apart(everything: Mapping[str, Quality]) -> None:
    top = sorted((each.score for each in everything.values()), reverse=True)[:20]

    assert top == sorted(set(top), reverse=True)
