"""From editions of leaderboards and benchmarks to the scores of models."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from steelyard_registry.domain.quality.blending import blend
from steelyard_registry.domain.quality.editions import Observation, ScoreEdition, ScoreSource
from steelyard_registry.domain.quality.joining import Joined, Unjoined, UnjoinedReason
from steelyard_registry.domain.quality.scores import Basis, Quality, QualityScore, Task
from steelyard_registry.domain.quality.scoring import Scored, score_models
from tests.registry.builders import TODAY, curated

NEWER, OLDER = date(2026, 10, 3), date(2025, 12, 11)
# Thirty models, each somewhat better than the one before; the first twenty are known.
MODELS = tuple(f"model-{number:02}" for number in range(30))
CURATED = {model: (curated(model, 76.0 + number),) for number, model in enumerate(MODELS[:20])}


class Names:
    """Joins names `model`, and `model@variant` by the rank that the test gives to the variant."""

    def __init__(self, ranks: Mapping[str, int] | None = None) -> None:
        self.ranks = {"": 0} | dict(ranks or {})
        self.asked: list[tuple[ScoreSource, str]] = []

    def join(self, source: ScoreSource, source_model: str) -> Joined | Unjoined:
        self.asked.append((source, source_model))
        model, _, variant = source_model.partition("@")
        if model not in MODELS:
            return Unjoined(UnjoinedReason.UNKNOWN_NAME, model)
        return Joined(model=model, variant=variant, rank=self.ranks[variant])


def edition(
    source: ScoreSource, edition_date: date, observations: Sequence[Observation]
) -> ScoreEdition:
    return ScoreEdition(
        source=source,
        edition_date=edition_date,
        observations=tuple(observations),
        fetched_time=datetime(2026, 11, 1, tzinfo=UTC),
        sha256="0" * 64,
    )


def figures(
    values: Mapping[str, float], *, metric: str = "elo", task: Task = Task.GENERAL
) -> list[Observation]:
    return [
        Observation(
            source_model=name, task=task, metric=metric, category=f"its {task.name}", value=value
        )
        for name, value in values.items()
    ]


def ratings(*, shift: float = 0.0, models: Sequence[str] = MODELS) -> dict[str, float]:
    return {model: 1000.0 + 20 * MODELS.index(model) + shift for model in models}


def shares(*, shift: float = 0.0, models: Sequence[str] = MODELS) -> dict[str, float]:
    return {model: 0.2 + 0.02 * MODELS.index(model) + shift for model in models}


def arena(values: Mapping[str, float], edition_date: date = NEWER) -> ScoreEdition:
    return edition(ScoreSource.ARENA, edition_date, figures(values))


def llm_stats(benchmarks: Mapping[str, Task], models: Sequence[str] = MODELS) -> ScoreEdition:
    return edition(
        ScoreSource.LLM_STATS,
        NEWER,
        [
            each
            for metric, task in benchmarks.items()
            for each in figures(shares(models=models), metric=metric, task=task)
        ],
    )


def scored(
    *editions: ScoreEdition,
    names: Names | None = None,
    known: Mapping[str, Sequence[QualityScore]] = CURATED,
    corrections: Mapping[str, Sequence[QualityScore]] | None = None,
) -> Scored:
    return score_models(editions, names or Names(), known, corrections or {}, TODAY)


def measured(result: Scored, model: str) -> list[QualityScore]:
    return [score for score in result.scores[model] if score.basis is Basis.MEASURED]


def quality(result: Scored, model: str) -> Quality:
    found = blend(result.scores[model], TODAY)
    assert found is not None
    return found


def test_a_score_says_everything_about_the_figure_behind_it() -> None:
    rated = replace(figures({"model-07": 1410.0})[0], low=1400.0, high=1420.0, sample_count=4321)
    others = figures(ratings(models=MODELS[:7]) | ratings(models=MODELS[8:]))

    (score,) = measured(scored(edition(ScoreSource.ARENA, NEWER, [rated, *others])), "model-07")

    assert (score.source, score.edition_date, score.task) == ("arena", NEWER, Task.GENERAL)
    assert (score.metric, score.raw_value, score.sample_count) == ("elo", "1410", 4321)
    assert (score.source_model, score.category) == ("model-07", "its GENERAL")
    assert "logistic link of Elo on 20 models" in score.normalization
    assert score.share == 1.0


def test_the_better_a_model_is_rated_the_better_it_is_also_beyond_what_is_curated() -> None:
    result = scored(arena(ratings()))

    qualities = [quality(result, model) for model in MODELS]
    scores = [each.score for each in qualities]
    assert scores == sorted(set(scores))
    assert scores[5] == pytest.approx(81, abs=1)
    assert 95 < scores[-1] < 100
    assert {each.basis for each in qualities} == {Basis.MEASURED}


def test_without_editions_the_curated_scores_stay_what_they_are() -> None:
    result = scored()

    assert quality(result, "model-09").score == 85
    assert result.scores["model-09"] == (replace(CURATED["model-09"][0], share=1.0),)
    assert result.unjoined == ()


def test_measured_scores_set_curated_ones_aside_but_keep_them_in_the_list() -> None:
    result = scored(arena(ratings()))

    shown = {score.basis: score.share for score in result.scores["model-00"]}
    assert shown == {Basis.MEASURED: 1.0, Basis.CURATED: 0.0}


def test_unjoined_names_are_listed_once_and_every_name_is_joined_once() -> None:
    names = Names()
    both = [
        *figures(ratings() | {"who": 1200.0, "what": 1210.0}),
        *figures(ratings() | {"who": 1200.0}, task=Task.CODING),
    ]

    result = scored(
        edition(ScoreSource.ARENA, NEWER, both),
        edition(ScoreSource.LIVEBENCH, NEWER, figures({"who": 0.5}, metric="livebench-overall")),
        names=names,
    )

    assert [(source, name) for source, name, _ in result.unjoined] == [
        ("arena", "what"),
        ("arena", "who"),
        ("livebench", "who"),
    ]
    assert {each.reason for *_, each in result.unjoined} == {UnjoinedReason.UNKNOWN_NAME}
    assert len(names.asked) == len(set(names.asked)) == len(MODELS) + 3


def test_of_the_variants_in_an_edition_the_one_of_lowest_rank_counts() -> None:
    names = Names({"high": 2, "low": 3})
    values = ratings() | {"model-03@high": 1500.0, "model-03@low": 800.0}
    only_variants = {name: value for name, value in values.items() if name != "model-03"}

    with_plain = scored(arena(values), names=names)
    without = scored(arena(only_variants), names=names)

    assert [(each.variant, each.share) for each in measured(with_plain, "model-03")] == [
        ("", 1.0),
        ("high", 0.0),
        ("low", 0.0),
    ]
    assert quality(with_plain, "model-03").score == pytest.approx(79, abs=1)
    assert [(each.variant, each.share) for each in measured(without, "model-03")] == [
        ("high", 1.0),
        ("low", 0.0),
    ]
    assert quality(without, "model-03").score > 95


def test_variants_that_do_not_count_are_no_anchors_either() -> None:
    odd = {f"{model}@odd": 2000.0 - 10 * number for number, model in enumerate(MODELS)}

    with_odd = scored(arena(ratings() | odd), names=Names({"odd": 9}))

    plain = scored(arena(ratings()))
    assert [quality(with_odd, model) for model in MODELS] == [
        quality(plain, model) for model in MODELS
    ]


def test_a_model_has_its_newest_figure_and_an_old_one_where_it_has_no_other() -> None:
    new = arena(ratings(models=MODELS[3:]))
    old = arena(ratings(shift=-150), OLDER)

    for editions in ([new, old], [old, new]):
        result = scored(*editions)

        assert [each.edition_date for each in measured(result, "model-03")] == [NEWER]
        assert [each.edition_date for each in measured(result, "model-02")] == [OLDER]
        assert quality(result, "model-02").score == pytest.approx(78, abs=1.5)


def test_r8_r9_each_edition_is_put_on_the_scale_by_itself() -> None:
    old = arena(ratings(), OLDER)
    alone = scored(arena(ratings()))

    for shift in (-300.0, 0.0, 55.0):
        result = scored(arena(ratings(shift=shift)), old)

        for model in MODELS:
            assert quality(result, model).score == pytest.approx(quality(alone, model).score)


def test_tasks_come_from_their_own_figures() -> None:
    coding = figures(ratings() | {"model-10": 1400.0}, task=Task.CODING)

    result = scored(edition(ScoreSource.ARENA, NEWER, [*figures(ratings()), *coding]))

    best = quality(result, "model-10")
    assert [each.task for each in best.tasks] == [Task.CODING]
    assert best.score_for(Task.CODING) > best.score + 5
    assert best.score_for(Task.MATH) == best.score


@pytest.mark.parametrize(
    ("benchmarks", "has_general"),
    [
        ({"mmlu": Task.GENERAL, "gpqa": Task.REASONING}, False),
        ({"gsm8k": Task.MATH, "aime-2024": Task.MATH, "math": Task.MATH}, False),
        ({"mmlu": Task.GENERAL, "gsm8k": Task.MATH, "mmmu": Task.VISION}, False),
        ({"mmlu": Task.GENERAL, "gsm8k": Task.MATH, "math": Task.MATH}, True),
        ({"gpqa": Task.REASONING, "gsm8k": Task.MATH, "math": Task.MATH}, True),
    ],
)
def test_a_general_score_takes_three_benchmarks_of_two_tasks(
    benchmarks: Mapping[str, Task], *, has_general: bool
) -> None:
    result = scored(llm_stats(benchmarks))

    best = blend(result.scores["model-25"], TODAY)
    assert (best is not None) == has_general
    tasks = {score.task for score in result.scores["model-25"] if score.share > 0}
    assert tasks - {Task.GENERAL} == set(benchmarks.values()) - {Task.GENERAL}


def test_a_summary_of_benchmarks_names_them() -> None:
    result = scored(llm_stats({"mmlu": Task.GENERAL, "gpqa": Task.REASONING, "math": Task.MATH}))

    (summary,) = [each for each in measured(result, "model-05") if each.metric == "benchmarks"]

    assert summary.note == "made of gpqa, math, mmlu"
    assert summary.share == 1.0
    assert summary.score == pytest.approx(81, abs=1.5)


def test_twelve_benchmarks_do_not_outvote_a_leaderboard() -> None:
    tasks = [Task.GENERAL, Task.REASONING, Task.MATH, Task.CODING]
    many = llm_stats({f"test-{number}": tasks[number % 4] for number in range(12)})

    result = scored(arena(ratings()), many)

    general = {
        score.source: score.share
        for score in result.scores["model-25"]
        if score.task is Task.GENERAL and score.share > 0
    }
    assert general["arena"] > 0.5
    assert sum(general.values()) == pytest.approx(1)


def test_what_makers_report_of_themselves_is_less_sure() -> None:
    own = figures(shares(), metric="swe-bench-verified", task=Task.CODING)

    reported = scored(edition(ScoreSource.LLM_STATS, NEWER, own))
    run_by_others = scored(edition(ScoreSource.LIVEBENCH, NEWER, own))

    (claimed,), (found,) = measured(reported, "model-08"), measured(run_by_others, "model-08")
    assert claimed.score == found.score
    assert claimed.uncertainty > found.uncertainty + 1


def test_an_edition_without_curated_models_is_linked_through_models_measured_elsewhere() -> None:
    unknown = MODELS[20:]
    old = arena(ratings(models=unknown), OLDER)
    index = edition(
        ScoreSource.ARTIFICIAL_ANALYSIS, NEWER, figures(shares(), metric="aa-intelligence-index")
    )

    linked, alone = scored(index, old), scored(old)

    (by_index,) = [each for each in measured(linked, "model-25") if each.source == "arena"]
    (by_rank,) = measured(alone, "model-25")
    assert "logistic link of Elo on 10 models" in by_index.normalization
    assert "rank among 10 figures" in by_rank.normalization
    assert by_index.uncertainty < 5 < by_rank.uncertainty


def test_without_any_known_score_ranks_still_give_an_order() -> None:
    result = scored(arena(ratings()), known={})

    scores = [quality(result, model).score for model in MODELS]
    assert scores == sorted(set(scores))
    assert 50 < scores[0] < scores[-1] < 99


def test_a_correction_wins_over_what_is_measured() -> None:
    fixed = replace(curated("model-07", 60.0), source="operator", is_correction=True)

    result = scored(arena(ratings()), corrections={"model-07": [fixed], "model-99": [fixed]})

    assert quality(result, "model-07").score == 60.0
    assert [each.share for each in result.scores["model-07"]] == [0.0, 0.0, 1.0]
    assert set(result.scores) == {*MODELS, "model-99"}
    # It moves no other model: it is no anchor.
    assert quality(result, "model-08") == quality(scored(arena(ratings())), "model-08")


def test_the_order_in_which_editions_come_makes_no_difference() -> None:
    editions = [
        arena(ratings()),
        arena(ratings(shift=30), OLDER),
        llm_stats({"mmlu": Task.GENERAL, "gpqa": Task.REASONING, "math": Task.MATH}),
    ]

    there, back = scored(*editions), scored(*reversed(editions))

    for model in MODELS:
        assert quality(there, model).score == pytest.approx(quality(back, model).score)
