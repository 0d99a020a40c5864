"""The parity state machine, as tables of results in order: S success, F failure, L a 429."""

import pytest

from steelyard_health.domain.outcome import Result
from steelyard_health.domain.state import HealthState, wait_seconds
from tests.health.outcomes import Reports, an_outcome

UNKNOWN, HEALTHY = HealthState.UNKNOWN, HealthState.HEALTHY
DEGRADED, UNHEALTHY = HealthState.DEGRADED, HealthState.UNHEALTHY
RATE_LIMITED = HealthState.RATE_LIMITED


@pytest.mark.parametrize(
    ("results", "state"),
    [
        ("", UNKNOWN),
        ("S", HEALTHY),
        ("F", HEALTHY),
        ("FFFF", HEALTHY),
        ("FFFFF", UNHEALTHY),
        ("FFFFFF", UNHEALTHY),
        ("FFFFSF", HEALTHY),  # the run was broken
        ("S" * 90 + "FFFFF", UNHEALTHY),  # 5 % errors, but in a row
        ("FFFFF" + "S" * 9, UNHEALTHY),
        ("FFFFF" + "S" * 10, HEALTHY),
        ("FFFFF" + "SSSSSF" * 2 + "S" * 9, UNHEALTHY),  # nine in a row, not ten
        ("FSSSSSSSSS", HEALTHY),  # 10 %, but of ten samples
        ("FFFSSSSSSS", HEALTHY),  # 30 %, but of ten samples
        ("S" * 9 + "FF", DEGRADED),  # 18 % of eleven
        ("S" * 18 + "FF", DEGRADED),  # exactly 10 %
        ("S" * 19 + "FF", HEALTHY),  # 9.5 %
        ("S" * 15 + "FFFFSF", DEGRADED),  # 24 %
        ("S" * 13 + "FFFFSFF", UNHEALTHY),  # exactly 30 %
        ("S" * 14 + "FFFFSFF", DEGRADED),  # 28.6 %
        ("SF" * 10 + "S" * 9, UNHEALTHY),  # 34 %
        ("SF" * 10 + "S" * 10, HEALTHY),  # from any bad state
        ("SF" * 10 + "S" * 10 + "F", UNHEALTHY),  # and by the rate again
        ("L", RATE_LIMITED),
        ("SSSSSL", RATE_LIMITED),
        ("FFFFFL", RATE_LIMITED),
        ("FFFFLF", RATE_LIMITED),
        ("L" + "S" * 10, RATE_LIMITED),  # Retry-After is a promise, not a guess
    ],
)
def test_results_in_order_lead_to_a_state(results: str, state: HealthState) -> None:
    reports = Reports()

    reports.add(results)

    assert reports.provider().state is state


def test_a_429_neither_breaks_nor_lengthens_a_run() -> None:
    reports = Reports()

    reports.add("FFFFLF")

    assert reports.provider().standing.failures_in_row == 5
    assert reports.provider().standing.state_apart_from_limits is UNHEALTHY
    assert reports.provider().figures.sample_count == 5


def test_a_429_counts_until_the_wait_is_over() -> None:
    reports = Reports()
    reports.add("S")
    reports.report(an_outcome(Result.RATE_LIMITED, retry_after=30.0))

    reports.now += 29.9
    assert reports.provider().state is RATE_LIMITED
    assert reports.provider().standing.retry_at == 1030.0

    reports.now += 0.1
    assert reports.provider().state is HEALTHY
    assert reports.provider().standing.retry_at is None


def test_the_wait_counts_from_the_end_of_the_call() -> None:
    reports = Reports()

    reports.report(an_outcome(Result.RATE_LIMITED, retry_after=30.0, age=20.0))

    assert reports.provider().standing.retry_at == 1010.0


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [
        (0.0, 0.0),
        (0.5, 0.5),
        (120.0, 120.0),
        (121.0, 120.0),
        (86_400.0, 120.0),
        (1e9, 120.0),
        (None, 10.0),
        (-1.0, 10.0),
        (float("nan"), 10.0),
        (float("inf"), 10.0),
    ],
)
def test_retry_after_is_clamped(retry_after: float | None, seconds: float) -> None:
    assert wait_seconds(retry_after) == seconds


def test_the_later_deadline_stays() -> None:
    reports = Reports()
    reports.report(an_outcome(Result.RATE_LIMITED, retry_after=60.0))

    reports.report(an_outcome(Result.RATE_LIMITED, retry_after=5.0))

    assert reports.provider().standing.retry_at == 1060.0


def test_a_run_of_failures_counts_no_longer_than_the_window() -> None:
    reports = Reports()
    reports.add("FFFFF")

    reports.now += 200
    reports.add("S")
    assert reports.provider().state is UNHEALTHY

    reports.now += 100
    assert reports.provider().state is HEALTHY
    assert reports.provider().standing.failures_in_row == 0


def test_failures_that_left_the_window_are_in_no_run() -> None:
    reports = Reports()
    reports.add("FFFF")

    reports.now += 300
    reports.add("F")

    assert reports.provider().standing.failures_in_row == 1
    assert reports.provider().state is HEALTHY


def test_successes_that_left_the_window_are_in_no_run() -> None:
    reports = Reports()
    reports.add("S" * 9)

    reports.now += 300
    reports.add("S")

    assert reports.provider().standing.successes_in_row == 1


def test_successes_reported_late_end_no_spell_once_they_have_left_the_window() -> None:
    reports = Reports()
    reports.add("FFFFF")
    for _ in range(9):
        reports.report(an_outcome(age=295.0))

    reports.now += 10
    reports.add("S")

    assert reports.provider().state is UNHEALTHY


def test_the_change_of_a_state_has_a_time() -> None:
    reports = Reports()
    assert reports.provider().standing.changed_at is None

    reports.add("S")
    reports.now += 7
    reports.add("FFFFF")
    reports.now += 3
    reports.add("F")

    assert reports.provider().standing.changed_at == 1007.0
    assert reports.provider().standing.last_outcome_at == 1010.0
