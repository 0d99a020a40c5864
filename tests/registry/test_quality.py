"""Scores, their blend, and guesses where there is none."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from steelyard_catalog.names import canonical_model
from steelyard_catalog.seed import read_seed
from steelyard_registry.adapters.curated_scores import parse_curated_scores, read_curated_scores
from steelyard_registry.adapters.provider_table import read_providers
from steelyard_registry.domain.quality.blending import blend, weigh
from steelyard_registry.domain.quality.heuristics import DEFAULT_UNCERTAINTY, MAX_SCORE, guess
from steelyard_registry.domain.quality.scores import Basis, Quality, QualityScore, Task
from tests.registry.builders import TODAY, catalogue_of, chat, curated

FLOORS = {"standard": 80, "versatile": 86, "heavy": 90, "complex": 94}


def measured(score: float, edition_date: date) -> QualityScore:
    return curated("gpt-4o", score, basis=Basis.MEASURED, edition_date=edition_date)


def by(source: str, score: float, *, uncertainty: float = 2.0, days_old: int = 0) -> QualityScore:
    """Return a measured general score of a source."""
    edition_date = TODAY - timedelta(days=days_old)
    return replace(measured(score, edition_date), source=source, uncertainty=uncertainty)


def correction(score: float, *, day: date = TODAY, hours: int | None = None) -> QualityScore:
    """Return what a person set, which wins until so many hours after today's midnight."""
    midnight = datetime(TODAY.year, TODAY.month, TODAY.day, tzinfo=UTC)
    return replace(
        curated("gpt-4o", score, edition_date=day),
        source="operator",
        is_correction=True,
        expire_time=None if hours is None else midnight + timedelta(hours=hours),
    )


def quality_of(*scores: QualityScore) -> Quality:
    quality = blend(scores, TODAY)
    assert quality is not None
    return quality


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


def test_the_surer_source_weighs_more_and_two_that_agree_are_surer_than_each() -> None:
    sure, unsure = by("arena", 90, uncertainty=2), by("livebench", 89, uncertainty=4)

    quality = quality_of(unsure, sure)

    assert 89.5 < quality.score < 90
    assert quality.uncertainty < 2
    assert (quality.source, quality.sources) == ("arena", ("arena", "livebench"))


def test_sources_that_disagree_make_the_blend_less_sure_than_each() -> None:
    quality = quality_of(by("arena", 80), by("artificial-analysis", 94))

    assert quality.score == pytest.approx(87)
    # Seven points to each side: neither is outside by much.
    assert quality.uncertainty > 7


def test_a_blend_is_never_surer_than_the_scale() -> None:
    sources = ("arena", "artificial-analysis", "livebench", "llm-stats")

    quality = quality_of(*(by(source, 90, uncertainty=0.5) for source in sources))

    assert quality.uncertainty == 1.0


def test_weights_halve_in_a_year() -> None:
    half = weigh([by("arena", 90), by("livebench", 90, days_old=365)], TODAY)

    assert [score.share for score in half] == pytest.approx([2 / 3, 1 / 3])


def test_a_blend_is_stale_when_everything_in_it_is() -> None:
    fresh, old = by("arena", 90), by("livebench", 89, days_old=400)

    assert not quality_of(old, fresh).is_stale
    assert quality_of(old).is_stale
    assert quality_of(old, curated("gpt-4o", 60)).is_stale
    assert quality_of(old, fresh).edition_date == TODAY


def test_a_very_unsure_measurement_only_joins_a_curated_score() -> None:
    by_hand, vague = curated("gpt-4o", 86.0), by("arena", 74.0, uncertainty=9)

    together = quality_of(vague, by_hand, guess("gpt-4o"))

    assert 80 < together.score < 86
    assert together.sources == ("curated", "arena")
    assert together.basis is Basis.CURATED
    assert quality_of(by("arena", 74.0, uncertainty=8), by_hand).sources == ("arena",)
    assert quality_of(vague, guess("gpt-4o")).score == 74.0


def test_a_very_unsure_measurement_of_a_task_stays_near_the_general_score() -> None:
    vague = replace(by("llm-stats", 70.0, uncertainty=13), task=Task.MATH, metric="hmmt-2025")

    with_general = quality_of(by("arena", 90), vague)

    assert 80 < with_general.score_for(Task.MATH) < 90
    assert quality_of(by("arena", 90), replace(vague, uncertainty=5)).score_for(Task.MATH) == 70


@pytest.mark.parametrize("hours", [None, 1, 24, 1000])
def test_a_correction_wins_alone(hours: int | None) -> None:
    quality = quality_of(by("arena", 95), correction(70, hours=hours), curated("gpt-4o", 86.5))

    assert (quality.score, quality.is_correction) == (70, True)
    assert (quality.source, quality.sources) == ("operator", ("operator",))


@pytest.mark.parametrize("hours", [0, -1, -1000])
def test_a_correction_that_is_over_counts_for_nothing(hours: int) -> None:
    over = correction(70, hours=hours)

    assert quality_of(by("arena", 95), over).score == 95
    assert quality_of(over, guess("gpt-4o")).basis is Basis.HEURISTIC
    assert blend([over], TODAY) is None


def test_the_newest_correction_wins() -> None:
    first, second = correction(70, day=TODAY - timedelta(days=1)), correction(75)

    assert quality_of(second, first).score == 75
    assert quality_of(first, correction(80), second).score == 75


def test_a_correction_is_of_its_task_only() -> None:
    coding = replace(correction(60), task=Task.CODING)

    quality = quality_of(by("arena", 95), replace(by("arena", 94), task=Task.CODING), coding)

    assert (quality.score, quality.score_for(Task.CODING)) == (95, 60)
    assert not quality.is_correction


def test_shares_say_what_counted_and_sum_to_one_in_each_task() -> None:
    scores = [
        by("arena", 90),
        replace(by("arena", 85), variant="low"),
        replace(by("arena", 88), task=Task.CODING),
        by("livebench", 91, uncertainty=3),
        curated("gpt-4o", 86.5),
        guess("gpt-4o"),
    ]

    shares = [score.share for score in weigh(scores, TODAY)]

    assert shares[0] + shares[3] == pytest.approx(1)
    assert shares[0] > shares[3] > 0
    assert (shares[1], shares[2], shares[4], shares[5]) == (0, 1, 0, 0)
    assert weigh(weigh(scores, TODAY), TODAY) == weigh(scores, TODAY)
    assert [replace(score, share=0.0) for score in weigh(scores, TODAY)] == scores


def test_many_figures_of_one_source_have_one_voice() -> None:
    many = [
        replace(by("llm-stats", 95), task=Task.CODING, metric=f"test-{number}")
        for number in range(12)
    ]
    one = replace(by("arena", 85), task=Task.CODING)

    quality = quality_of(by("arena", 85), *many, one)

    assert 87 < quality.score_for(Task.CODING) < 93


def test_an_index_sets_aside_the_benchmarks_that_it_is_made_of() -> None:
    index = replace(by("artificial-analysis", 90), metric="aa-intelligence-index")
    single = replace(by("artificial-analysis", 70), metric="aa-mmlu-pro")

    assert quality_of(index, single).score == 90
    assert blend([single], TODAY) is None


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


def test_an_unsure_measurement_of_a_small_model_is_held_against_its_size() -> None:
    size = guess("qwen3-0.6b")
    assert (size.metric, size.score, size.uncertainty) == ("parameters", 58, 10)
    unsure = replace(by("artificial-analysis", 78), uncertainty=5.0)

    blended = blend([unsure, size], TODAY)

    assert blended is not None
    assert blended.score == pytest.approx(0.8 * 78 + 0.2 * 58)
    assert (blended.uncertainty, blended.basis) == (5.0, Basis.MEASURED)
    assert blended.sources == ("artificial-analysis", "heuristic")
    assert [each.share for each in weigh([unsure, size], TODAY)] == pytest.approx([0.8, 0.2])


def test_a_sure_measurement_of_a_small_model_stands_and_so_does_one_of_a_large_model() -> None:
    sure = replace(by("artificial-analysis", 78), uncertainty=2.5)
    unsure = replace(sure, uncertainty=7.0)

    for scores in ([sure, guess("qwen3-0.6b")], [unsure, guess("qwen3-max")]):
        blended = blend(scores, TODAY)
        assert blended is not None
        assert (blended.score, blended.sources) == (78, ("artificial-analysis",))
