"""What a usage costs, part by part."""

from typing import Any

from steelyard.common.v1.cost_pb2 import CostBreakdown, Rate
from steelyard_edge.views.scalars import usd


def breakdown(cost: CostBreakdown) -> dict[str, Any]:
    return {
        "total_usd": usd(cost.total_picodollars),
        "input_usd": usd(cost.input_picodollars),
        "cache_read_usd": usd(cost.cache_read_picodollars),
        "cache_write_usd": usd(cost.cache_write_picodollars),
        "output_usd": usd(cost.output_picodollars),
        "reasoning_usd": usd(cost.reasoning_picodollars),
        "media_usd": usd(cost.media_picodollars),
        "request_usd": usd(cost.request_picodollars),
    }


def applied_rate(rate: Rate) -> dict[str, Any]:
    return {
        "usage_class": rate.usage_class,
        "priced_as": rate.priced_as,
        "quantity": rate.quantity,
        "unit_usd": usd(rate.unit_picodollars),
        "cost_usd": usd(rate.cost_picodollars),
    }
