"""When sources are read by themselves, and how old is too old."""

from datetime import UTC, datetime, timedelta

import pytest

from steelyard_pricing.domain.schedule import due_time
from steelyard_pricing.domain.source import HISTORY_LENGTH, SourceFailure, SourceState

NOW = datetime(2026, 11, 2, tzinfo=UTC)
DAY = timedelta(days=1)
FAILURE = SourceFailure("timeout", "it took too long", NOW)


def due(state: SourceState, random: float = 0.5) -> datetime | None:
    return due_time(state, time_to_live=DAY, random=lambda: random)


def test_a_source_that_was_never_read_is_due_at_once() -> None:
    assert due(SourceState()) is None


@pytest.mark.parametrize(("random", "factor"), [(0.0, 0.9), (0.5, 1.0), (1.0, 1.1)])
def test_a_success_is_good_for_a_day_give_or_take_a_tenth(random: float, factor: float) -> None:
    assert due(SourceState().succeeded(NOW), random) == NOW + DAY * factor


@pytest.mark.parametrize(
    ("failures", "pause"),
    [
        (1, timedelta(minutes=1)),
        (2, timedelta(minutes=2)),
        (5, timedelta(minutes=16)),
        (11, timedelta(minutes=1024)),
        (12, DAY),
        (99, DAY),
    ],
)
def test_each_failure_doubles_the_pause_up_to_a_day(failures: int, pause: timedelta) -> None:
    state = SourceState()
    for _ in range(failures):
        state = state.failed(FAILURE)

    assert due(state) == NOW + pause


def test_a_success_ends_the_row_of_failures() -> None:
    state = SourceState().failed(FAILURE).failed(FAILURE).succeeded(NOW)

    assert state.consecutive_failures == 0
    assert state.last_failure is None
    assert state.success_rate == pytest.approx(1 / 3)


def test_p1_a_failure_leaves_the_time_of_the_last_success() -> None:
    state = SourceState().succeeded(NOW - DAY).failed(FAILURE)

    assert state.last_success_time == NOW - DAY
    assert state.last_failure == FAILURE


def test_only_the_last_hundred_tries_are_remembered() -> None:
    state = SourceState()
    for _ in range(HISTORY_LENGTH):
        state = state.failed(FAILURE)
    for _ in range(HISTORY_LENGTH - 1):
        state = state.succeeded(NOW)

    assert len(state.attempts) == HISTORY_LENGTH
    assert state.success_rate == pytest.approx(0.99)


@pytest.mark.parametrize(
    ("age", "is_stale"),
    [(DAY - timedelta(seconds=1), False), (DAY, True), (DAY + timedelta(seconds=1), True)],
)
def test_exactly_a_day_is_stale(age: timedelta, *, is_stale: bool) -> None:
    assert SourceState().succeeded(NOW - age).is_stale(NOW, DAY) is is_stale
