"""Overrides, and the prices that they make."""

from datetime import UTC, datetime
from typing import Literal

from steelyard.pricing.v1 import price_override_pb2 as pb
from steelyard_common.errors import InvalidFieldError
from steelyard_common.message_times import to_timestamp
from steelyard_pricing.domain.overrides import MAX_FACTOR, PriceOverride
from steelyard_pricing.messages.prices import to_rate
from steelyard_pricing.messages.rates import from_rates
from steelyard_pricing.messages.requests import MAX_NAME

MAX_ID = 64
MAX_NOTE = 1000

_PATH = "override"


def from_override(message: pb.PriceOverride, tenant_id: str, now: datetime) -> PriceOverride:
    """Return an override of a tenant; its offer is a name that is not resolved yet.

    Raises:
        InvalidFieldError: A field is out of range.
    """
    if bool(message.offer) == bool(message.provider):
        raise InvalidFieldError(f"{_PATH}.offer", "either this or provider must be set")
    if bool(message.rates) == bool(message.factor_basis_points):
        raise InvalidFieldError(f"{_PATH}.rates", "either this or factor_basis_points must be set")
    if message.rates and message.provider:
        raise InvalidFieldError(f"{_PATH}.rates", "can only be set with offer")
    if not 0 <= message.factor_basis_points <= MAX_FACTOR:
        raise InvalidFieldError(f"{_PATH}.factor_basis_points", f"must be from 1 to {MAX_FACTOR}")
    start = _time(message, "start_time") or now
    end = _time(message, "end_time")
    if end is not None and end <= start:
        raise InvalidFieldError(f"{_PATH}.end_time", "must be after start_time")
    return PriceOverride(
        override_id=read_override_id(message.override_id, f"{_PATH}.override_id"),
        tenant_id=tenant_id,
        offer=read_text(message.offer, f"{_PATH}.offer", MAX_NAME),
        provider=read_text(message.provider, f"{_PATH}.provider", MAX_NAME),
        rates=from_rates(message.rates, f"{_PATH}.rates"),
        factor=message.factor_basis_points,
        start=start,
        end=end,
        note=read_text(message.note, f"{_PATH}.note", MAX_NOTE),
    )


def to_override(override: PriceOverride) -> pb.PriceOverride:
    """Return the message of an override."""
    return pb.PriceOverride(
        override_id=override.override_id,
        offer=override.offer,
        provider=override.provider,
        rates=map(to_rate, override.rates),
        factor_basis_points=override.factor,
        start_time=to_timestamp(override.start),
        end_time=to_timestamp(override.end),
        note=override.note,
    )


def read_override_id(override_id: str, field: str = "override_id") -> str:
    """Return the id of an override."""
    return read_text(override_id, field, MAX_ID)


def read_text(text: str, field: str, limit: int) -> str:
    """Return a text that both databases can keep."""
    if len(text) > limit or "\0" in text:
        raise InvalidFieldError(field, f"must have at most {limit} characters, none of them NUL")
    return text


def _time(message: pb.PriceOverride, field: Literal["start_time", "end_time"]) -> datetime | None:
    if not message.HasField(field):
        return None
    try:
        return (message.start_time if field == "start_time" else message.end_time).ToDatetime(
            tzinfo=UTC
        )
    except (ValueError, OverflowError):
        raise InvalidFieldError(f"{_PATH}.{field}", "is out of range") from None
