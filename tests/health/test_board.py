"""Who sees which outcomes: tenants, providers in place of offers, bounds."""

import pytest

from steelyard_health.domain.board import Capacity
from steelyard_health.domain.outcome import Result
from steelyard_health.domain.state import HealthState
from tests.health.outcomes import OFFER, PROVIDER, Reports, a_board, an_outcome

SIBLING = "acme/small"
OTHER = "tenant-b"


def test_nothing_is_held_against_the_unknown() -> None:
    view = Reports().offer()

    assert view.state is HealthState.UNKNOWN
    assert (view.score, view.figures.confidence, view.figures.sample_count) == (1.0, 0.0, 0)
    assert view.figures.latency is None


def test_an_outcome_counts_for_its_offer_and_its_provider() -> None:
    reports = Reports()

    reports.add("S" * 6, latency=1.0)
    reports.add("F" * 6, offer=SIBLING, latency=1.0)

    assert reports.offer().figures.success_rate == 1.0
    assert reports.offer(SIBLING).figures.success_rate == 0.0
    assert reports.provider().figures.success_rate == 0.5
    assert reports.provider().figures.sample_count == 12


def test_providers_whose_names_begin_alike_are_not_confused() -> None:
    reports = Reports()
    reports.add("S", offer="acme/a")
    reports.add("S", offer="acme-eu/b")

    assert reports.offers_of("acme") == ["acme/a"]
    assert reports.providers() == ["acme", "acme-eu"]


def test_an_offer_with_too_few_outcomes_is_judged_by_its_provider() -> None:
    reports = Reports()
    reports.add("S" * 5 + "F" * 15, latency=2.0)
    reports.add("SSSS", offer=SIBLING)

    view = reports.offer(SIBLING)

    assert view.is_from_provider
    assert view.figures.sample_count == 24
    assert view.state is HealthState.UNHEALTHY
    assert view.figures.confidence == pytest.approx(reports.provider().figures.confidence / 2)
    assert not reports.offer(OFFER).is_from_provider


def test_an_offer_with_enough_outcomes_is_judged_by_them() -> None:
    reports = Reports()
    reports.add("F" * 20)

    reports.add("SSSSS", offer=SIBLING)

    view = reports.offer(SIBLING)
    assert (view.is_from_provider, view.state, view.score) == (False, HealthState.HEALTHY, 1.0)


def test_a_providers_good_figures_do_not_hide_an_offer_that_is_rate_limited() -> None:
    reports = Reports()
    reports.add("S" * 100)

    reports.add("L", offer=SIBLING)

    assert reports.offer(SIBLING).state is HealthState.RATE_LIMITED
    assert reports.provider().state is HealthState.RATE_LIMITED


def test_one_offers_429_does_not_stop_its_siblings() -> None:
    reports = Reports()
    reports.add("S" * 20 + "L")

    view = reports.offer(SIBLING)

    assert view.is_from_provider
    assert view.state is HealthState.HEALTHY
    assert view.standing.retry_at is None


def test_a_provider_with_too_few_outcomes_judges_nobody() -> None:
    reports = Reports()
    reports.add("FFFF")

    assert reports.offer(SIBLING).state is HealthState.UNKNOWN
    assert not reports.offer(SIBLING).is_from_provider


def test_a_tenants_own_outcomes_move_nothing_that_others_see() -> None:
    reports = Reports()
    reports.add("S" * 20, tenant=OTHER, latency=1.0)
    before = reports.offer(tenant=OTHER), reports.provider(tenant=OTHER)

    reports.add("F" * 1000 + "L", is_private=True)

    assert (reports.offer(tenant=OTHER), reports.provider(tenant=OTHER)) == before
    assert reports.offer().state is HealthState.RATE_LIMITED


def test_a_tenants_own_offers_are_not_even_named_to_others() -> None:
    reports = Reports()

    reports.add("S", offer="in-house/llm", is_private=True)

    assert reports.providers(OTHER) == []
    assert reports.offers_of("in-house", OTHER) == []
    assert reports.providers() == ["in-house"]


def test_enough_outcomes_of_its_own_are_all_that_a_tenant_sees() -> None:
    reports = Reports()
    reports.add("F" * 100, tenant=OTHER)

    reports.add("S" * 10, is_private=True)

    assert reports.offer().figures.sample_count == 10
    assert reports.offer().score == 1.0


def test_a_tenant_with_few_outcomes_of_its_own_sees_what_everybody_is_told() -> None:
    reports = Reports()
    for tenant in ("b", "c", "d"):
        reports.add("S" * 9 + "F", tenant=tenant, latency=1.0)

    reports.add("SSSS", latency=3.0)

    view = reports.offer()
    # Calls of the first tenant count for everybody from the second tenant on.
    assert view.figures.sample_count == 20 + 4
    assert view.state is HealthState.HEALTHY
    assert not view.is_from_provider


def test_a_tenant_with_some_outcomes_of_its_own_is_not_outvoted_by_few() -> None:
    reports = Reports()
    for tenant in ("b", "c", "d"):
        reports.add("S", tenant=tenant)

    reports.add("SSSSSS", latency=3.0)

    assert reports.offer().figures.sample_count == 6


def test_bad_news_of_its_own_is_all_that_a_tenant_sees() -> None:
    reports = Reports()
    reports.add("S" * 1000, tenant=OTHER)

    reports.add("FFFFF", is_private=True)

    assert reports.offer().state is HealthState.UNHEALTHY
    assert reports.offer().score == 0.0


def test_a_tenant_sees_everybodys_figures_again_once_its_own_have_left_the_window() -> None:
    reports = Reports()
    reports.add("F" * 20, is_private=True)

    reports.now += 300
    for tenant in ("b", "c", "d"):
        reports.add("S" * 7, tenant=tenant)

    assert reports.offer().figures.sample_count == 14


def test_an_outcome_counts_once_by_its_id() -> None:
    reports = Reports()

    assert reports.report(an_outcome(Result.TIMEOUT, outcome_id="out_x"))
    assert not reports.report(an_outcome(Result.TIMEOUT, outcome_id="out_x"))

    assert reports.offer().figures.sample_count == 1
    assert reports.board.version == 1


def test_no_tenant_uses_up_the_ids_of_another() -> None:
    reports = Reports()

    reports.report(an_outcome(outcome_id="out_1"), tenant=OTHER)

    assert reports.report(an_outcome(outcome_id="out_1"))


def test_a_view_is_the_same_object_while_it_stands() -> None:
    reports = Reports()
    reports.add("S" * 5)
    first = reports.offer()

    reports.now += 9
    assert reports.offer() is first
    reports.now += 1
    assert reports.offer() is not first

    second = reports.offer()
    reports.add("S")
    assert reports.offer() is not second


def test_offers_that_were_silent_longest_make_room() -> None:
    reports = Reports(a_board(Capacity(tracks_per_tenant=4)))

    for name in ("a", "b", "c", "a", "d"):
        reports.add("SSSSS", offer=f"{PROVIDER}/{name}")

    assert reports.offers_of(PROVIDER) == ["acme/a", "acme/c", "acme/d"]


def test_a_tenant_with_many_offers_pushes_out_its_own_only() -> None:
    reports = Reports(a_board(Capacity(tenant_tracks=100, tracks_per_tenant=4)))
    reports.add("SSSSS", tenant=OTHER, is_private=True)

    for number in range(50):
        reports.add("S", offer=f"acme/model-{number}", is_private=True)

    assert reports.offer(tenant=OTHER).figures.sample_count == 5
    assert len(reports.offers_of(PROVIDER)) == 3


def test_many_tenants_push_out_the_one_that_was_silent_longest() -> None:
    reports = Reports(a_board(Capacity(tenant_tracks=20)))

    for number in range(100):
        reports.add("S", tenant=f"tenant-{number}", is_private=True)
        reports.add("S", tenant="tenant-0", is_private=True)

    known = [n for n in range(100) if reports.providers(f"tenant-{n}")]
    assert known == [0, *range(91, 100)]
    assert reports.offer(tenant="tenant-0").figures.sample_count == 101


def test_a_list_of_models_tells_of_the_provider_only() -> None:
    reports = Reports()

    for _ in range(5):
        reports.report(an_outcome(Result.TIMEOUT, is_provider_only=True))

    assert reports.provider().state is HealthState.UNHEALTHY
    assert reports.offers_of(PROVIDER) == []


def test_outcomes_are_counted_by_how_they_ended() -> None:
    reports = Reports()
    for result in [*Result, Result.TIMEOUT]:
        reports.report(an_outcome(result))

    results = reports.offer().figures.results

    assert results == {**dict.fromkeys(Result, 1), Result.TIMEOUT: 2}
    assert reports.offer().figures.sample_count == 6
    reports.now += 300
    assert reports.offer().figures.results == {}
