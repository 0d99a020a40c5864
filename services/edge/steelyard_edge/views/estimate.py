"""What one usage costs on one model."""

from typing import Any

from steelyard.common.v1.usage_pb2 import Usage
from steelyard.pricing.v1.pricing_service_pb2 import EstimateCostResponse
from steelyard_edge.views.cost import applied_rate, breakdown
from steelyard_edge.views.price import STANDARD
from steelyard_edge.views.scalars import usd


def estimate(model: str, answer: EstimateCostResponse) -> dict[str, Any]:
    """Return the estimate; `model` is the name that was asked for."""
    return {
        "model": model,
        "offer": answer.offer,
        **_counts(answer.usage),
        "estimated_cost_usd": usd(answer.cost.total_picodollars),
        "breakdown": breakdown(answer.cost),
        "rates": [applied_rate(each) for each in answer.rates],
        "estimated": answer.estimated,
        "tokens_estimated": answer.tokens_estimated,
        "margin_usd": usd(answer.margin_picodollars),
        "confidence": answer.confidence,
        "stale": answer.stale,
        "source": answer.source,
        "service_tier": answer.service_tier or STANDARD,
        "above_prompt_tokens": answer.above_prompt_token_count,
        "snapshot_version": answer.snapshot_version,
    }


def _counts(usage: Usage) -> dict[str, int]:
    """Return the counts as they were asked for: cached tokens inside input tokens again."""
    return {
        "input_tokens": usage.uncached_input_token_count + usage.cache_read_token_count,
        "cached_tokens": usage.cache_read_token_count,
        "cache_write_tokens": usage.cache_write_token_count,
        "output_tokens": usage.output_token_count + usage.reasoning_token_count,
        "reasoning_tokens": usage.reasoning_token_count,
    }
