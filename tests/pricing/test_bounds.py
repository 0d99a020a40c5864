"""Which figures can be prices."""

from decimal import Decimal

import pytest

from steelyard_pricing.domain.bounds import (
    ImplausiblePriceError,
    checked_price,
    to_decimal,
    to_picodollars,
)
from steelyard_pricing.domain.components import Component

TOKEN = Component.INPUT_TOKEN


@pytest.mark.parametrize(
    ("text", "picodollars"),
    [
        ("0.0000025", 2_500_000),
        ("2.5E-6", 2_500_000),
        ("0.0000006000000000000001", 600_000),
        ("0.00000100000000000000015", 1_000_000),
        ("0.0000000000015", 2),
        ("0.0000000000025", 2),
        ("0", 0),
    ],
)
def test_a_price_is_exact_and_rounded_half_even_to_a_picodollar(
    text: str, picodollars: int
) -> None:
    assert to_picodollars(to_decimal(text)) == picodollars


@pytest.mark.parametrize(
    "figure",
    [
        Decimal(-1),
        Decimal("-0.000001"),
        Decimal("NaN"),
        Decimal("sNaN"),
        Decimal("Infinity"),
        Decimal("1E+999999"),
        Decimal("1E-999999"),
        Decimal("0.0500000001"),
        "0.000001",
        True,
        None,
        [],
        1e-6,
    ],
)
def test_what_cannot_be_the_price_of_a_token_is_refused(figure: object) -> None:
    with pytest.raises(ImplausiblePriceError):
        checked_price(TOKEN, figure)


def test_the_dearest_token_that_is_believed_costs_five_cents() -> None:
    assert checked_price(TOKEN, Decimal("0.05")) == 5 * 10**10


def test_a_second_of_video_may_cost_more_than_a_token() -> None:
    assert checked_price(Component.OUTPUT_SECOND, Decimal("0.5")) == 5 * 10**11


@pytest.mark.parametrize("text", ["", "cheap", "1e", "0x1", None, 1, "1" * 5 + "e99999999999999"])
def test_a_text_that_is_no_number_is_refused(text: object) -> None:
    with pytest.raises(ImplausiblePriceError):
        to_picodollars(to_decimal(text))
