"""A rate that somebody agreed on: exact decimals, per unit or per 1M tokens."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated

from msgspec import Meta, Struct

from steelyard.pricing.v1.price_pb2 import PriceRate, TimeWindow
from steelyard_common.errors import InvalidFieldError
from steelyard_common.money import to_picodollars, usd_text
from steelyard_edge.inputs.enum_names import COMPONENTS

TOKENS_PER_1M = 1_000_000
TOKEN_SUFFIX = "_token"  # noqa: S105
MAX_RATES = 256
MAX_INT64 = 2**63 - 1

Amount = Annotated[
    Decimal, Meta(description="USD, as a number or as text; read to the last digit.")
]
Minute = Annotated[int, Meta(ge=0, le=1440)]


class WindowBody(Struct, frozen=True):
    """A part of the week, in UTC; no weekdays means every day."""

    start_minute: Minute
    end_minute: Minute
    weekdays: list[Annotated[int, Meta(ge=1, le=7)]] = []


class RateBody(Struct, frozen=True, kw_only=True):
    """What one component costs: `usd_per_unit`, or `usd_per_1m_tokens` for tokens."""

    component: Annotated[str, Meta(extra_json_schema=COMPONENTS.schema)]
    usd_per_unit: Amount | None = None
    usd_per_1m_tokens: Amount | None = None
    service_tier: Annotated[str, Meta(max_length=64)] = ""
    above_prompt_tokens: Annotated[int, Meta(ge=0, le=MAX_INT64)] = 0
    windows: list[WindowBody] = []


Rates = Annotated[list[RateBody], Meta(max_length=MAX_RATES)]


def to_rates(bodies: Sequence[RateBody], field: str) -> list[PriceRate]:
    """Return rates as the contract takes them; `field` is where they stood.

    Raises:
        InvalidFieldError: One charges for nothing known, or is no amount that can be carried.
    """
    return [_to_rate(body, f"{field}[{index}]") for index, body in enumerate(bodies)]


def _to_rate(body: RateBody, field: str) -> PriceRate:
    return PriceRate(
        component=COMPONENTS.number(body.component, f"{field}.component"),
        picodollars=_picodollars(body, field),
        service_tier=body.service_tier,
        above_prompt_token_count=body.above_prompt_tokens,
        windows=[
            TimeWindow(
                weekdays=window.weekdays,
                start_minute=window.start_minute,
                end_minute=window.end_minute,
            )
            for window in body.windows
        ],
    )


def _picodollars(body: RateBody, field: str) -> int:
    if (body.usd_per_unit is None) == (body.usd_per_1m_tokens is None):
        raise InvalidFieldError(field, "needs either usd_per_unit or usd_per_1m_tokens")
    if body.usd_per_unit is not None:
        return _exact(body.usd_per_unit, f"{field}.usd_per_unit", units=1)
    assert body.usd_per_1m_tokens is not None  # noqa: S101
    if not body.component.endswith(TOKEN_SUFFIX):
        raise InvalidFieldError(f"{field}.usd_per_1m_tokens", f"{body.component} is not a token")
    return _exact(body.usd_per_1m_tokens, f"{field}.usd_per_1m_tokens", units=TOKENS_PER_1M)


def _exact(usd: Decimal, field: str, *, units: int) -> int:
    """Return what one of so many units costs. A price that was agreed on is never rounded."""
    try:
        picodollars = to_picodollars(usd)
    except ValueError as error:
        raise InvalidFieldError(field, str(error)) from None
    if picodollars % units or Decimal(usd_text(picodollars)) != usd:
        raise InvalidFieldError(field, f"must be a multiple of {usd_text(units)}")
    return picodollars // units
