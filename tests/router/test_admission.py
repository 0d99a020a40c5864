"""Which offers a decision may try: probes of half-open circuits, ramp-up and panic."""

from collections.abc import Iterable, Sequence
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steelyard_router.domain.admission import draw
from steelyard_router.domain.decide import (
    STATUS_PAGE_SHARE,
    STATUS_PAGES,
    Verdict,
    decide,
    fallbacks,
)
from steelyard_router.domain.explain import reason_for
from steelyard_router.domain.health import Condition, OfferHealth
from steelyard_router.domain.quoted import Quoted
from steelyard_router.domain.rejection import RejectionReason
from tests.fakes import START
from tests.router.builders import a_policy, quoted

LATER = START + timedelta(seconds=30)
OPEN = OfferHealth(score=0.2, condition=Condition.CIRCUIT_OPEN, retry_time=LATER)
LIMITED = OfferHealth(condition=Condition.RATE_LIMITED, retry_time=LATER)
RETIRED = OfferHealth(condition=Condition.MAINTENANCE)
HALF_OPEN = OfferHealth(score=0.2, success_rate=0.1, condition=Condition.HALF_OPEN)
DECISIONS = [f"dec_{number}" for number in range(2_000)]


def decided(of: Iterable[Quoted], *, decision_id: str = "dec_1") -> Verdict:
    return decide(of, a_policy(), decision_id=decision_id, output_tokens=500, now=START)


def names(verdict: Verdict) -> list[str]:
    return [each.offer.offer for each in verdict.candidates]


def details(verdict: Verdict) -> dict[str, str]:
    return {each.offer: each.detail for each in verdict.rejected}


def recovering(share: float) -> OfferHealth:
    return OfferHealth(traffic_share=share)


def open_ones(count: int) -> Sequence[Quoted]:
    return [quoted(f"p{number}/open", health=OPEN) for number in range(count)]


def test_a_half_open_offer_comes_first_where_it_would_if_it_were_well() -> None:
    probe, other = quoted("a/probe", usd=0.001, health=HALF_OPEN), quoted("b/well", usd=0.002)

    verdict = decided([other, probe])

    assert names(verdict) == ["a/probe", "b/well"]
    assert verdict.is_probe
    assert verdict.candidates[0].health == 1.0
    assert verdict.candidates[0].utility.risk == 0.0
    assert verdict.candidates[0].risked_cost == 10**9


def test_a_half_open_offer_is_no_fallback() -> None:
    of = [quoted("a/well", usd=0.001), quoted("b/probe", usd=0.002, health=HALF_OPEN)]

    verdict = decided(of)

    assert names(verdict) == ["a/well"]
    assert not verdict.is_probe
    assert not fallbacks(verdict.candidates)
    assert details(verdict) == {"b/probe": "Its circuit waits for a probe."}
    assert verdict.rejected[0].reason is RejectionReason.CIRCUIT_OPEN


def test_of_two_half_open_offers_one_is_probed_by_a_decision() -> None:
    verdict = decided([quoted(f"{name}/x", health=HALF_OPEN) for name in "ba"])

    assert names(verdict) == ["a/x"]
    assert list(details(verdict)) == ["b/x"]


def test_an_offer_that_recovers_gets_about_its_share_of_decisions() -> None:
    of = [quoted("a/recovers", usd=0.001, health=recovering(0.3)), quoted("b/well", usd=0.002)]

    taking = sum("a/recovers" in names(decided(of, decision_id=each)) for each in DECISIONS)

    assert taking / len(DECISIONS) == pytest.approx(0.3, abs=0.04)


def test_the_same_decision_draws_the_same_again() -> None:
    assert draw("dec_1", "a/x") == draw("dec_1", "a/x")
    assert draw("dec_1", "a/x") != draw("dec_1", "b/x")
    assert draw("dec_1", "a/x") != draw("dec_2", "a/x")


def test_offers_that_recover_are_drawn_apart_from_each_other() -> None:
    both = sum(draw(each, "a/x") < 0.5 and draw(each, "b/x") < 0.5 for each in DECISIONS)

    assert both / len(DECISIONS) == pytest.approx(0.25, abs=0.04)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=30), st.text(max_size=30))
def test_a_draw_lies_between_0_and_below_1(decision_id: str, offer: str) -> None:
    assert 0.0 <= draw(decision_id, offer) < 1.0


def test_an_offer_that_recovers_and_is_not_drawn_says_so() -> None:
    of = [quoted("a/recovers", health=recovering(0.37)), quoted("b/well")]
    without = next(each for each in DECISIONS if draw(each, "a/recovers") >= 0.37)

    verdict = decided(of, decision_id=without)

    assert names(verdict) == ["b/well"]
    assert details(verdict) == {"a/recovers": "Recovering: takes 37 % of its usual traffic."}
    assert verdict.rejected[0].reason is RejectionReason.CIRCUIT_OPEN


@pytest.mark.parametrize("away", [LIMITED, OPEN, RETIRED])
def test_an_offer_that_recovers_is_used_when_no_other_is_left(away: OfferHealth) -> None:
    of = [quoted("a/recovers", health=recovering(0.000001)), quoted("b/away", health=away)]

    verdict = decided(of)

    assert names(verdict) == ["a/recovers"]
    assert list(details(verdict)) == ["b/away"]


def test_half_of_the_circuits_open_is_no_panic() -> None:
    verdict = decided([quoted("a/well"), *open_ones(1)])

    assert names(verdict) == ["a/well"]
    assert not verdict.is_panic


def test_when_more_than_half_of_the_circuits_are_open_they_are_ignored() -> None:
    good = quoted("x/good", usd=0.0001, quality=99, health=OPEN._replace(score=0.9))
    of = [quoted("a/well", usd=0.01, quality=70), good, *open_ones(1)]

    verdict = decided(of)

    assert verdict.is_panic
    assert names(verdict)[0] == "x/good"
    assert set(names(verdict)) == {"a/well", "x/good", "p0/open"}
    assert not verdict.rejected


def test_the_reason_names_the_panic() -> None:
    verdict = decided([quoted("a/well"), *open_ones(2)])

    sentence = reason_for(verdict.candidates, is_panic=verdict.is_panic)

    assert sentence.endswith("; circuits were ignored because most are open.")


def test_in_panic_offers_that_recover_are_not_held_back() -> None:
    verdict = decided([quoted("a/recovers", health=recovering(0.000001)), *open_ones(2)])

    assert set(names(verdict)) == {"a/recovers", "p0/open", "p1/open"}


def test_in_panic_a_half_open_offer_is_still_no_more_than_the_first_choice() -> None:
    cheap, dear = (quoted(f"h/{usd}", usd=usd, health=HALF_OPEN) for usd in (0.0001, 5.0))

    assert names(decided([cheap, *open_ones(2)]))[0] == "h/0.0001"
    assert "h/5.0" not in names(decided([dear, *open_ones(2)]))


@pytest.mark.parametrize("uncounted", [RETIRED, LIMITED])
def test_maintenance_and_waits_are_not_counted_for_panic(uncounted: OfferHealth) -> None:
    away = [quoted(f"q{number}/away", health=uncounted) for number in range(5)]

    assert decided([quoted("a/well"), *open_ones(2), *away]).is_panic
    assert not decided([quoted("a/well"), *open_ones(1), *away]).is_panic


def test_in_panic_maintenance_is_not_ignored() -> None:
    verdict = decided([*open_ones(2), quoted("a/retired", health=RETIRED)])

    assert "a/retired" not in names(verdict)
    assert verdict.is_panic


def test_an_offer_beyond_a_limit_does_not_count_for_panic() -> None:
    dear = [quoted(f"d{number}/dear", usd=None) for number in range(3)]

    assert decided([quoted("a/well"), *dear, *open_ones(2)]).is_panic


def test_c6_a_red_status_page_takes_at_most_half_of_the_traffic_and_ejects_nobody() -> None:
    fine = OfferHealth(score=0.95)
    red = OfferHealth(score=0.475, status_factor=0.5)
    rival = quoted("b/rival", usd=0.00101, health=fine)

    before = decided([quoted("a/best", usd=0.001, health=fine), rival])
    chosen = [
        names(decided([quoted("a/best", usd=0.001, health=red), rival], decision_id=each))
        for each in DECISIONS
    ]

    assert names(before)[0] == "a/best"
    assert 0.5 <= sum(each[0] == "a/best" for each in chosen) / len(chosen) < 0.55
    assert all(sorted(each) == ["a/best", "b/rival"] for each in chosen)


@given(
    scores=st.lists(st.floats(0.05, 1.0), min_size=2, max_size=6),
    factors=st.lists(st.floats(0.5, 1.0), min_size=6, max_size=6),
    number=st.integers(0, 10**9),
)
def test_half_of_the_decisions_are_those_without_any_status_page(
    scores: list[float], factors: list[float], number: int
) -> None:
    decision_id = f"dec_{number}"
    silent = [
        quoted(f"p{each}/x", usd=0.001, health=OfferHealth(score=score))
        for each, score in enumerate(scores)
    ]
    told = [
        each._replace(health=OfferHealth(score=each.health.score * factor, status_factor=factor))
        for each, factor in zip(silent, factors, strict=False)
    ]

    with_pages = decided(told, decision_id=decision_id)

    if draw(decision_id, STATUS_PAGES) >= STATUS_PAGE_SHARE:
        without = decided(silent, decision_id=decision_id)
        found = [each.utility.total for each in with_pages.candidates]
        assert found == pytest.approx([each.utility.total for each in without.candidates])
