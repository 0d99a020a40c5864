"""Offers side by side."""

from datetime import date

import pytest

from steelyard_pricing.domain.components import Component
from steelyard_pricing.domain.quote import UsageLines
from steelyard_pricing.domain.ranking import (
    DEFAULT_MIX,
    Pricer,
    at_each_seller,
    compare_sellers,
    is_served,
    rank,
)
from steelyard_pricing.domain.rates import Rate
from tests.pricing.builders import a_fact, a_snapshot, tokens, usd

PRICER = Pricer(UsageLines.of(DEFAULT_MIX), lambda: 0)
SNAPSHOT = a_snapshot(
    a_fact("acme/cheap", tokens("1", "1")),
    a_fact("acme/dear", tokens("10", "10")),
    a_fact("acme/unpriced"),
    a_fact("bolt/middle", tokens("2", "3")),
    a_fact(
        "bolt/free", [Rate(Component.INPUT_TOKEN, 0), Rate(Component.OUTPUT_TOKEN, 0)], is_free=True
    ),
    a_fact("bolt/half", [Rate(Component.INPUT_TOKEN, 1)]),
    a_fact("void/unpriced"),
)


def test_the_default_mix_is_three_prompt_tokens_to_one_of_completion() -> None:
    assert sum(DEFAULT_MIX) == 1_000_000
    assert DEFAULT_MIX[0] == 3 * DEFAULT_MIX[4]


def test_p6_and_c2_free_and_unpriced_offers_are_counted_and_not_ranked() -> None:
    result = rank(SNAPSHOT.listings.values(), PRICER, limit=2)

    assert [entry.listing.offer for entry in result.ranked] == ["acme/cheap", "bolt/middle"]
    assert (result.free_count, result.unpriced_count) == (1, 3)


def test_sellers_are_compared_by_what_their_priced_offers_cost() -> None:
    sellers = compare_sellers(SNAPSHOT.listings.values(), PRICER)

    assert [seller.provider for seller in sellers] == ["bolt", "acme", "void"]
    bolt, acme, void = sellers
    assert (bolt.offer_count, bolt.free_count, len(bolt.costs)) == (3, 1, 1)
    assert (acme.offer_count, acme.mean, len(acme.costs)) == (3, usd("5.5"), 2)
    assert (void.offer_count, void.mean, void.costs) == (1, 0, [])


def test_a_model_at_each_seller_is_listed_cheapest_first_and_unpriced_last() -> None:
    ranked = at_each_seller(SNAPSHOT.listings.values(), PRICER)

    offers = [entry.listing.offer for entry in ranked]
    assert offers[:4] == ["bolt/free", "acme/cheap", "bolt/middle", "acme/dear"]
    assert [entry.parts for entry in ranked[4:]] == [None, None, None]


@pytest.mark.parametrize(
    ("deprecation_date", "today", "expected"),
    [
        (None, date(2026, 11, 2), True),
        (date(2026, 11, 2), date(2026, 11, 1), True),
        (date(2026, 11, 2), date(2026, 11, 2), False),
    ],
)
def test_an_offer_is_served_until_its_day(
    deprecation_date: date | None, today: date, *, expected: bool
) -> None:
    snapshot = a_snapshot(a_fact("acme/model", tokens(), deprecation_date=deprecation_date))

    assert is_served(snapshot.listings["acme/model"], today) is expected
