"""What past usage costs at the prices of another day."""

from typing import Any

from steelyard.pricing.v1.pricing_service_pb2 import Quote, QuoteFailure, RepriceResponse
from steelyard_edge.views.cost import breakdown
from steelyard_edge.views.price import STANDARD
from steelyard_edge.views.scalars import label, usd


def repriced(answer: RepriceResponse) -> dict[str, Any]:
    return {
        "total_cost_usd": usd(answer.total.total_picodollars),
        "breakdown": breakdown(answer.total),
        "priced_count": sum(each.HasField("cost") for each in answer.quotes),
        "quotes": [_quote(each) for each in answer.quotes],
    }


def _quote(quote: Quote) -> dict[str, Any]:
    is_priced = quote.HasField("cost")
    return {
        "offer": quote.offer,
        "cost_usd": usd(quote.cost.total_picodollars) if is_priced else None,
        "breakdown": breakdown(quote.cost) if is_priced else None,
        "failure": label(QuoteFailure, quote.failure, "QUOTE_FAILURE_"),
        "estimated": quote.estimated,
        "disputed": quote.disputed,
        "service_tier": quote.service_tier or STANDARD,
        "above_prompt_tokens": quote.above_prompt_token_count,
        "margin_usd": usd(quote.margin_picodollars) if is_priced else None,
        "negotiated": quote.negotiated,
    }
