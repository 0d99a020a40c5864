"""The readers on real leaderboards and benchmark tables."""

import csv
import io
import json
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from steelyard_registry.adapters.score_readers.arena import read_arena
from steelyard_registry.adapters.score_readers.artificial_analysis import read_artificial_analysis
from steelyard_registry.adapters.score_readers.edition_date import edition_date_of
from steelyard_registry.adapters.score_readers.gathering import ReadScores
from steelyard_registry.adapters.score_readers.llm_stats import read_llm_stats
from steelyard_registry.domain.quality.editions import Observation
from steelyard_registry.domain.quality.scores import Task

pytestmark = pytest.mark.real_data

BOARDS = ("leaderboard-text_2025-12-11.json.gz", "leaderboard-text_2025-03-07.json.gz")
TABLES = ("lmsys_2024-06-19.csv", "lmsys_2024-12-03.csv", "lmarena_text_2025-08-06.csv")
FETCHED = date(2026, 11, 1)


def arena(data: Path, file: str) -> ReadScores:
    return read_arena((data / "lmarena" / file).read_bytes())


def one(read: ReadScores, model: str, metric: str, task: Task) -> Observation:
    (found,) = (
        each
        for each in read.observations
        if (each.source_model, each.metric, each.task) == (model, metric, task)
    )
    return found


@pytest.mark.parametrize(
    ("file", "counts"), [(BOARDS[0], (282, 278, 274, 282, 261)), (BOARDS[1], (204,) * 5)]
)
def test_every_rating_of_the_used_categories_is_read(
    real_data: Path, file: str, counts: tuple[int, ...]
) -> None:
    read = arena(real_data, file)

    tasks = (Task.GENERAL, Task.CODING, Task.MATH, Task.REASONING, Task.LONG_CONTEXT)
    assert Counter(each.task for each in read.observations) == dict(zip(tasks, counts, strict=True))
    assert read.dropped == ()


@pytest.mark.parametrize(("file", "rows"), [*zip(TABLES, (109, 167, 265), strict=True)])
def test_every_row_of_a_table_is_read_with_its_votes(real_data: Path, file: str, rows: int) -> None:
    read = arena(real_data, file)

    assert len(read.observations) == rows
    assert all(each.sample_count > 0 and each.low is not None for each in read.observations)
    assert {each.task for each in read.observations} == {Task.GENERAL}
    # The one model that a table lists twice.
    twice = {"lmarena_text_2025-08-06.csv": ["Yi-34B-Chat"]}
    assert [each.key for each in read.dropped] == twice.get(file, [])


@pytest.mark.parametrize("file", [*BOARDS, *TABLES])
def test_intervals_hold_their_ratings(real_data: Path, file: str) -> None:
    for each in arena(real_data, file).observations:
        assert each.low is not None
        assert each.high is not None
        assert 600 < each.low <= each.value <= each.high < 1700
        assert each.metric == "elo"


def test_ratings_are_those_of_the_source(real_data: Path) -> None:
    board, table = arena(real_data, BOARDS[0]), arena(real_data, TABLES[0])

    best = one(board, "gemini-3-pro", "elo", Task.GENERAL)
    assert (best.value, best.low, best.high) == pytest.approx((1486.6027, 1480.4027, 1492.8027))
    assert one(board, "gpt-4o-mini-2024-07-18", "elo", Task.MATH).value == pytest.approx(1270.5912)
    old = one(table, "Gemini-Advanced-0514", "elo", Task.GENERAL)
    assert (old.value, old.low, old.high, old.sample_count) == (1267, 1263, 1270, 34382)


def test_figures_of_llm_stats_are_shares_of_tasks(real_data: Path) -> None:
    body = (real_data / "benchmarks" / "llm_stats_scores_2025-10-16.csv").read_bytes()

    read = read_llm_stats(body)

    assert all(0 <= each.value <= 1 for each in read.observations)
    assert len({each.source_model for each in read.observations}) == 163
    per_task = Counter(each.task for each in read.observations)
    assert set(per_task) == set(Task)
    assert min(per_task.values()) > 40
    assert one(read, "gpt-4o-mini-2024-07-18", "mmlu", Task.GENERAL).value == 0.82
    exam = one(read, "gpt-5-2025-08-07", "hle", Task.REASONING)
    assert (exam.value, exam.category) == (0.248, "Humanity's Last Exam")
    # Rows that give a second figure for the same questions.
    assert {each.problem for each in read.dropped} == {"duplicate"}
    assert len(read.dropped) < 10


def test_no_common_benchmark_of_llm_stats_is_forgotten(real_data: Path) -> None:
    """What is left out is left out on purpose; a name that is new or misspelt would show here."""
    body = (real_data / "benchmarks" / "llm_stats_scores_2025-10-16.csv").read_text("utf-8")
    names = {each.category for each in read_llm_stats(body.encode()).observations}

    rows = Counter(
        row["benchmark_id"]
        for row in csv.DictReader(io.StringIO(body))
        if row["benchmark_name"] not in names
    )

    assert {name for name, count in rows.items() if count >= 9} == {
        *("tau-bench-retail", "tau-bench-airline", "tau2-retail", "tau2-airline", "tau2-telecom"),
        *("bfcl", "browsecomp"),
        *("truthfulqa", "facts-grounding"),
        *("include", "egoschema", "mt-bench"),
        *("piqa", "boolq", "social-iqa"),
    }


def test_indices_of_artificial_analysis_are_shares(real_data: Path) -> None:
    body = (real_data / "benchmarks" / "artificial_analysis_2026-10-03.json").read_bytes()

    read = read_artificial_analysis(body)

    assert Counter(each.metric for each in read.observations) == {
        "aa-intelligence-index": 680,
        "aa-coding-index": 258,
    }
    assert read.dropped == ()
    assert all(0 <= each.value < 1 for each in read.observations)
    written = {each["slug"]: each["intel"] for each in json.loads(body)["models"]}
    for each in read.observations:
        if each.metric == "aa-intelligence-index":
            assert each.value * 100 == pytest.approx(written[each.source_model])


@pytest.mark.parametrize(
    ("file", "day"),
    [
        ("lmarena/leaderboard-text_2025-12-11.json.gz", date(2025, 12, 11)),
        ("lmarena/lmsys_2024-06-19.csv", date(2024, 6, 19)),
        # The newest figure is a day older than the name.
        ("benchmarks/llm_stats_scores_2025-10-16.csv", date(2025, 10, 15)),
        ("benchmarks/artificial_analysis_2026-10-03.json", date(2026, 10, 3)),
    ],
)
def test_editions_have_their_days(real_data: Path, file: str, day: date) -> None:
    body = (real_data / file).read_bytes()

    assert edition_date_of(f"https://example.org/{file}", None, body, FETCHED) == day
