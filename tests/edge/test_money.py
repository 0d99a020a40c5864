"""USD as JSON shows it."""

from decimal import Decimal

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard_common.money import MAX_PICODOLLARS, to_picodollars, usd_text
from steelyard_edge.views.scalars import usd


@pytest.mark.parametrize(
    ("picodollars", "text"),
    [
        (7_500_000_000, "0.0075"),
        (2_500_000, "0.0000025"),
        (1, "0.000000000001"),
        (0, "0"),
        (3 * 10**12, "3"),
        (1_500_000_000_000, "1.5"),
        (100 * 10**12, "100"),
        (-2_500_000, "-0.0000025"),
        (MAX_PICODOLLARS, "9223372.036854775807"),
    ],
)
def test_an_amount_is_printed_exactly(picodollars: int, text: str) -> None:
    assert usd_text(picodollars) == text
    assert orjson.dumps({"usd": usd(picodollars)}) == b'{"usd":%s}' % text.encode()


@given(st.integers(0, MAX_PICODOLLARS))
def test_what_is_printed_reads_as_the_same_amount(picodollars: int) -> None:
    text = usd_text(picodollars)

    assert to_picodollars(Decimal(text)) == picodollars
    assert orjson.loads(text) == pytest.approx(picodollars / 10**12)


@pytest.mark.parametrize(
    "text", ["-1", "-0", "NaN", "Infinity", "1e999999", "9223372.036854775808"]
)
def test_an_amount_that_the_contract_cannot_carry_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must be from 0 to"):
        to_picodollars(Decimal(text))


def test_an_amount_too_small_to_count_is_rounded_half_even() -> None:
    assert to_picodollars(Decimal("1e-999999")) == 0
    assert [to_picodollars(Decimal(n).scaleb(-13)) for n in (5, 15, 25, 26)] == [0, 2, 2, 3]
