"""Each fault of earlier health monitors, by its number."""

import pytest

from steelyard_health.domain.circuit import PERMIT_SECONDS, CircuitState
from steelyard_health.domain.outcome import Result
from steelyard_health.domain.score import HEALTHY_SCORE
from steelyard_health.domain.state import HealthState
from tests.health.outcomes import Reports, an_outcome


def test_h1_a_bad_score_decays_without_any_new_call() -> None:
    reports = Reports()
    reports.add("F" * 20, latency=6.0)
    assert (reports.offer().score, reports.offer().state) == (0.0, HealthState.UNHEALTHY)

    reports.now += 1800

    assert (reports.offer().score, reports.offer().state) == (1.0, HealthState.UNKNOWN)
    assert (reports.provider().score, reports.provider().state) == (1.0, HealthState.UNKNOWN)


def test_h2_failing_fast_is_not_healthy_and_answering_slowly_is() -> None:
    reports = Reports()
    reports.add("F" * 20, offer="acme/fast", latency=0.1)
    reports.add("S" * 20, offer="other/slow", latency=20.0)

    fast, slow = reports.offer("acme/fast"), reports.offer("other/slow")

    assert fast.score == 0.294 < HEALTHY_SCORE
    assert fast.state is HealthState.UNHEALTHY
    assert slow.score == 0.7 > HEALTHY_SCORE
    assert slow.state is HealthState.HEALTHY


@pytest.mark.parametrize("result", [Result.CONNECTION_ERROR, Result.TIMEOUT, Result.TRUNCATED])
def test_h3_the_commonest_outages_reach_the_monitor(result: Result) -> None:
    reports = Reports()

    for _ in range(5):
        reports.report(an_outcome(result))

    assert reports.offer().state is HealthState.UNHEALTHY


def test_h4_a_latency_of_zero_means_not_measured_and_lifts_no_score() -> None:
    reports = Reports()
    reports.add("S" * 10, latency=4.0)
    score = reports.offer().score

    reports.add("S" * 10, latency=0.0)

    assert reports.offer().score == score == 0.76
    assert reports.offer().figures.sample_count == 20


def test_h5_every_write_after_the_first_one_counts() -> None:
    reports = Reports()

    for _ in range(3):
        reports.add("S")
        reports.now += 60

    assert reports.provider().figures.sample_count == 3


def test_h6_old_successes_do_not_outweigh_failures_of_now() -> None:
    reports = Reports()
    reports.add("S" * 1001)

    reports.now += 300
    reports.add("FFFFSFFFF" + "FS")

    assert reports.provider().state is HealthState.UNHEALTHY
    assert reports.provider().score < HEALTHY_SCORE


def test_h6_a_timeout_after_a_429_does_not_overwrite_it() -> None:
    reports = Reports()
    reports.report(an_outcome(Result.RATE_LIMITED, retry_after=60.0))

    reports.report(an_outcome(Result.TIMEOUT))
    reports.report(an_outcome(Result.SUCCESS))

    assert reports.provider().state is HealthState.RATE_LIMITED
    assert reports.provider().standing.retry_at == 1060.0


def test_h7_a_bad_request_says_nothing_of_its_provider() -> None:
    reports = Reports()
    reports.add("S" * 20, latency=1.0)
    score = reports.offer().score

    for result in (Result.CLIENT_ERROR, Result.AUTH_ERROR, Result.CANCELLED):
        for _ in range(50):
            reports.report(an_outcome(result, latency=60.0))

    assert (reports.offer().score, reports.offer().state) == (score, HealthState.HEALTHY)


def test_h7_models_of_one_provider_have_health_and_percentiles_of_their_own() -> None:
    reports = Reports()
    for latency in (0.5, 1.0, 2.0, 4.0, 8.0):
        reports.report(an_outcome(offer="acme/large", latency=latency))
        reports.report(an_outcome(offer="acme/small", latency=latency / 10))

    large, small = reports.offer("acme/large"), reports.offer("acme/small")

    assert large.figures.latency == pytest.approx((2.0, 8.0, 8.0), rel=1 / 32)
    assert small.figures.latency == pytest.approx((0.2, 0.8, 0.8), rel=1 / 32)


def test_c4_a_wait_asked_for_is_kept_to_the_second() -> None:
    reports = Reports()
    reports.report(an_outcome(Result.RATE_LIMITED, retry_after=47.0))

    reports.now += 46.9
    assert reports.offer().state is HealthState.RATE_LIMITED
    reports.now += 0.1
    assert reports.offer().state is not HealthState.RATE_LIMITED


def test_c6_a_quiet_day_at_one_percent_errors_is_never_unhealthy() -> None:
    reports = Reports()
    bad = []

    for minute in range(24 * 60):
        reports.add("S" * 9 + ("F" if minute % 10 == 0 else "S"), latency=1.0)
        reports.now += 60
        if reports.offer().state is not HealthState.HEALTHY:
            bad.append(minute)

    assert bad == []


def test_c6_sixty_percent_errors_are_seen_at_the_twentieth_call() -> None:
    reports = Reports()
    reports.add("S" * 20)

    reports.now += 300
    reports.add("SFFSF" * 4)

    assert reports.offer().state is HealthState.UNHEALTHY
    assert reports.offer().score < HEALTHY_SCORE


def test_b18_forged_figures_of_a_custom_endpoint_move_nobody_elses_health() -> None:
    reports = Reports()
    reports.add("S" * 20, latency=2.0, tenant="honest")
    before = reports.offer(tenant="honest")

    for _ in range(1000):
        forged = an_outcome(latency=0.004, first_token=0.004, tokens=50_000_000, is_private=True)
        reports.report(forged, tenant="mallory")

    assert reports.offer(tenant="honest") == before


def test_h1_who_was_shut_out_is_called_again_without_any_new_call() -> None:
    reports = Reports()
    reports.add("F" * 20)
    assert reports.offer().circuit is CircuitState.OPEN

    reports.now += 5

    assert reports.permit()


def test_e3_cancelled_probes_do_not_wedge_a_half_open_circuit() -> None:
    reports = Reports()
    reports.add("FFFFF")
    reports.now += 5

    for _ in range(10):
        reports.report(an_outcome(Result.CANCELLED, permit=reports.permit()))
    for _ in range(10):
        assert reports.permit()
        reports.now += PERMIT_SECONDS
    for _ in range(3):
        reports.report(an_outcome(permit=reports.permit()))

    assert reports.offer().circuit is CircuitState.CLOSED


def test_b24_a_shorter_wait_does_not_replace_a_longer_one() -> None:
    reports = Reports()

    for seconds in (20.0, 90.0, 5.0):
        reports.report(an_outcome(Result.RATE_LIMITED, retry_after=seconds))

    assert reports.offer().retry_at == reports.now + 90
