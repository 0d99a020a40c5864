"""Bodies of leaderboards and benchmark tables become observations, and what is bad in them not."""

import gzip
import json
from collections.abc import Callable

import pytest

from steelyard_catalog.entries import DroppedEntry
from steelyard_catalog.json_text import CatalogueFormatError, FormatProblem
from steelyard_registry.adapters.score_readers.arena import read_arena, read_arena_vision
from steelyard_registry.adapters.score_readers.artificial_analysis import read_artificial_analysis
from steelyard_registry.adapters.score_readers.bodies import MAX_BYTES
from steelyard_registry.adapters.score_readers.gathering import MAX_OBSERVATIONS, ReadScores
from steelyard_registry.adapters.score_readers.livebench import read_livebench
from steelyard_registry.adapters.score_readers.llm_stats import read_llm_stats
from steelyard_registry.domain.quality.editions import Observation
from steelyard_registry.domain.quality.scores import Task

ARENA_HEAD = "rank,model,arena_elo,95_pct_ci,votes,organization\n"
LLM_STATS_HEAD = "model_id,benchmark_id,benchmark_name,score,normalized_score\n"
READERS = [
    read_arena,
    read_arena_vision,
    read_artificial_analysis,
    read_livebench,
    read_llm_stats,
]


def rating(value: object, low: object = None, high: object = None) -> dict[str, object]:
    return {"rating": value, "rating_q025": low, "rating_q975": high}


def arena_json(**categories: object) -> bytes:
    return json.dumps(categories).encode()


def api_answer(*models: object, **other: object) -> bytes:
    return json.dumps({"status": 200, "data": models, **other}).encode()


def figures(read: ReadScores) -> dict[tuple[str, str], float]:
    return {(each.source_model, each.metric): each.value for each in read.observations}


def test_categories_of_the_arena_become_tasks_and_the_rest_is_ignored() -> None:
    read = read_arena(
        arena_json(
            full={"a": rating(1300.5, 1290, 1310)},
            coding={"a": rating(1301)},
            math={"a": rating(1302)},
            hard_6={"a": rating(1303)},
            long_user={"a": rating(1304)},
            french={"a": rating(1400)},
        )
    )

    assert read.observations[0] == Observation(
        source_model="a",
        task=Task.GENERAL,
        metric="elo",
        category="full",
        value=1300.5,
        low=1290.0,
        high=1310.0,
    )
    assert {each.category: each.task for each in read.observations} == {
        "full": Task.GENERAL,
        "coding": Task.CODING,
        "math": Task.MATH,
        "hard_6": Task.REASONING,
        "long_user": Task.LONG_CONTEXT,
    }
    assert read.dropped == ()


def test_of_the_vision_board_only_the_overall_category_counts() -> None:
    body = arena_json(captioning={"a": rating(1)}, full={"a": rating(1200)}, coding={"a": None})

    read = read_arena_vision(body)

    assert [(each.task, each.value) for each in read.observations] == [(Task.VISION, 1200.0)]
    assert read.dropped == ()


@pytest.mark.parametrize(
    ("low", "high"),
    [(1310, 1290), (1301, 1310), (1290, None), ("1290", 1310), (1290, 10**30), (True, 1310)],
)
def test_an_interval_that_is_none_is_left_out_and_the_rating_kept(
    low: object, high: object
) -> None:
    (observation,) = read_arena(arena_json(full={"a": rating(1300, low, high)})).observations

    assert (observation.value, observation.low, observation.high) == (1300.0, None, None)


def test_bad_entries_of_the_arena_are_dropped_one_by_one() -> None:
    read = read_arena(
        arena_json(
            full={
                "good": rating(1300),
                "text": rating("1300"),
                "yes": rating(value=True),
                "huge": rating(10**25),
                "absurd": rating(-20_000),
                "list": [1300],
                "": rating(1300),
                "new\nline": rating(1300),
                "\ud800": rating(1300),
                "n" * 257: rating(1300),
                " good ": rating(1200),
            },
            coding=[],
        )
    )

    assert figures(read) == {("good", "elo"): 1300.0}
    assert read.dropped == (
        DroppedEntry("full/text", "bad_rating"),
        DroppedEntry("full/yes", "bad_rating"),
        DroppedEntry("full/huge", "bad_rating"),
        DroppedEntry("full/absurd", "bad_rating"),
        DroppedEntry("full/list", "not_an_object"),
        DroppedEntry("full[6]", "bad_name"),
        DroppedEntry("full[7]", "bad_name"),
        DroppedEntry("full[8]", "bad_name"),
        DroppedEntry("full[9]", "bad_name"),
        DroppedEntry("full/good", "duplicate"),
        DroppedEntry("coding", "not_an_object"),
    )


def test_a_table_of_the_arena_has_interval_and_votes() -> None:
    text = ARENA_HEAD + '1,a,1287,+3/-4,42046,Maker\n2,"b, c",1265.5,unknown,many,Maker\n'
    expected = [
        Observation(
            source_model="a",
            task=Task.GENERAL,
            metric="elo",
            category="overall",
            value=1287.0,
            low=1283.0,
            high=1290.0,
            sample_count=42046,
        ),
        Observation(
            source_model="b, c",
            task=Task.GENERAL,
            metric="elo",
            category="overall",
            value=1265.5,
        ),
    ]

    for body in (
        text.encode(),
        text.replace("arena_elo", "arena_score").encode("utf-8-sig"),
        text.replace("\n", "\r\n").encode(),
        gzip.compress(text.encode()),
    ):
        assert list(read_arena(body).observations) == expected


def test_bad_rows_of_a_table_are_dropped_and_the_first_of_a_name_wins() -> None:
    rows = "1,a,1300,,\n2,a,1200,,\n3,b,nan,,\n4,c,inf,,\n5,d,1_300,,\n6,,1300,,\n\n7\n8,e,1100\n"

    read = read_arena((ARENA_HEAD + rows).encode())

    assert figures(read) == {("a", "elo"): 1300.0, ("e", "elo"): 1100.0}
    assert read.dropped == (
        DroppedEntry("a", "duplicate"),
        DroppedEntry("b", "bad_rating"),
        DroppedEntry("c", "bad_rating"),
        DroppedEntry("d", "bad_rating"),
        DroppedEntry("row[5]", "bad_name"),
        DroppedEntry("row[6]", "bad_name"),
    )


def test_benchmarks_of_llm_stats_become_metrics_of_tasks() -> None:
    rows = (
        "m,mmlu,MMLU,0.9,0.9\n"
        "m,humanity's-last-exam,Humanity's Last Exam,0.2,0.2\n"
        "m,hle,HLE,0.3,0.3\n"
        "m,aime-2025,AIME 2025,80,0.8\n"
        "m,humaneval,HumanEval,0.7,\n"
        "m,docvqa,DocVQA,0.6,1.7\n"
        "m,ruler,,1,1\n"
        "m,tau-bench-retail,TAU-bench,0.5,0.5\n"
        "m,truthfulqa,TruthfulQA,0.5,0.5\n"
        "m,mgsm,MGSM,90,90\n"
    )

    read = read_llm_stats((LLM_STATS_HEAD + rows).encode())

    assert [(each.metric, each.task, each.category, each.value) for each in read.observations] == [
        ("mmlu", Task.GENERAL, "MMLU", 0.9),
        ("hle", Task.REASONING, "Humanity's Last Exam", 0.2),
        ("aime-2025", Task.MATH, "AIME 2025", 0.8),
        ("humaneval", Task.CODING, "HumanEval", 0.7),
        ("docvqa", Task.VISION, "DocVQA", 0.6),
        ("ruler", Task.LONG_CONTEXT, "ruler", 1.0),
    ]
    assert read.dropped == (
        DroppedEntry("m/hle", "duplicate"),
        DroppedEntry("m/mgsm", "bad_figure"),
    )


MIRROR = {
    "updated_at": "2026-10-03 11:57:24",
    "models": [
        {"name": "A (High)", "slug": "a-high", "intel": 57.6, "coding": None, "agentic": 40},
        {"name": "B", "slug": "b", "intel": 0, "coding": 101},
    ],
}


def test_a_mirror_of_artificial_analysis_has_indices() -> None:
    read = read_artificial_analysis(json.dumps(MIRROR).encode())

    assert [(each.source_model, each.metric, each.value) for each in read.observations] == [
        ("a-high", "aa-intelligence-index", 0.576),
        ("b", "aa-intelligence-index", 0.0),
    ]
    assert read.dropped == (DroppedEntry("b/coding", "bad_figure"),)


def test_the_api_of_artificial_analysis_has_indices_and_evaluations() -> None:
    legacy = {
        "id": "1",
        "slug": "a",
        "model_creator": {"slug": "maker"},
        "evaluations": {
            "artificial_analysis_intelligence_index": 62.9,
            "artificial_analysis_coding_index": 55.8,
            "artificial_analysis_math_index": 87.2,
            "mmlu_pro": 0.791,
            "gpqa": 0.748,
            "hle": 0.087,
            "livecodebench": 0.717,
            "math_500": None,
            "aime": 87,
            "lcr": 0.5,
            "tau2": 0.4,
        },
    }

    read = read_artificial_analysis(api_answer(legacy, legacy, {"slug": "b"}, 7))

    assert [(each.metric, each.task, each.value) for each in read.observations] == [
        ("aa-intelligence-index", Task.GENERAL, 0.629),
        ("aa-coding-index", Task.CODING, 0.558),
        ("aa-math-index", Task.MATH, 0.872),
        ("aa-mmlu-pro", Task.GENERAL, 0.791),
        ("aa-gpqa", Task.REASONING, 0.748),
        ("aa-hle", Task.REASONING, 0.087),
        ("aa-livecodebench", Task.CODING, 0.717),
        ("aa-lcr", Task.LONG_CONTEXT, 0.5),
    ]
    assert read.dropped == (
        DroppedEntry("a/aime", "bad_figure"),
        DroppedEntry("a", "duplicate"),
        DroppedEntry("data[3]", "bad_name"),
    )


def test_the_newer_api_of_artificial_analysis_is_read_the_same_way() -> None:
    evaluations = {
        "artificial_analysis_intelligence_index": 40,
        "artificial_analysis_agentic_index": 30.1,
        "gpqa": 0.6,
        "gpqa_diamond": 0.7,
        "mmmu_pro": 0.5,
    }

    read = read_artificial_analysis(
        api_answer(
            {"slug": "a", "evaluations": evaluations, "performance": {}},
            tier="free",
            intelligence_index_version=4.3,
            pagination={"page": 1, "has_more": False},
        )
    )

    assert figures(read) == {
        ("a", "aa-intelligence-index"): 0.4,
        ("a", "aa-gpqa"): 0.6,
        ("a", "aa-mmmu-pro"): 0.5,
    }


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", FormatProblem.NOT_AN_OBJECT),
        (b"[]", FormatProblem.NOT_AN_OBJECT),
        (b"[{}]", FormatProblem.NOT_AN_OBJECT),
        (b"{}", FormatProblem.NOT_AN_OBJECT),
        (b'{"error": {"code": 429}}', FormatProblem.NOT_AN_OBJECT),
        (b"<!doctype html><html></html>", FormatProblem.NOT_AN_OBJECT),
        (b"\xff\xfe", FormatProblem.NOT_JSON),
        (b"\x1f\x8b\x08 no gzip", FormatProblem.NOT_JSON),
        (gzip.compress(b"model\nvalue\n", mtime=0)[:-6], FormatProblem.NOT_JSON),
        (gzip.compress(b"{}", mtime=0) + b"more", FormatProblem.NOT_JSON),
        (gzip.compress(b" " * (MAX_BYTES + 1)), FormatProblem.NOT_AN_OBJECT),
        (b" " * (MAX_BYTES + 1), FormatProblem.NOT_AN_OBJECT),
    ],
)
def test_what_is_nothing_of_the_kind_is_refused(
    reader: Callable[[bytes], ReadScores], body: bytes, problem: FormatProblem
) -> None:
    with pytest.raises(CatalogueFormatError) as refused:
        reader(body)

    # Where no table is read, a body without JSON is not even looked at.
    only_json = reader is read_artificial_analysis
    assert refused.value.problem in {problem, FormatProblem.NOT_JSON if only_json else problem}


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b'{"full": {"a": {"rating": NaN}}}', FormatProblem.NAN),
        (b'{"full": {"a": {"rating": Infinity}}}', FormatProblem.NAN),
        (b'{"full": ' + b"[" * 100_000, FormatProblem.TOO_DEEP),
        (b'{"full": {}}', FormatProblem.EMPTY),
        (b'{"captioning": {"a": {"rating": 1}}}', FormatProblem.NOT_AN_OBJECT),
        (ARENA_HEAD.encode(), FormatProblem.EMPTY),
        ((ARENA_HEAD + "x" * 140_000).encode(), FormatProblem.NOT_JSON),
    ],
)
def test_a_board_of_the_arena_that_is_unusable_is_refused(
    body: bytes, problem: FormatProblem
) -> None:
    with pytest.raises(CatalogueFormatError) as refused:
        read_arena(body)

    assert refused.value.problem is problem


@pytest.mark.parametrize("row", ["{0},model-{0},1000,,\n", "{0},,1000,,\n"])
def test_an_endless_table_is_refused(row: str) -> None:
    body = ARENA_HEAD + "1,first,1000,,\n"

    whole = "".join(row.format(number) for number in range(MAX_OBSERVATIONS - 1))
    assert read_arena((body + whole).encode()).observations
    with pytest.raises(CatalogueFormatError, match="more than 50000"):
        read_arena((body + whole + row.format(-1) + row.format(-2)).encode())
