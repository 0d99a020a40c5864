"""Bands, tiers, hours and fallbacks, resolved in the documented order."""

from datetime import UTC, datetime

import pytest

from steelyard_pricing.domain.components import Component
from steelyard_pricing.domain.rate_card import CardCompiler, RateCard
from steelyard_pricing.domain.rates import Rate, TimeWindow
from steelyard_pricing.domain.week import minute_of_week
from tests.pricing.builders import INPUT, OUTPUT, a_fact

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


def card_of(*rates: Rate) -> RateCard:
    return CardCompiler().compile(a_fact(rates=rates))


def price(
    card: RateCard, component: Component, *, tier: str = "", prompt: int = 0, at: datetime = NOON
) -> int | None:
    prices = card.prices(tier, lambda: minute_of_week(at))
    return prices.bands[prices.band_index(prompt)].prices[component]


@pytest.mark.parametrize(
    ("component", "stands_in"),
    [
        (Component.CACHE_READ_TOKEN, INPUT),
        (Component.CACHE_WRITE_TOKEN, INPUT),
        (Component.CACHE_WRITE_1H_TOKEN, INPUT),
        (Component.AUDIO_INPUT_TOKEN, INPUT),
        (Component.AUDIO_CACHE_READ_TOKEN, INPUT),
        (Component.IMAGE_INPUT_TOKEN, INPUT),
        (Component.VIDEO_INPUT_TOKEN, INPUT),
        (Component.REASONING_TOKEN, OUTPUT),
        (Component.AUDIO_OUTPUT_TOKEN, OUTPUT),
        (Component.IMAGE_OUTPUT_TOKEN, OUTPUT),
        (Component.VIDEO_OUTPUT_TOKEN, OUTPUT),
    ],
)
def test_a_token_class_without_a_price_takes_that_of_its_side(
    component: Component, stands_in: Component
) -> None:
    card = card_of(Rate(INPUT, 3), Rate(OUTPUT, 7))

    assert price(card, component) == price(card, stands_in)


def test_a_write_for_an_hour_takes_the_price_of_five_minutes_first() -> None:
    card = card_of(Rate(INPUT, 3), Rate(Component.CACHE_WRITE_TOKEN, 4))

    assert price(card, Component.CACHE_WRITE_1H_TOKEN) == 4


def test_nothing_stands_in_for_input_and_output() -> None:
    assert price(card_of(Rate(OUTPUT, 7)), INPUT) is None
    assert price(card_of(Rate(INPUT, 3)), OUTPUT) is None


def test_a_request_costs_nothing_unless_it_has_a_price() -> None:
    assert price(card_of(Rate(INPUT, 3)), Component.REQUEST) == 0


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [(0, 3), (200_000, 3), (200_001, 6), (500_000, 6), (500_001, 9)],
)
def test_a_band_begins_above_its_threshold(prompt: int, expected: int) -> None:
    card = card_of(
        Rate(INPUT, 3),
        Rate(INPUT, 6, above_prompt_tokens=200_000),
        Rate(INPUT, 9, above_prompt_tokens=500_000),
    )

    assert price(card, INPUT, prompt=prompt) == expected


def test_a_class_without_a_price_in_a_band_keeps_that_of_the_band_below() -> None:
    card = card_of(
        Rate(INPUT, 10),
        Rate(INPUT, 20, above_prompt_tokens=200_000),
        Rate(Component.CACHE_READ_TOKEN, 1),
    )

    assert price(card, Component.CACHE_READ_TOKEN, prompt=300_000) == 1


def test_reasoning_follows_output_into_a_band() -> None:
    card = card_of(
        Rate(OUTPUT, 10),
        Rate(Component.REASONING_TOKEN, 10),
        Rate(OUTPUT, 15, above_prompt_tokens=200_000),
    )

    assert price(card, Component.REASONING_TOKEN, prompt=300_000) == 15


def test_reasoning_follows_output_into_a_tier() -> None:
    card = card_of(
        Rate(OUTPUT, 10),
        Rate(Component.REASONING_TOKEN, 12),
        Rate(OUTPUT, 5, "flex"),
        Rate(Component.REASONING_TOKEN, 30, "priority"),
    )

    assert price(card, Component.REASONING_TOKEN) == 12
    assert price(card, Component.REASONING_TOKEN, tier="flex") == 5
    assert price(card, Component.REASONING_TOKEN, tier="priority") == 30


def test_a_class_without_a_price_at_a_tier_takes_its_own_standard_price() -> None:
    card = card_of(Rate(INPUT, 10), Rate(Component.CACHE_READ_TOKEN, 1), Rate(INPUT, 5, "batch"))

    assert price(card, INPUT, tier="batch") == 5
    assert price(card, Component.CACHE_READ_TOKEN, tier="batch") == 1


def test_a_discount_for_short_prompts_is_not_taken_for_long_ones() -> None:
    card = card_of(
        Rate(INPUT, 10), Rate(INPUT, 20, above_prompt_tokens=200_000), Rate(INPUT, 5, "batch")
    )

    assert price(card, INPUT, tier="batch", prompt=200_000) == 5
    assert price(card, INPUT, tier="batch", prompt=200_001) == 20


def test_an_unknown_tier_is_priced_at_standard_and_says_so() -> None:
    card = card_of(Rate(INPUT, 10), Rate(INPUT, 5, "batch"))

    assert card.prices("turbo", lambda: 0).service_tier == ""
    assert card.prices("batch", lambda: 0).service_tier == "batch"


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (datetime(2026, 11, 2, 9, 59, tzinfo=UTC), 10),
        (datetime(2026, 11, 2, 10, 0, tzinfo=UTC), 5),
        (datetime(2026, 11, 2, 23, 59, tzinfo=UTC), 5),
        (datetime(2026, 11, 3, 0, 0, tzinfo=UTC), 10),
        (datetime(2026, 11, 7, 12, 0, tzinfo=UTC), 10),
    ],
)
def test_a_rate_with_windows_applies_inside_them_alone(at: datetime, expected: int) -> None:
    window = TimeWindow((1, 2, 3, 4, 5), 600, 1440)
    card = card_of(Rate(INPUT, 10), Rate(OUTPUT, 20), Rate(INPUT, 5, windows=(window,)))

    assert price(card, INPUT, at=at) == expected
    assert price(card, OUTPUT, at=at) == 20


def test_offers_with_equal_rates_share_a_card() -> None:
    compiler = CardCompiler()

    one = compiler.compile(a_fact("acme/one", [Rate(INPUT, 1)]))
    other = compiler.compile(a_fact("acme/other", [Rate(INPUT, 1)]))

    assert one is other
