"""Costs that a provider names."""

from decimal import Decimal

import pytest

from steelyard_usage.conventions import Convention
from steelyard_usage.provider_usage import ReportedCost, UsageFlag
from tests.usage.builders import reading


def told(**fields: object) -> tuple[ReportedCost | None, bool]:
    body = {"prompt_tokens": 1, "completion_tokens": 1, **fields}
    usage = reading(Convention.OPENAI_CHAT, body)
    return usage.cost, UsageFlag.COST_UNREADABLE in usage.flags


def test_the_two_views_of_openrouter_are_never_added() -> None:
    cost, is_doubtful = told(
        cost=0.0160614, cost_details={"upstream_inference_cost": 0.0001764}, is_byok=False
    )

    assert cost == ReportedCost(16_061_400_000, 176_400_000, is_byok=False)
    assert not is_doubtful


def test_a_key_brought_along_costs_upstream_alone() -> None:
    cost, _ = told(cost=0, cost_details={"upstream_inference_cost": 0.0003253}, is_byok=True)

    assert cost == ReportedCost(0, 325_300_000, is_byok=True)


def test_unknown_is_not_nothing() -> None:
    cost, is_doubtful = told(cost=0.002, cost_details={"upstream_inference_cost": None})

    assert cost == ReportedCost(2_000_000_000, None)
    assert not is_doubtful
    assert told() == (None, False)


def test_perplexity_names_a_sum() -> None:
    cost, _ = told(cost={"input_tokens_cost": 0.001, "total_cost": 0.006})

    assert cost == ReportedCost(6_000_000_000)


@pytest.mark.parametrize(
    ("value", "picodollars"),
    [
        ("0.000102", 102_000_000),
        (Decimal("0.000102"), 102_000_000),
        (0.1, 100_000_000_000),
        # A sum of doubles somewhere upstream: the noise is below what we count.
        (4.1400000000000003e-05, 41_400_000),
        (7.75e-06, 7_750_000),
        (Decimal("0.0000000000005"), 0),
        (Decimal("0.0000000000015"), 2),
        (2, 2_000_000_000_000),
    ],
)
def test_an_amount_is_read_as_it_was_written(value: object, picodollars: int) -> None:
    assert told(cost=value) == (ReportedCost(picodollars), False)


@pytest.mark.parametrize(
    "value",
    [
        *(-0.01, "-1", True, [], "free", "", "0x10", "1e400", "9" * 50, 10**30, 1e300),
        *(float("nan"), float("inf"), Decimal("sNaN"), Decimal("Infinity")),
    ],
)
def test_what_is_no_amount_is_left_out_and_flagged(value: object) -> None:
    assert told(cost=value) == (None, True)
    assert told(cost_details={"upstream_inference_cost": value}) == (None, True)
