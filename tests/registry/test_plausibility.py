"""Whether a new edition can be what its source measured."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from steelyard_registry.adapters.score_readers.arena import read_arena
from steelyard_registry.domain.quality.editions import Observation, ScoreEdition, ScoreSource
from steelyard_registry.domain.quality.plausibility import agrees, rank_correlation

EDITION = ScoreEdition(
    source=ScoreSource.ARENA,
    edition_date=date(2025, 12, 11),
    observations=(),
    fetched_time=datetime(2026, 1, 1, tzinfo=UTC),
    sha256="",
)


def edition(observations: tuple[Observation, ...]) -> ScoreEdition:
    return replace(EDITION, observations=observations)


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


def test_few_common_names_say_nothing() -> None:
    assert agrees(EDITION, EDITION)
