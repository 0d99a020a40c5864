"""Whose word counts for everybody: three tenants, or a call of our own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard_health.domain.circuit import CircuitState
from steelyard_health.domain.outcome import Result
from steelyard_health.domain.state import HealthState
from steelyard_health.domain.subject import EVERYBODY
from tests.health.outcomes import Reports, an_outcome

WATCHER = "watcher"
OTHERS = ("b", "c", "d")


def told_by(tenants: tuple[str, ...], results: str) -> Reports:
    reports = Reports()
    for tenant in tenants:
        reports.add(results, tenant=tenant)
    return reports


@pytest.mark.parametrize("tenants", [("b",), ("b", "c")])
def test_what_one_or_two_tenants_meet_nobody_else_is_told(tenants: tuple[str, ...]) -> None:
    reports = told_by(tenants, "F" * 500)

    view = reports.offer(tenant=WATCHER)

    assert (view.state, view.score) == (HealthState.UNKNOWN, 1.0)
    assert view.circuit is CircuitState.CLOSED
    assert reports.providers(WATCHER) == []
    assert reports.offer(tenant="b").circuit is CircuitState.OPEN


def test_what_three_tenants_meet_everybody_is_told() -> None:
    reports = told_by(OTHERS, "FFFFF")

    view = reports.offer(tenant=WATCHER)

    assert view.state is HealthState.UNHEALTHY
    assert view.circuit is CircuitState.OPEN
    assert reports.providers(WATCHER) == ["acme"]


def test_failures_of_two_among_many_count_for_nobody_else() -> None:
    reports = told_by(("b", "c", "d", "e"), "S" * 10)
    for tenant in ("b", "c"):
        reports.add("F" * 100, tenant=tenant)

    view = reports.offer(tenant=WATCHER)

    assert view.state is HealthState.HEALTHY
    assert (view.figures.success_rate, view.circuit) == (1.0, CircuitState.CLOSED)
    reports.add("F", tenant="d")
    assert reports.offer(tenant=WATCHER).state is HealthState.UNHEALTHY


def test_agreement_ends_with_the_window() -> None:
    reports = told_by(OTHERS, "FFFFF")

    reports.now += 300

    assert reports.offer(tenant=WATCHER).state is HealthState.UNKNOWN


def test_a_failed_probe_of_our_own_vouches_for_what_one_tenant_met() -> None:
    reports = told_by(("b",), "FFFF")

    for _ in range(5):
        reports.report(an_outcome(Result.TIMEOUT), tenant=EVERYBODY)

    assert reports.offer(tenant=WATCHER).circuit is CircuitState.OPEN
    assert reports.offer(tenant=WATCHER).state is HealthState.UNHEALTHY


def test_a_good_probe_of_our_own_vouches_for_no_failures() -> None:
    reports = told_by(("b", "c"), "FFFFFF")

    for _ in range(5):
        reports.report(an_outcome(), tenant=EVERYBODY)

    assert reports.offer(tenant=WATCHER).state is HealthState.HEALTHY


def test_a_429_is_told_to_everybody_once_three_tenants_got_one() -> None:
    reports = told_by(OTHERS, "SSSS")
    reports.add("L", tenant="b")
    reports.add("L", tenant="c")
    assert reports.offer(tenant=WATCHER).state is HealthState.HEALTHY
    assert reports.offer(tenant="b").state is HealthState.RATE_LIMITED

    reports.add("L", tenant="d")

    assert reports.offer(tenant=WATCHER).state is HealthState.RATE_LIMITED


def test_own_keys_and_endpoints_never_count_for_everybody() -> None:
    reports = Reports()
    for tenant in OTHERS:
        reports.add("F" * 100, tenant=tenant, is_private=True)

    assert reports.offer(tenant=WATCHER).state is HealthState.UNKNOWN
    assert reports.providers(WATCHER) == []


def test_while_everybody_is_told_to_stay_away_one_probe_is_sent_for_all() -> None:
    reports = told_by(OTHERS, "FFFFF")
    reports.add("FFFFF", tenant="e")
    reports.now += 5

    permits = [reports.permit(tenant=tenant) for tenant in (*OTHERS, "e", WATCHER)]

    assert len([permit for permit in permits if permit]) == 1
    reports.report(an_outcome(permit="".join(permits)), tenant="b")
    assert len([t for t in (*OTHERS, WATCHER) if reports.permit(tenant=t)]) == 1


def test_when_the_circuit_of_all_closes_so_do_those_of_the_tenants_that_noticed_first() -> None:
    reports = told_by(OTHERS, "FFFFF")
    reports.now += 5

    for _ in range(3):
        reports.report(an_outcome(permit=reports.permit(tenant="b")), tenant="b")

    for tenant in (*OTHERS, WATCHER):
        assert reports.offer(tenant=tenant).circuit is CircuitState.CLOSED
        assert reports.offer(tenant=tenant).traffic_share == pytest.approx(0.1)


def test_what_a_tenant_met_while_the_circuit_of_all_was_open_does_not_open_its_own() -> None:
    reports = told_by(OTHERS, "FFFFF")
    reports.add("FFFF", tenant=WATCHER)
    reports.now += 5
    for _ in range(3):
        reports.report(an_outcome(permit=reports.permit(tenant="b")), tenant="b")

    reports.now += 1
    for _ in range(5):
        reports.report(an_outcome(Result.TIMEOUT, latency=2.0), tenant=WATCHER)
    reports.add("F", tenant=WATCHER)

    assert reports.offer(tenant=WATCHER).circuit is CircuitState.CLOSED


def test_a_probe_with_an_own_key_does_not_move_the_circuit_of_all() -> None:
    reports = told_by(OTHERS, "FFFFF")
    reports.now += 5

    for _ in range(3):
        permit = reports.permit(tenant="b")
        assert permit
        reports.report(an_outcome(permit=permit, is_private=True), tenant="b")

    assert reports.offer(tenant=WATCHER).circuit is CircuitState.HALF_OPEN


def test_a_tenant_that_knows_better_sees_its_own_figures_and_the_circuit_of_all() -> None:
    reports = Reports()
    reports.add("S" * 10, tenant="e")
    for tenant in OTHERS:
        reports.add("FFFFF", tenant=tenant)

    view = reports.offer(tenant="e")

    assert view.state is HealthState.HEALTHY
    assert view.circuit is CircuitState.OPEN


def test_an_answer_that_is_kept_ends_when_the_circuit_of_all_opens() -> None:
    reports = told_by((*OTHERS, WATCHER), "S" * 10)
    assert reports.offer(tenant=WATCHER).circuit is CircuitState.CLOSED

    for tenant in OTHERS:
        reports.add("FFFFF", tenant=tenant)

    assert reports.offer(tenant=WATCHER).circuit is CircuitState.OPEN


def test_a_list_of_models_that_cannot_be_read_again_and_again_opens_the_provider() -> None:
    reports = Reports()

    for _ in range(5):
        failed = an_outcome(Result.CONNECTION_ERROR, is_provider_only=True)
        reports.report(failed, tenant=EVERYBODY)

    assert reports.provider(tenant=WATCHER).circuit is CircuitState.OPEN


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["mallory", "accomplice"]),
            st.sampled_from("SFL"),
            st.booleans(),
            st.floats(0, 20),
        ),
        max_size=60,
    )
)
def test_nothing_that_two_tenants_report_changes_what_a_third_reads(
    steps: list[tuple[str, str, bool, float]],
) -> None:
    reports, alone = Reports(), Reports()
    for each in (reports, alone):
        each.add("S" * 13, tenant=WATCHER, latency=1.0)

    for tenant, result, is_private, wait in steps:
        reports.add(result, tenant=tenant, is_private=is_private)
        reports.now += wait
        alone.now += wait

    assert reports.offer(tenant=WATCHER) == alone.offer(tenant=WATCHER)
    assert reports.provider(tenant=WATCHER) == alone.provider(tenant=WATCHER)
    assert reports.offer("acme/other", tenant=WATCHER) == alone.offer("acme/other", tenant=WATCHER)
    assert reports.providers(WATCHER) == alone.providers(WATCHER)
