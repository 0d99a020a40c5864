"""Whether a new edition can be what its source measured."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from steelyard_registry.adapters.score_readers.arena import read_arena
from steelyard_registry.domain.quality.editions import Observation, ScoreEdition, ScoreSource
from steelyard_registry.domain.quality.plausibility import (
    agrees,
    rank_correlation,
    without_outliers,
)
from steelyard_registry.domain.quality.scores import Task

EDITION = ScoreEdition(
    source=ScoreSource.ARENA,
    edition_date=date(2025, 12, 11),
    observations=(),
    fetched_time=datetime(2026, 1, 1, tzinfo=UTC),
    sha256="",
)


def edition(observations: tuple[Observation, ...]) -> ScoreEdition:
    return replace(EDITION, observations=observations)


BOARD = {f"model-{place}": 1000.0 + 10 * place for place in range(40)}


def ratings(figures: Mapping[str, float], task: Task = Task.GENERAL) -> ScoreEdition:
    return edition(
        tuple(
            Observation(source_model=name, task=task, metric="elo", category="full", value=value)
            for name, value in figures.items()
        )
    )


def test_correlation_is_spearmans() -> None:
    assert rank_correlation([1, 2, 3, 4], [10, 20, 30, 1000]) == 1
    assert rank_correlation([1, 2, 3, 4], [4, 3, 2, 1]) == -1
    assert rank_correlation([1, 2, 2, 3], [1, 2, 2, 3]) == 1
    assert rank_correlation([1, 1, 2], [1, 2, 3]) == pytest.approx(0.866, abs=0.001)
    assert rank_correlation([1, 1, 1], [1, 2, 3]) == 0
    assert rank_correlation([], []) == 0


@pytest.mark.real_data
def test_real_editions_agree_and_swapped_ones_do_not(real_data: Path) -> None:
    older, newer = (
        edition(read_arena((real_data / "lmarena" / name).read_bytes()).observations)
        for name in (
            "leaderboard-text_2025-03-07.json.gz",
            "leaderboard-text_2025-12-11.json.gz",
        )
    )
    names = [each.source_model for each in newer.observations]
    swapped = edition(
        tuple(
            replace(each, source_model=name)
            for each, name in zip(newer.observations, [*names[100:], *names[:100]], strict=True)
        )
    )

    assert agrees(newer, older)
    assert agrees(older, newer)
    assert not agrees(swapped, newer)


def test_few_common_names_say_nothing_where_there_were_few() -> None:
    assert agrees(EDITION, EDITION)
    assert agrees(ratings({"a": 1.0}), ratings({"b": 1.0}))


def names_in(found: ScoreEdition) -> set[str]:
    return {each.source_model for each in found.observations}


def test_renamed_models_are_doubted_and_so_is_a_single_task_upside_down() -> None:
    renamed = {f"x-{name}": value for name, value in BOARD.items()}
    upside_down = {name: -value for name, value in BOARD.items()}

    assert not agrees(ratings(renamed), ratings(BOARD))
    assert not agrees(ratings(upside_down, Task.CODING), ratings(BOARD, Task.CODING))


@pytest.mark.parametrize("poisoned", ["model-0", "model-20", "model-39"])
@pytest.mark.parametrize("rating", [1500.0, 1700.0, 5000.0])
@pytest.mark.parametrize("known", [None, ratings(BOARD)])
def test_one_rating_far_above_all_others_is_left_out(
    poisoned: str, rating: float, known: ScoreEdition | None
) -> None:
    found = without_outliers(ratings(BOARD | {poisoned: rating}), known)

    assert names_in(found) == BOARD.keys() - {poisoned}


def test_a_rating_that_moved_alone_is_left_out_and_a_move_of_all_is_not() -> None:
    moved = {name: value + 400 for name, value in BOARD.items()}

    assert names_in(without_outliers(ratings(moved), ratings(BOARD))) == BOARD.keys()
    fell = without_outliers(ratings(moved | {"model-30": 1300.0}), ratings(BOARD))
    assert names_in(fell) == BOARD.keys() - {"model-30"}


@pytest.mark.real_data
def test_no_real_rating_is_left_out(real_data: Path) -> None:
    older, newer = (
        edition(read_arena((real_data / "lmarena" / name).read_bytes()).observations)
        for name in (
            "leaderboard-text_2025-03-07.json.gz",
            "leaderboard-text_2025-12-11.json.gz",
        )
    )

    assert without_outliers(newer, older) is newer
    assert without_outliers(older, None) is older
