"""The decision as a pure function."""

import math
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steelyard_router.domain import decide as decisions
from steelyard_router.domain.decide import Candidate, Verdict, fallbacks
from steelyard_router.domain.explain import reason_for
from steelyard_router.domain.health import UNKNOWN, Condition, OfferHealth, condition_at
from steelyard_router.domain.policy import NAMED_WEIGHTS, Policy, Weights, scaled
from steelyard_router.domain.quoted import Quoted
from steelyard_router.domain.rejection import RejectionReason
from steelyard_router.domain.utility import trusted_quality, utility
from tests.fakes import START
from tests.router.builders import a_policy, quoted

LATER = START + timedelta(seconds=30)
TIMED = OfferHealth(latency_seconds=2.0)
OPEN = OfferHealth(score=0.2, condition=Condition.CIRCUIT_OPEN, retry_time=LATER)
LIMITED = OfferHealth(condition=Condition.RATE_LIMITED, retry_time=LATER)
RETIRED = OfferHealth(condition=Condition.MAINTENANCE, retry_time=LATER)
HALF_OPEN = OfferHealth(score=0.2, success_rate=0.1, condition=Condition.HALF_OPEN)

healths = st.builds(
    OfferHealth,
    score=st.floats(0, 1),
    success_rate=st.floats(0, 1),
    condition=st.sampled_from(Condition),
    retry_time=st.sampled_from([None, START - timedelta(seconds=1), START + timedelta(minutes=1)]),
    latency_seconds=st.one_of(st.none(), st.floats(0, 600)),
    first_token_seconds=st.one_of(st.none(), st.floats(0, 60)),
    tokens_per_second=st.one_of(st.none(), st.floats(0.1, 5000)),
    traffic_share=st.sampled_from([1.0, 1.0, 0.1, 0.5, 0.9]),
)
facts = st.tuples(st.floats(0, 100), st.floats(0, 40), st.floats(0, 50), healths)
policies = st.one_of(
    st.sampled_from([a_policy(name) for name in NAMED_WEIGHTS]),
    st.tuples(*[st.floats(0, 1e9)] * 4)
    .filter(any)
    .map(lambda weights: Policy(weights=scaled(Weights(*weights)))),
)


@st.composite
def offers(draw: st.DrawFn, *, least: int = 1) -> list[Quoted]:
    drawn = draw(st.lists(facts, min_size=least, max_size=8))
    return [
        quoted(f"p{index % 3}/m{index}", usd=usd, health=health, quality=q, uncertainty=u)
        for index, (q, u, usd, health) in enumerate(drawn)
    ]


def decide(of: Iterable[Quoted], policy: Policy, *, decision_id: str = "dec_1") -> Verdict:
    return decisions.decide(of, policy, decision_id=decision_id, output_tokens=500, now=START)


def order(of: list[Quoted], policy: Policy) -> list[str]:
    return names(decide(of, policy))


def names(verdict: Verdict) -> list[str]:
    return [candidate.offer.offer for candidate in verdict.candidates]


def chosen(*of: Quoted, policy: Policy | None = None) -> str:
    return order(list(of), policy or a_policy())[0]


@settings(max_examples=60, deadline=None)
@given(offers(least=2), policies, st.data())
def test_no_offer_changes_the_order_of_two_others(
    of: list[Quoted], policy: Policy, data: st.DataObject
) -> None:
    removed = data.draw(st.sampled_from(of))
    rest = [each for each in of if each is not removed]

    before, after = order(of, policy), order(rest, policy)
    assert [name for name in before if name in after] == [name for name in after if name in before]


@settings(max_examples=40, deadline=None)
@given(offers(), policies, st.randoms(use_true_random=False))
def test_the_order_of_the_input_does_not_matter(
    of: list[Quoted], policy: Policy, random: object
) -> None:
    shuffled = list(of)
    random.shuffle(shuffled)  # type: ignore[attr-defined]

    assert order(shuffled, policy) == order(of, policy)


@settings(max_examples=60, deadline=None)
@given(facts, policies, st.integers(0, 2), st.floats(0.001, 5))
def test_a_dominated_offer_never_wins(
    base: tuple[float, float, float, OfferHealth], policy: Policy, part: int, more: float
) -> None:
    quality, uncertainty, usd, health = base
    health = health._replace(
        condition=Condition.OPEN_TO_REQUESTS,
        tokens_per_second=None,
        latency_seconds=3.0,
        traffic_share=1.0,
    )

    def described(name: str, **facts: Any) -> Quoted:
        same: dict[str, Any] = {
            "usd": usd,
            "health": health,
            "quality": quality,
            "uncertainty": uncertainty,
        }
        return quoted(name, **(same | facts))

    worse: dict[str, Any] = (
        {"usd": usd + more},
        {"health": health._replace(latency_seconds=3.0 + more)},
        {"quality": max(0.0, quality - more)},
    )[part]

    of = [described("a/worse", **worse), described("b/better")]

    assert order(of, policy)[0] == "b/better" or (part == 2 and quality == 0.0)


@settings(max_examples=40, deadline=None)
@given(offers(), policies)
def test_every_figure_is_finite(of: list[Quoted], policy: Policy) -> None:
    for candidate in decide(of, policy).candidates:
        figures = (*candidate.utility, candidate.latency_seconds, candidate.risked_cost)
        assert all(math.isfinite(figure) for figure in figures)
        parts = candidate.utility
        total = parts.quality - parts.cost - parts.latency - parts.risk
        assert parts.total == pytest.approx(total)


def test_at_equal_price_and_quality_the_faster_one_wins() -> None:
    slow = quoted("a/slow", health=OfferHealth(latency_seconds=9.0))
    fast = quoted("b/fast", health=OfferHealth(latency_seconds=2.0))

    assert chosen(slow, fast) == "b/fast"


def test_ties_go_to_the_cheaper_then_the_faster_then_the_name() -> None:
    policy = Policy(weights=Weights(1.0, 0.0, 0.0, 0.0))
    dear = quoted("a/dear", usd=0.2, health=TIMED)
    slow = quoted("b/slow", usd=0.1, health=OfferHealth(latency_seconds=3.0))
    last, first = quoted("d/x", usd=0.1, health=TIMED), quoted("c/x", usd=0.1, health=TIMED)

    assert order([dear, slow, last, first], policy) == ["c/x", "d/x", "b/slow", "a/dear"]


@pytest.mark.parametrize(
    ("policy", "winner"), [("cheap", "a/small"), ("best", "c/large"), ("fast", "b/quick")]
)
def test_policies_want_different_things(policy: str, winner: str) -> None:
    of = (
        quoted("a/small", usd=0.0001, quality=80, health=OfferHealth(latency_seconds=6.0)),
        quoted("b/quick", usd=0.002, quality=82, health=OfferHealth(latency_seconds=0.4)),
        quoted("c/large", usd=0.02, quality=97, health=OfferHealth(latency_seconds=9.0)),
    )

    assert chosen(*of, policy=a_policy(policy)) == winner


def test_only_the_ratios_of_explicit_weights_count() -> None:
    balanced = NAMED_WEIGHTS["balanced"]

    assert scaled(balanced) == pytest.approx(balanced)
    assert scaled(Weights(*(1e300 * weight for weight in balanced))) == pytest.approx(balanced)
    assert scaled(Weights(5e-324, 0, 0, 0)) == pytest.approx((4.5, 0, 0, 0))


def test_a_guess_does_not_beat_evidence_of_the_same_score() -> None:
    guess, evidence = quoted("a/x", quality=90, uncertainty=15), quoted("b/x", quality=89)

    assert chosen(guess, evidence) == "b/x"
    assert trusted_quality(90, 15) == 82.5
    assert trusted_quality(3, 20) == 0


def test_attempts_that_fail_cost_too() -> None:
    flaky = quoted("a/flaky", usd=0.10, health=OfferHealth(success_rate=0.5))
    steady = quoted("b/steady", usd=0.12)

    verdict = decide([flaky, steady], a_policy())

    assert [each.offer.offer for each in verdict.candidates] == ["b/steady", "a/flaky"]
    assert verdict.candidates[1].risked_cost == pytest.approx(0.175 * 10**12)
    assert verdict.candidates[1].cost is not None
    assert verdict.candidates[1].cost.total == 10**11, "what is shown is one attempt"


@pytest.mark.parametrize(
    ("of", "policy", "reason"),
    [
        (quoted(usd=0.02), a_policy(max_cost_picodollars=10**10), RejectionReason.TOO_EXPENSIVE),
        (quoted(health=TIMED), a_policy(max_latency_seconds=1.9), RejectionReason.TOO_SLOW),
        (quoted(usd=None), a_policy(), RejectionReason.UNPRICED),
        (
            quoted(usd=None),
            a_policy(allow_unpriced=True, max_cost_picodollars=10**10),
            RejectionReason.UNPRICED,
        ),
    ],
)
def test_an_offer_beyond_a_limit_is_rejected(
    of: Quoted, policy: Policy, reason: RejectionReason
) -> None:
    verdict = decide([of], policy)

    assert not verdict.candidates
    assert [each.reason for each in verdict.rejected] == [reason]
    assert verdict.unhealthy_count == 0


def test_limits_are_inclusive() -> None:
    policy = a_policy(max_cost_picodollars=10**9, max_latency_seconds=2.0)

    assert chosen(quoted(usd=0.001, health=TIMED), policy=policy)


def test_an_offer_that_nobody_timed_is_not_too_slow() -> None:
    assert chosen(quoted(health=UNKNOWN), policy=a_policy(max_latency_seconds=0.1))


def test_unpriced_offers_rank_last_where_they_are_allowed() -> None:
    unpriced, dear = quoted("a/unpriced", usd=None, quality=100), quoted("b/dear", usd=40)

    assert order([unpriced, dear], a_policy(allow_unpriced=True)) == ["b/dear", "a/unpriced"]


def test_q18_an_unknown_price_is_neither_nan_nor_infinite() -> None:
    policy = a_policy(allow_unpriced=True)

    (candidate,) = decide([quoted(usd=None)], policy).candidates

    assert candidate.cost is None
    assert math.isfinite(candidate.utility.total)


@pytest.mark.parametrize(
    ("health", "reason"),
    [
        (OPEN, RejectionReason.CIRCUIT_OPEN),
        (LIMITED, RejectionReason.RATE_LIMITED),
        (RETIRED, RejectionReason.CIRCUIT_OPEN),
    ],
)
def test_an_offer_that_cannot_be_called_now_is_left_out_while_there_are_others(
    health: OfferHealth, reason: RejectionReason
) -> None:
    away, well = quoted("a/away", usd=0.0, quality=100, health=health), quoted("b/well", quality=1)

    verdict = decide([away, well], a_policy())

    assert [each.offer.offer for each in verdict.candidates] == ["b/well"]
    assert [each.reason for each in verdict.rejected] == [reason]
    assert "09:30:30 UTC" in verdict.rejected[0].detail


def test_when_all_ask_to_wait_the_one_that_is_back_first_is_tried() -> None:
    soon = LIMITED._replace(retry_time=START + timedelta(seconds=2))

    assert order([quoted("a/x", health=LIMITED), quoted("b/x", health=soon)], a_policy()) == [
        "b/x",
        "a/x",
    ]


def test_an_offer_whose_provider_asks_to_wait_is_tried_when_nothing_else_is_left() -> None:
    verdict = decide([quoted("a/x", health=OPEN), quoted("b/x", health=LIMITED)], a_policy())

    assert names(verdict) == ["a/x"]
    assert [each.reason for each in verdict.rejected] == [RejectionReason.RATE_LIMITED]


def test_an_offer_taken_out_by_hand_is_never_tried() -> None:
    verdict = decide([quoted(health=RETIRED)], a_policy())

    assert not verdict.candidates
    assert verdict.unhealthy_count == 1
    assert verdict.retry_time == LATER


def test_nobody_is_told_to_come_back_at_an_instant_that_is_past() -> None:
    past = RETIRED._replace(retry_time=START - timedelta(seconds=1))

    assert decide([quoted(health=past)], a_policy()).retry_time is None
    both = [quoted("a/x", health=past), quoted("b/x", health=RETIRED)]
    assert decide(both, a_policy()).retry_time == LATER


@pytest.mark.parametrize("health", [OPEN, LIMITED])
def test_a_wait_that_is_over_keeps_nobody_out(health: OfferHealth) -> None:
    assert condition_at(health, LATER) is Condition.OPEN_TO_REQUESTS
    assert condition_at(health, LATER - timedelta(microseconds=1)) is health.condition
    assert condition_at(health._replace(retry_time=None), LATER) is health.condition


def candidates(*names: str) -> tuple[Candidate, ...]:
    of = [quoted(name, usd=0.001 * (rank + 1)) for rank, name in enumerate(names)]
    return decide(of, a_policy()).candidates


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("a/1",), ()),
        (("a/1", "a/2", "a/3", "a/4"), ("a/2", "a/3")),
        (("a/1", "a/2", "b/3", "c/4"), ("b/3", "a/2")),
        (("a/1", "b/2", "c/3", "b/4"), ("b/2", "b/4")),
    ],
)
def test_fallbacks_go_to_another_provider_first_and_to_two_at_most(
    names: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    assert tuple(each.offer.offer for each in fallbacks(candidates(*names))) == expected


def test_the_reason_compares_with_the_next_best() -> None:
    of = [quoted("openai/gpt-4.1-mini", usd=0.0005), quoted("groq/big", usd=0.00056, quality=91)]
    policy = a_policy("cheap")

    sentence = reason_for(decide(of, policy).candidates)

    assert sentence == (
        "gpt-4.1-mini at openai: quality 88 for 0.0005 USD expected; "
        "next best groq/big costs 12% more at 3 points more quality."
    )


@pytest.mark.parametrize(
    ("first", "second", "difference"),
    [
        (0.001, 0.0010001, "costs the same at equal quality"),
        (0.001, 0.0015, "costs 50% more at equal quality"),
        (0.0, 0.002, "costs 0.002 USD at equal quality"),
    ],
)
def test_the_reason_tells_the_difference_in_cost(
    first: float, second: float, difference: str
) -> None:
    of = [quoted("a/x", usd=first), quoted("b/x", usd=second)]

    sentence = reason_for(decide(of, a_policy()).candidates)

    assert difference in sentence


def test_the_reason_says_when_there_is_no_choice() -> None:
    assert reason_for(candidates("a/1")).endswith("no other offer can serve this request.")


def test_doubling_a_cost_weighs_the_same_wherever_it_is_large() -> None:
    def loss(usd: float) -> float:
        weights = NAMED_WEIGHTS["balanced"]
        return utility(
            weights, quality=0, cost_picodollars=usd * 1e12, latency_seconds=0, health=1
        ).cost

    assert loss(2) - loss(1) == pytest.approx(loss(20) - loss(10), rel=1e-3)
