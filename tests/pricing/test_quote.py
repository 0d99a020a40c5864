"""Costs are exact, and nothing is ever taken for free."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard_pricing.domain.components import COMPONENT_SLOTS, USAGE_CLASSES, Component, CostPart
from steelyard_pricing.domain.quote import (
    MAX_COUNT,
    UsageLines,
    applied_rates,
    cost_parts,
    divided_half_even,
)
from steelyard_pricing.domain.rate_card import Band, CardCompiler
from steelyard_pricing.domain.rates import Rate
from tests.pricing.builders import a_fact, counts, per_million, tokens, usd


def band_of(*rates: Rate) -> Band:
    return CardCompiler().compile(a_fact(rates=rates)).tiers[""].bands[0]


def total(band: Band, **usage: int) -> int | None:
    parts = cost_parts(UsageLines.of(counts(**usage)), band)
    return None if parts is None else parts[CostPart.TOTAL]


def test_a_thousand_tokens_in_and_five_hundred_out() -> None:
    band = band_of(*tokens("5", "15"))

    assert total(band, uncached_input_token=1000, output_token=500) == usd("0.0125")


def test_c1_each_class_is_charged_at_its_own_price_and_booked_in_its_own_part() -> None:
    band = band_of(
        *tokens("3", "15"),
        Rate(Component.CACHE_READ_TOKEN, per_million("0.3")),
        Rate(Component.CACHE_WRITE_TOKEN, per_million("3.75")),
        Rate(Component.CACHE_WRITE_1H_TOKEN, per_million("6")),
        Rate(Component.REASONING_TOKEN, per_million("20")),
        Rate(Component.AUDIO_INPUT_TOKEN, per_million("40")),
        Rate(Component.AUDIO_CACHE_READ_TOKEN, per_million("2")),
        Rate(Component.QUERY, usd("0.01")),
        Rate(Component.REQUEST, usd("0.005")),
    )
    usage = counts(
        uncached_input_token=100,
        cache_read_token=1000,
        cache_write_token=200,
        cache_write_1h_token=300,
        output_token=50,
        reasoning_token=10,
        audio_input_token=7,
        audio_cache_read_token=100,
        query=2,
    )

    parts = cost_parts(UsageLines.of(usage), band)

    assert parts == [
        usd("0.0003"),
        usd("0.0003") + usd("0.0002"),
        usd("0.00075") + usd("0.0018"),
        usd("0.00075"),
        usd("0.0002"),
        usd("0.00028"),
        usd("0.02") + usd("0.005"),
        usd("0.02958"),
    ]


@pytest.mark.parametrize(
    ("milliseconds", "picodollars"),
    [(1000, 33_330_000), (1, 33_330), (1500, 49_995_000), (60_000, 1_999_800_000)],
)
def test_a_price_per_second_is_applied_to_milliseconds(milliseconds: int, picodollars: int) -> None:
    band = band_of(Rate(Component.INPUT_SECOND, 33_330_000))

    assert total(band, input_millisecond=milliseconds) == picodollars


@pytest.mark.parametrize(
    ("amount", "quotient"), [(500, 0), (1500, 2), (2500, 2), (2501, 3), (1499, 1), (0, 0)]
)
def test_halves_are_rounded_to_the_even_neighbour(amount: int, quotient: int) -> None:
    assert divided_half_even(amount, 1000) == quotient


@pytest.mark.parametrize(
    "usage",
    [
        {"output_token": 1},
        {"uncached_input_token": 5, "output_token": 1},
        {"input_image": 3},
        {"page": 1},
    ],
)
def test_b20_a_class_without_any_price_is_unpriced_and_never_free(usage: dict[str, int]) -> None:
    band = band_of(Rate(Component.CACHE_READ_TOKEN, per_million("1")))

    assert total(band, **usage) is None


def test_an_image_is_paid_for_by_its_tokens_where_images_have_no_price() -> None:
    band = band_of(*tokens("1", "2"))

    assert total(band, uncached_input_token=765, input_image=1) == usd("0.000765")


def test_the_tokens_of_a_transcript_are_paid_for_by_the_seconds() -> None:
    band = band_of(Rate(Component.INPUT_SECOND, usd("0.0001")))

    assert total(band, input_millisecond=30_000, output_token=120) == usd("0.003")


def test_an_unset_number_of_requests_is_one() -> None:
    band = band_of(Rate(Component.REQUEST, usd("0.005")))

    assert total(band) == usd("0.005")
    assert total(band, request=3) == usd("0.015")


def test_an_amount_that_the_contract_cannot_carry_is_unpriced() -> None:
    band = band_of(Rate(Component.OUTPUT_IMAGE, usd("0.3")))

    assert total(band, output_image=30_000_000) == usd("9000000")
    assert total(band, output_image=MAX_COUNT) is None


def test_the_rates_of_a_cost_say_what_stood_in_for_what() -> None:
    usage = UsageLines.of(counts(cache_read_token=10, reasoning_token=4))

    rates = list(applied_rates(usage, band_of(*tokens("1", "2"))))

    assert [(rate.usage_class, rate.priced_as.name) for rate in rates] == [
        ("cache_read_token", "INPUT_TOKEN"),
        ("reasoning_token", "OUTPUT_TOKEN"),
    ]
    assert sum(rate.cost_picodollars for rate in rates) == usd("0.000018")


full_bands = st.lists(
    st.integers(0, 10**6), min_size=COMPONENT_SLOTS, max_size=COMPONENT_SLOTS
).map(lambda prices: Band(tuple(prices), (None, *Component)))
usages = st.lists(
    st.integers(0, 10**4), min_size=len(USAGE_CLASSES), max_size=len(USAGE_CLASSES)
).map(tuple)


@given(full_bands, usages)
def test_a_cost_is_the_exact_sum_that_decimals_give(band: Band, usage: tuple[int, ...]) -> None:
    parts = cost_parts(UsageLines.of(usage), band)

    expected = Decimal(0)
    for usage_class, count in zip(USAGE_CLASSES, usage, strict=True):
        number = count or int(usage_class.name == "request")
        price = Decimal(band.prices[usage_class.component] or 0)
        expected += (number * price / usage_class.units_per_price).quantize(Decimal(1))
    assert parts is not None
    assert parts[CostPart.TOTAL] == sum(parts[: CostPart.TOTAL]) == expected
    assert min(parts) >= 0


@given(full_bands, usages, st.integers(1, 20))
def test_a_cost_is_linear_in_the_usage(band: Band, usage: tuple[int, ...], factor: int) -> None:
    # Whole seconds, so that nothing is rounded; requests, so that none is made up.
    whole = tuple(
        (count + 1) * usage_class.units_per_price
        for usage_class, count in zip(USAGE_CLASSES, usage, strict=True)
    )

    once = cost_parts(UsageLines.of(whole), band)
    often = cost_parts(UsageLines.of([factor * count for count in whole]), band)

    assert once is not None
    assert often == [factor * part for part in once]
