"""What a tenant is charged: pure arithmetic on rates."""

from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard_pricing.domain.components import Component
from steelyard_pricing.domain.margins import (
    MarginRule,
    RuleKey,
    RuleScope,
    margin_basis_points,
    tenants_of,
    thin_margins,
)
from steelyard_pricing.domain.overrides import (
    PriceOverride,
    TenantOverrides,
    by_tenant,
    scaled_price,
)
from steelyard_pricing.domain.price_view import PriceView, Terms, terms_of
from steelyard_pricing.domain.quote import UsageLines, cost_parts
from steelyard_pricing.domain.rates import Rate, TimeWindow
from steelyard_pricing.domain.snapshot import Listing, Snapshot
from tests.pricing.builders import INPUT, OUTPUT, a_fact, a_snapshot, counts, tokens

NOW = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
MIX = UsageLines.of(counts(uncached_input_token=3, output_token=1))


def an_override(sequence: int = 1, **fields: Any) -> PriceOverride:
    """Return an override that is valid now, on `acme/model` unless fields say otherwise."""
    place = {} if "provider" in fields else {"offer": "acme/model"}
    defaults: dict[str, Any] = {"override_id": f"ovr_{sequence}", "tenant_id": "a", "start": NOW}
    return PriceOverride(sequence=sequence, **(defaults | place | fields))


def a_rule(name: str = "a", scope: RuleScope = RuleScope.TENANT, **fields: Any) -> MarginRule:
    return MarginRule(key=RuleKey(scope, name), **fields)


def a_listing(*rates: Rate, offer: str = "acme/model") -> Listing:
    return a_snapshot(a_fact(offer, rates)).listings[offer]


def own_rates(
    listing: Listing, *overrides: PriceOverride, rule: MarginRule | None = None
) -> dict[Any, int] | None:
    """Return what is charged now by what the rate is for, None where it is the list price."""
    view = PriceView(Terms(TenantOverrides(overrides), rule), 1)
    price = view.find(listing, NOW)
    return None if price is None else {rate.key: rate.picodollars for rate in price.fact.rates}


BASE_INPUT = (INPUT, "", 0, ())
BASE_OUTPUT = (OUTPUT, "", 0, ())


def test_a_factor_applies_to_every_rate_rounded_half_even() -> None:
    listing = a_listing(Rate(INPUT, 5), Rate(OUTPUT, 15), Rate(OUTPUT, 7, "batch", 128_000))

    assert own_rates(listing, an_override(factor=5_000)) == {
        BASE_INPUT: 2,
        BASE_OUTPUT: 8,
        (OUTPUT, "batch", 128_000, ()): 4,
    }


def test_own_rates_replace_those_of_the_same_component_tier_and_band_only() -> None:
    window = (TimeWindow((), 0, 60),)
    listing = a_listing(
        Rate(INPUT, 100),
        Rate(INPUT, 60, windows=window),
        Rate(INPUT, 50, "batch"),
        Rate(INPUT, 200, above_prompt_tokens=1000),
        Rate(OUTPUT, 400),
    )

    own = (Rate(INPUT, 90), Rate(INPUT, 150, above_prompt_tokens=1000))

    # The price for some hours goes with the one that it is a discount on.
    assert own_rates(listing, an_override(rates=own)) == {
        BASE_INPUT: 90,
        (INPUT, "batch", 0, ()): 50,
        (INPUT, "", 1000, ()): 150,
        BASE_OUTPUT: 400,
    }


def test_own_rates_price_an_unpriced_offer_and_a_factor_does_not() -> None:
    assert own_rates(a_listing(), an_override(rates=tokens("1"))) is not None
    assert own_rates(a_listing(), an_override(factor=5_000)) is None
    assert own_rates(a_listing(), rule=a_rule(markup=5_000)) is None


def test_an_override_for_the_offer_beats_a_newer_one_for_its_provider() -> None:
    listing = a_listing(Rate(INPUT, 100))

    of_offer = an_override(1, factor=9_000)
    of_provider = an_override(2, provider="acme", factor=5_000)

    assert own_rates(listing, of_provider, of_offer) == {BASE_INPUT: 90}
    assert own_rates(listing, of_provider) == {BASE_INPUT: 50}


def test_of_two_overrides_alike_the_newest_valid_one_applies() -> None:
    listing = a_listing(Rate(INPUT, 100))
    old = an_override(1, factor=9_000)
    ended = an_override(2, factor=5_000, start=NOW - HOUR, end=NOW)
    future = an_override(3, factor=5_000, start=NOW + HOUR)
    new = an_override(4, factor=8_000)

    assert own_rates(listing, old, ended, future) == {BASE_INPUT: 90}
    assert own_rates(listing, old, ended, future, new) == {BASE_INPUT: 80}


def test_an_override_applies_from_its_start_until_before_its_end() -> None:
    override = an_override(factor=1, start=NOW, end=NOW + HOUR)
    instant = timedelta(microseconds=1)
    times = [NOW - instant, NOW, NOW + HOUR - instant, NOW + HOUR]

    assert [override.is_valid(time) for time in times] == [False, True, True, False]


def test_a_markup_is_on_cost_and_a_fixed_price_replaces_both() -> None:
    listing = a_listing(Rate(INPUT, 100), Rate(OUTPUT, 400))
    cut = an_override(factor=5_000)
    rule = a_rule(markup=2_000, fixed_prices={"acme/model": (Rate(OUTPUT, 333),)})

    assert own_rates(listing, cut, rule=a_rule(markup=2_000)) == {BASE_INPUT: 60, BASE_OUTPUT: 240}
    assert own_rates(listing, cut, rule=rule) == {BASE_INPUT: 60, BASE_OUTPUT: 333}


def test_a_rule_that_changes_nothing_leaves_the_list_price() -> None:
    assert own_rates(a_listing(Rate(INPUT, 100)), rule=a_rule(floor=500)) is None


def test_a_listing_is_never_changed() -> None:
    listing = a_listing(*tokens("1", "2"))
    before = deepcopy(listing)

    own_rates(listing, an_override(factor=1), rule=a_rule(markup=9_000))

    assert listing == before


def test_tenants_of_a_plan_share_their_cards() -> None:
    plan = a_rule("gold", RuleScope.PLAN, markup=100, plan_tenants=("a", "b", "c"))
    own = a_rule("c", markup=200)

    terms = terms_of([an_override(tenant_id="b", factor=9_000)], [plan, own])

    assert terms["a"].rule is plan
    assert terms["b"].rule is plan
    assert terms["b"] is not terms["a"]
    assert terms["c"].rule is own
    assert tenants_of([own, plan]) == {"a": plan, "b": plan, "c": own}


@given(
    rates=st.lists(
        st.builds(
            Rate,
            st.sampled_from([INPUT, OUTPUT, Component.CACHE_READ_TOKEN, Component.REQUEST]),
            st.integers(0, 10**9),
            st.sampled_from(["", "batch"]),
            st.sampled_from([0, 1000]),
        ),
        min_size=1,
        max_size=8,
    ),
    factor=st.integers(1, 1_000_000),
    markup=st.integers(0, 100_000),
    prompt=st.integers(0, 5_000),
    completion=st.integers(0, 5_000),
)
def test_a_charge_is_its_parts_and_cost_plus_margin(
    rates: list[Rate], factor: int, markup: int, prompt: int, completion: int
) -> None:
    listing = a_listing(*{rate.key: rate for rate in rates}.values())
    usage = UsageLines.of(
        counts(uncached_input_token=prompt, cache_read_token=prompt // 2, output_token=completion)
    )
    terms = Terms(TenantOverrides([an_override(factor=factor)]), a_rule(markup=markup))
    price = PriceView(terms, 1).find(listing, NOW)
    assert price is not None
    prices = price.card.prices("batch", lambda: 0)
    parts = cost_parts(usage, prices.bands[prices.band_index(usage.prompt_tokens)])
    if parts is None:
        return

    margin = price.margin(parts, usage, "batch", lambda: 0)

    assert sum(parts[:-1]) == parts[-1]
    assert 0 <= margin <= parts[-1]
    if not markup:
        assert margin == 0


def margins(
    snapshot: Snapshot, *rules: MarginRule, overrides: list[PriceOverride] | None = None
) -> list[tuple[str, int, bool, tuple[str, ...]]]:
    """Return offer, margin, whether it is below the floor, and tenants."""
    found = thin_margins(tuple(snapshot.listings.values()), rules, by_tenant(overrides or []), NOW)
    return [(each.offer, each.basis_points, each.is_below_floor, each.tenant_ids) for each in found]


def test_a_margin_is_of_three_prompt_tokens_and_one_of_completion() -> None:
    fixed = {"acme/model": (Rate(INPUT, 100), Rate(OUTPUT, 700))}
    snapshot = a_snapshot(a_fact("acme/model", [Rate(INPUT, 100), Rate(OUTPUT, 500)]))

    assert margins(snapshot, a_rule(floor=2_500, fixed_prices=fixed)) == [
        ("acme/model", 2_000, True, ("a",))
    ]


@pytest.mark.parametrize(
    ("floor", "expected"), [(2001, [True]), (2000, [False]), (1819, [False]), (1818, [])]
)
def test_what_is_less_than_a_tenth_above_its_floor_is_reported(
    floor: int, expected: list[bool]
) -> None:
    fixed = {"acme/model": (Rate(INPUT, 100),)}
    snapshot = a_snapshot(a_fact("acme/model", [Rate(INPUT, 80)]))

    found = margins(snapshot, a_rule(floor=floor, fixed_prices=fixed))

    assert [is_below for _, _, is_below, _ in found] == expected


def test_tenants_with_their_own_cost_are_told_apart() -> None:
    snapshot = a_snapshot(
        a_fact("acme/model", [Rate(INPUT, 100)]), a_fact("acme/other", [Rate(INPUT, 10)])
    )
    plan = a_rule(
        "gold",
        RuleScope.PLAN,
        floor=1_000,
        fixed_prices={"acme/model": (Rate(INPUT, 80),), "acme/other": (Rate(INPUT, 80),)},
        plan_tenants=("a", "b", "c"),
    )

    found = margins(
        snapshot,
        plan,
        a_rule("c", floor=0, markup=1_000),
        overrides=[an_override(tenant_id="b", factor=5_000)],
    )

    assert found == [("acme/model", -2_500, True, ("a",))]


def test_what_has_no_price_of_tokens_has_no_margin() -> None:
    snapshot = a_snapshot(
        a_fact("acme/free", [Rate(INPUT, 0), Rate(OUTPUT, 0)], is_free=True),
        a_fact("acme/unpriced"),
        a_fact("acme/image", [Rate(Component.OUTPUT_IMAGE, 10)]),
    )

    fixed = {"acme/unpriced": (Rate(INPUT, 100),)}

    assert margins(snapshot, a_rule(floor=9_999, fixed_prices=fixed)) == []


@given(sell=st.integers(1, 10**6), cost=st.integers(0, 10**6), floor=st.integers(0, 9_999))
def test_a_margin_is_below_its_floor_exactly_where_the_rounded_one_is(
    sell: int, cost: int, floor: int
) -> None:
    rounded = margin_basis_points((sell, None), (cost, None))

    assert rounded is not None
    assert (rounded < floor) == ((sell - cost) * 10_000 < floor * sell)


@given(price=st.integers(0, 10**12), markup=st.integers(0, 100_000))
def test_a_markup_never_makes_a_price_smaller(price: int, markup: int) -> None:
    assert scaled_price(price, 10_000 + markup) >= price
