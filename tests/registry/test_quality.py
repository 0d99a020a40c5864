"""Scores, their blend, and guesses where there is none."""

from datetime import date, timedelta

import pytest

from steelyard_catalog.names import canonical_model
from steelyard_catalog.seed import read_seed
from steelyard_registry.adapters.curated_scores import parse_curated_scores, read_curated_scores
from steelyard_registry.adapters.provider_table import read_providers
from steelyard_registry.domain.quality.blending import blend
from steelyard_registry.domain.quality.heuristics import DEFAULT_UNCERTAINTY, MAX_SCORE, guess
from steelyard_registry.domain.quality.scores import Basis, QualityScore, Task
from tests.registry.builders import TODAY, catalogue_of, chat, curated

FLOORS = {"standard": 80, "versatile": 86, "heavy": 90, "complex": 94}


def measured(score: float, edition_date: date) -> QualityScore:
    return curated("gpt-4o", score, basis=Basis.MEASURED, edition_date=edition_date)


def test_a_measured_score_beats_a_curated_one_and_that_a_guess() -> None:
    arena = measured(88, date(2025, 12, 11))
    by_hand = curated("gpt-4o", 86.5)

    assert blend([guess("gpt-4o")], TODAY).basis is Basis.HEURISTIC  # type: ignore[union-attr]
    assert blend([guess("gpt-4o"), by_hand], TODAY).score == 86.5  # type: ignore[union-attr]
    assert blend([by_hand, arena, guess("gpt-4o")], TODAY).score == 88  # type: ignore[union-attr]


def test_r13_a_guess_never_replaces_evidence_whatever_its_age_or_order() -> None:
    old = curated("gpt-4o", 60, edition_date=date(2020, 1, 1), uncertainty=30)

    for scores in ([guess("gpt-4o"), old], [old, guess("gpt-4o")]):
        quality = blend(scores, TODAY)

        assert quality is not None
        assert (quality.score, quality.basis, quality.is_stale) == (60, Basis.CURATED, True)


def test_of_equal_evidence_the_newer_edition_counts_and_then_the_surer_one() -> None:
    older, newer = measured(80, date(2025, 8, 6)), measured(90, date(2025, 12, 11))
    surer = curated(
        "gpt-4o", 91, basis=Basis.MEASURED, edition_date=date(2025, 12, 11), uncertainty=1
    )

    assert blend([newer, older], TODAY).score == 90  # type: ignore[union-attr]
    assert blend([newer, surer, older], TODAY).score == 91  # type: ignore[union-attr]


def test_a_score_grows_stale_after_120_days() -> None:
    score = curated("gpt-4o", 86.5, edition_date=date(2026, 1, 1))
    last_day = date(2026, 1, 1) + timedelta(days=120)

    assert not score.is_stale(last_day)
    assert score.is_stale(last_day + timedelta(days=1))
    assert not guess("gpt-4o").is_stale(date(2100, 1, 1))


def test_tasks_have_scores_only_where_they_have_evidence() -> None:
    coding = curated("gpt-4o", 80, task=Task.CODING)

    quality = blend([guess("gpt-4o"), curated("gpt-4o", 86.5), coding], TODAY)

    assert quality is not None
    assert [(each.task, each.score) for each in quality.tasks] == [(Task.CODING, 80)]
    assert (quality.score_for(Task.CODING), quality.score_for(Task.MATH)) == (80, 86.5)


def test_without_a_general_score_there_is_no_quality() -> None:
    assert blend([], TODAY) is None
    assert blend([curated("gpt-4o", 80, task=Task.CODING)], TODAY) is None


def test_kinds_of_work_without_scores_get_no_guess() -> None:
    models = {
        "text-embedding-3-small": {"litellm_provider": "openai", "mode": "embedding"},
        "gpt-4o": chat("openai"),
    }

    catalogue = catalogue_of(models)

    assert catalogue.edition.models["text-embedding-3-small"].quality is None
    assert catalogue.edition.models["gpt-4o"].quality is not None


def test_what_nobody_knows_is_guessed_at_70_with_a_wide_uncertainty() -> None:
    score = guess("acme/brand-new")

    assert (score.score, score.uncertainty) == (70, DEFAULT_UNCERTAINTY)
    assert (score.basis, score.source, score.edition_date) == (Basis.HEURISTIC, "heuristic", None)


@pytest.mark.parametrize(
    ("smaller", "larger"),
    [
        ("gpt-5.9-nano", "gpt-5.9-mini"),
        ("gpt-5.9-mini", "gpt-5.9"),
        ("claude-haiku-4", "claude-opus-4"),
        ("gemini-2.9-flash-lite", "gemini-2.9-flash"),
        ("gemini-2.9-flash", "gemini-2.9-pro"),
        ("llama-3.1-8b-instruct", "llama-3.1-70b-instruct"),
        ("qwen3-4b", "qwen3-32b"),
        ("gpt-3.5-turbo", "gpt-4-turbo"),
        ("claude-2", "claude-3-opus"),
        ("mistral-small", "mistral-large"),
    ],
)
def test_smaller_models_of_a_family_are_guessed_lower(smaller: str, larger: str) -> None:
    assert guess(smaller).score < guess(larger).score


@pytest.mark.parametrize(
    ("name", "mini"), [("gemini-3-pro", "gemini-3-mini"), ("minimax-m2", "minimax-m2-mini")]
)
def test_p3_a_mini_inside_a_word_makes_no_model_small(name: str, mini: str) -> None:
    assert guess(name).score > guess(mini).score + 3


@pytest.mark.parametrize("name", ["claude-sonnet-4", "claude-opus-4-20250514", "claude-sonnet-6-9"])
def test_q4_claudes_without_evidence_are_not_taken_for_nobody(name: str) -> None:
    assert guess(name).score > FLOORS["versatile"]


def test_a_guess_stays_within_its_limits() -> None:
    models = {canonical_model(entry) for entry in read_seed().entries}

    scores = {model: guess(model).score for model in models}

    assert all(50 <= score <= MAX_SCORE < FLOORS["complex"] for score in scores.values())


def test_every_curated_score_is_of_a_real_model_and_its_key_is_canonical() -> None:
    real = {canonical_model(entry) for entry in read_seed().entries if entry.mode != "embedding"}

    assert [model for model in read_curated_scores() if model not in real] == []


def test_the_curated_table_covers_the_chat_models_of_the_sellers_we_can_call() -> None:
    routable = {each.provider for each in read_providers().values() if each.is_routable}
    sold = {
        canonical_model(entry)
        for entry in read_seed().entries
        if entry.provider in routable and entry.mode in {"chat", "responses"}
    }

    assert len(read_curated_scores().keys() & sold) >= 100


def test_curated_scores_hold_the_fixed_points_of_the_tiers() -> None:
    scores = {model: rows[0].score for model, rows in read_curated_scores().items()}

    assert scores["gpt-4o-mini"] == 85
    frontier = {model: score for model, score in scores.items() if score >= FLOORS["complex"]}
    assert {"gpt-6-astra", "claude-opus-5-5", "gemini-4-argon", "deepseek-v4-pro"} <= set(frontier)
    assert max(scores.values()) <= 98
    assert all(
        any(low <= score < high for score in scores.values())
        for low, high in zip([0, *FLOORS.values()], [*FLOORS.values(), 101], strict=True)
    )


def test_q4_curated_claudes_reach_the_tiers_that_they_belong_to() -> None:
    scores = {model: rows[0].score for model, rows in read_curated_scores().items()}

    assert scores["claude-sonnet-4-5"] >= FLOORS["heavy"]
    assert scores["claude-opus-5"] >= FLOORS["complex"]
    assert scores["claude-haiku-4-5"] >= FLOORS["versatile"]


@pytest.mark.parametrize(
    ("smaller", "larger"),
    [
        ("gpt-4o-mini", "gpt-4o"),
        ("gpt-5-mini", "gpt-5"),
        ("gpt-5-nano", "gpt-5-mini"),
        ("gpt-4.1-nano", "gpt-4.1-mini"),
        ("gemini-2.5-flash", "gemini-2.5-pro"),
        ("gemini-2.5-flash-lite", "gemini-2.5-flash"),
        ("claude-haiku-4-5", "claude-sonnet-4-5"),
        ("glm-4.5-air", "glm-4.5"),
        ("deepseek-v4-flash", "deepseek-v4-pro"),
    ],
)
def test_r8_a_smaller_model_has_a_score_of_its_own_below_the_larger_one(
    smaller: str, larger: str
) -> None:
    scores = {model: rows[0].score for model, rows in read_curated_scores().items()}

    assert scores[smaller] < scores[larger]


def test_r9_the_frontier_does_not_saturate() -> None:
    frontier = [rows[0].score for rows in read_curated_scores().values() if rows[0].score >= 94]

    assert len(set(frontier)) >= 8


def test_every_curated_score_says_when_from_what_and_how() -> None:
    rows = [row for rows in read_curated_scores().values() for row in rows]

    assert all(row.edition_date and row.normalization and row.note for row in rows)
    assert {row.basis for row in rows} == {Basis.CURATED}
    assert all(0 < row.uncertainty <= 5 for row in rows)


@pytest.mark.parametrize(
    "row", ["{ score = 101, evidence = 'e' }", "{ score = -1, evidence = 'e' }"]
)
def test_a_curated_score_out_of_range_is_a_fault_of_the_build(row: str) -> None:
    evidence = "[evidence.e]\nedition_date = 2026-01-01\nuncertainty = 1.0\nmethod = ''\nnote = ''"

    with pytest.raises(ValueError, match="gpt-x is out of range"):
        parse_curated_scores(f'{evidence}\n[scores]\n"gpt-x" = {row}')
