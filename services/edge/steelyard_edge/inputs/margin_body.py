"""The body of `PUT /api/ai/pricing/margins`."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from steelyard.pricing.v1.price_override_pb2 import FixedPrice, MarginRule
from steelyard.pricing.v1.pricing_service_pb2 import SetMarginRuleRequest
from steelyard_edge.inputs.json_struct import decoded
from steelyard_edge.inputs.rate_body import Rates, to_rates

MAX_BASIS_POINTS = 2**31 - 1
MAX_FIXED_PRICES = 1000
EXAMPLE: dict[str, Any] = {
    "plan": "pro",
    "markup_basis_points": 2000,
    "floor_basis_points": 1000,
    "plan_tenant_ids": ["ten_1"],
    "fixed_prices": [
        {
            "offer": "openai/gpt-4o",
            "rates": [{"component": "input_token", "usd_per_1m_tokens": 3}],
        }
    ],
}

BasisPoints = Annotated[
    int, Meta(ge=-MAX_BASIS_POINTS, le=MAX_BASIS_POINTS, description="100 are 1 %.")
]
Name = Annotated[str, Meta(max_length=128)]


class FixedPriceBody(Struct, frozen=True, kw_only=True):
    """What is charged for one offer, whatever its seller charges."""

    offer: Annotated[str, Meta(max_length=512)]
    rates: Rates


class MarginRuleBody(Struct, frozen=True, kw_only=True):
    """The markup on the prices of one tenant or plan, and the floor under it."""

    tenant_id: Name | None = None
    plan: Name | None = None
    markup_basis_points: BasisPoints = 0
    floor_basis_points: BasisPoints = 0
    fixed_prices: Annotated[list[FixedPriceBody], Meta(max_length=MAX_FIXED_PRICES)] = []
    plan_tenant_ids: list[Name] = []


_DECODER = msgspec.json.Decoder(MarginRuleBody)


def to_margin_request(text: bytes) -> SetMarginRuleRequest:
    """Return the call that stores a body.

    Raises:
        MalformedRequestError: It is not JSON.
        InvalidFieldError: A field is missing, of another type, or out of range.
    """
    body = decoded(_DECODER, text)
    return SetMarginRuleRequest(
        rule=MarginRule(
            tenant_id=body.tenant_id or "",
            plan=body.plan or "",
            markup_basis_points=body.markup_basis_points,
            floor_basis_points=body.floor_basis_points,
            fixed_prices=[
                FixedPrice(
                    offer=each.offer, rates=to_rates(each.rates, f"fixed_prices[{index}].rates")
                )
                for index, each in enumerate(body.fixed_prices)
            ],
            plan_tenant_ids=body.plan_tenant_ids,
        )
    )
