"""The body of `POST` and `PUT /api/ai/pricing/overrides`."""

from decimal import Decimal
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from steelyard.pricing.v1.price_override_pb2 import PriceOverride
from steelyard.pricing.v1.pricing_service_pb2 import SetOverrideRequest
from steelyard_common.errors import InvalidFieldError
from steelyard_edge.inputs.json_struct import decoded
from steelyard_edge.inputs.moments import Instant, to_timestamp
from steelyard_edge.inputs.rate_body import Rates, to_rates

ALL_BASIS_POINTS = 10_000
ALL_PERCENT = 100
MAX_FACTOR = 1_000_000
EXAMPLE: dict[str, Any] = {
    "offer": "openai/gpt-4o",
    "rates": [
        {"component": "input_token", "usd_per_1m_tokens": "2.10"},
        {"component": "output_token", "usd_per_1m_tokens": "8.40"},
    ],
    "start_time": "2026-11-01T00:00:00Z",
    "end_time": "2027-11-01T00:00:00Z",
    "note": "Contract of November",
}


class OverrideBody(Struct, frozen=True, kw_only=True):
    """What was agreed for one offer, or for all offers of a seller, and when it holds.

    Either rates that replace the listed ones, or a factor on all of them.
    """

    offer: Annotated[str, Meta(max_length=512)] | None = None
    provider: Annotated[str, Meta(max_length=128)] | None = None
    rates: Rates = []
    factor_basis_points: (
        Annotated[int, Meta(ge=1, le=MAX_FACTOR, description="9000 is 10 % off.")] | None
    ) = None
    percent_off: (
        Annotated[
            Decimal,
            Meta(description="Below 100, at most two decimals; instead of factor_basis_points."),
        ]
        | None
    ) = None
    start_time: Instant | None = None
    end_time: Instant | None = None
    note: Annotated[str, Meta(max_length=1000)] | None = None


_DECODER = msgspec.json.Decoder(OverrideBody)


def to_override_request(text: bytes, *, override_id: str = "") -> SetOverrideRequest:
    """Return the call that stores a body.

    Raises:
        MalformedRequestError: It is not JSON.
        InvalidFieldError: A field is missing, of another type, or out of range.
    """
    body = decoded(_DECODER, text)
    return SetOverrideRequest(
        override=PriceOverride(
            override_id=override_id,
            offer=body.offer or "",
            provider=body.provider or "",
            rates=to_rates(body.rates, "rates"),
            factor_basis_points=_factor(body),
            start_time=to_timestamp(body.start_time, "start_time"),
            end_time=to_timestamp(body.end_time, "end_time"),
            note=body.note or "",
        )
    )


def _factor(body: OverrideBody) -> int:
    if body.percent_off is None:
        return body.factor_basis_points or 0
    if body.factor_basis_points is not None:
        raise InvalidFieldError("percent_off", "says the same as factor_basis_points: give one")
    return ALL_BASIS_POINTS - _hundredths(body.percent_off)


def _hundredths(percent: Decimal) -> int:
    if percent.is_finite() and 0 <= percent < ALL_PERCENT:
        hundredths = int(percent.scaleb(2))
        if Decimal(hundredths).scaleb(-2) == percent:
            return hundredths
    raise InvalidFieldError("percent_off", "must be from 0 to below 100, with two decimals at most")
