"""The parity score, as a table."""

import pytest

from steelyard_health.domain.score import (
    HEALTHY_SCORE,
    confidence,
    effective_score,
    window_score,
)


@pytest.mark.parametrize(
    ("success_rate", "mean_latency", "score"),
    [
        (None, None, 1.0),  # unknown
        (1.0, 0.0, 1.0),
        (1.0, 0.8, 0.952),
        (1.0, 2.5, 0.85),
        (1.0, 5.0, 0.7),
        (1.0, 20.0, 0.7),  # never below for being slow alone
        (0.8, 1.0, 0.8),
        (0.5, 0.1, 0.644),
        (0.0, 0.1, 0.294),
        (0.0, 5.0, 0.0),
        (2 / 3, 1 / 3, 0.747),  # three decimals
        (0.75, None, 0.75),  # nothing was measured: success alone decides
        (0.0, None, 0.0),
    ],
)
def test_the_score_is_seven_tenths_success_and_three_tenths_speed(
    success_rate: float | None, mean_latency: float | None, score: float
) -> None:
    assert window_score(success_rate, mean_latency) == score


def test_a_half_is_healthy() -> None:
    assert window_score(0.5, 2.5) == HEALTHY_SCORE == 0.5


def test_a_status_page_can_halve_a_score() -> None:
    assert effective_score(0.952, 0.5) == 0.476
    assert effective_score(0.952, 1.0) == 0.952


@pytest.mark.parametrize(("samples", "trust"), [(0, 0.0), (1, 0.091), (10, 0.5), (990, 0.99)])
def test_confidence_grows_with_samples(samples: int, trust: float) -> None:
    assert confidence(samples) == trust
