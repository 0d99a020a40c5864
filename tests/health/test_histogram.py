"""Percentiles out of bins."""

from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard_health.domain.histogram import (
    BIN_COUNT,
    FIRST_TOKEN,
    LATENCY,
    SPEED,
    Scale,
    octave_of,
)

SCALES = [LATENCY, FIRST_TOKEN, SPEED]
PRECISION = 1 / 32


def counted(scale: Scale, values: list[float]) -> list[int]:
    bins = [0] * BIN_COUNT
    for value in values:
        bins[scale.bin_of(value)] += 1
        bins[octave_of(scale.bin_of(value))] += 1
    return bins


@pytest.mark.parametrize("scale", SCALES)
def test_every_bin_counts_its_own_middle(scale: Scale) -> None:
    bins = range(scale.offset, scale.end)

    assert [scale.bin_of(scale.value_of(index)) for index in bins] == list(bins)


def test_the_histograms_do_not_overlap() -> None:
    assert [scale.offset for scale in SCALES] == [0, LATENCY.end, FIRST_TOKEN.end]


@pytest.mark.parametrize(
    ("scale", "value", "index"),
    [
        (LATENCY, 1e-9, LATENCY.offset),
        (LATENCY, 1e9, LATENCY.end - 1),
        (SPEED, 0.01, SPEED.offset),
        (SPEED, 1e6, SPEED.end - 1),
    ],
)
def test_what_lies_outside_counts_in_the_outermost_bin(
    scale: Scale, value: float, index: int
) -> None:
    assert scale.bin_of(value) == index


@given(st.lists(st.floats(0.004, 500), min_size=1), st.floats(0.01, 1))
def test_a_quantile_is_that_of_the_values_to_within_one_part_in_32(
    values: list[float], share: float
) -> None:
    exact = sorted(values)[ceil(share * len(values)) - 1]

    found = LATENCY.quantiles(counted(LATENCY, values), (share,))

    assert found is not None
    assert abs(found[0] - exact) <= exact * PRECISION


def test_there_are_no_quantiles_of_nothing() -> None:
    assert SPEED.quantiles(counted(LATENCY, [1.0]), (0.5,)) is None
