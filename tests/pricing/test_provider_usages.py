"""Real responses of many providers: what they used, and what that costs."""

import tomllib
from collections import Counter
from dataclasses import astuple, fields
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from steelyard_pricing.domain.components import CostPart
from steelyard_pricing.domain.quote import UsageLines, cost_parts
from steelyard_pricing.domain.rate_card import CardCompiler
from steelyard_pricing.domain.rates import Rate
from steelyard_pricing.domain.week import minute_of_week
from steelyard_usage.conventions import normalise
from steelyard_usage.counts import UsageCounts
from steelyard_usage.provider_usage import ProviderUsage, UsageFlag
from tests.pricing.builders import a_fact
from tests.pricing.genai_prices import RealUsage, rates_of, real_usages

pytestmark = pytest.mark.real_data

DIFFERENCES = tomllib.loads(
    Path(__file__).with_name("provider_usage_differences.toml").read_text(encoding="utf-8")
)
BODY_COUNT = 1577
# A body has a price at each seller whose format it has and who lists its model.
PRICE_COUNT = 2870
# The expected prices were made at an hour when DeepSeek's discount does not hold.
NOON = datetime(2026, 8, 21, 12, tzinfo=UTC)

Usages = tuple[tuple[RealUsage, ProviderUsage], ...]


@pytest.fixture(scope="module")
def usages(real_data: Path) -> Usages:
    """Return every body with our reading of it; each of them tells something."""
    read = [(real, normalise(real.convention, real.body)) for real in real_usages(real_data)]
    return tuple((real, usage) for real, usage in read if usage is not None)


def test_every_body_is_read_like_the_second_project_reads_it_or_the_table_says_why(
    usages: Usages,
) -> None:
    differences = Counter(
        (real.origin, classes)
        for real, usage in usages
        if (classes := differing(usage.counts, real.expected))
    )

    assert len(usages) == BODY_COUNT
    assert differences == {
        (entry["origin"], tuple(entry["classes"])): entry["count"]
        for entry in DIFFERENCES["tokens"]
    }
    assert 1 - differences.total() / BODY_COUNT >= 0.996


def test_every_body_costs_what_the_second_project_says_or_the_table_says_why(
    usages: Usages, real_data: Path
) -> None:
    compared, differing_models, unlisted = Counter[str](), Counter[str](), Counter[str]()
    for real, usage in usages:
        for priced in real.priced:
            rates = rates_of(real_data, priced.seller, real.model)
            if rates is None:
                # A free model has no rates, and 0 for an expected price.
                unlisted[real.model] += priced.total != 0
                continue
            compared[real.origin] += 1
            differing_models[real.model] += cost(usage.counts, rates) != priced.total

    assert compared.total() == PRICE_COUNT
    assert +differing_models == listed("prices")
    assert +unlisted == listed("unlisted")
    assert 1 - differing_models.total() / compared.total() >= 0.993


def test_classes_add_up_to_the_total_and_none_is_negative(usages: Usages) -> None:
    for real, usage in usages:
        counts = usage.counts
        total = real.body.get("total_tokens", real.body.get("totalTokens"))
        assert min(astuple(counts)) >= 0
        assert total in {None, counts.prompt_tokens + counts.completion_tokens}
        assert usage.flags <= {UsageFlag.REASONING_INFERRED}


def test_a_reported_cost_is_read_exactly(usages: Usages) -> None:
    told = [(real.body, usage.cost) for real, usage in usages if usage.cost is not None]

    assert len(told) == sum("cost" in real.body for real, _ in usages) == 41
    for body, cost_ in told:
        assert cost_.charged_picodollars == round(Decimal(body["cost"]) * 10**12)


def differing(ours: UsageCounts, theirs: UsageCounts) -> tuple[str, ...]:
    names = sorted(field.name for field in fields(UsageCounts))
    return tuple(
        name.removesuffix("_count")
        for name in names
        if getattr(ours, name) != getattr(theirs, name)
    )


def cost(counts: UsageCounts, rates: tuple[Rate, ...]) -> Decimal | None:
    """Return what our own pricing takes, in USD."""
    card = CardCompiler().compile(a_fact(rates=rates))
    prices = card.prices("", lambda: minute_of_week(NOON))
    lines = UsageLines.of(astuple(counts))
    parts = cost_parts(lines, prices.bands[prices.band_index(lines.prompt_tokens)])
    return None if parts is None else Decimal(parts[CostPart.TOTAL]) / 10**12


def listed(kind: str) -> dict[str, int]:
    return {entry["model"]: entry["count"] for entry in DIFFERENCES[kind]}
