"""What callers ask for, checked."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Literal

from steelyard.pricing.v1 import pricing_service_pb2 as pb
from steelyard_common.errors import FieldViolation, InvalidFieldError
from steelyard_pricing.domain.modes import Capability, Mode
from steelyard_pricing.domain.price_list import InvalidOrderError, PriceQuery, parse_order
from steelyard_pricing.domain.quote import MAX_COUNT
from steelyard_pricing.domain.rates import STANDARD_TIER

MAX_OFFERS = 100
MAX_BATCH = 64
MAX_NAME = 512
MAX_FILTER = 256
MAX_TIER = 64
MAX_PAGE = 1000
DEFAULT_PAGE = 50
DEFAULT_LIMIT = 10


def read_name(name: str, field: str) -> str:
    """Return a name of a model or an offer."""
    return short(name, field, MAX_NAME)


def read_offers(offers: Iterable[str]) -> list[str]:
    """Return the names of a quote."""
    names = list(offers)
    if not 1 <= len(names) <= MAX_OFFERS:
        raise InvalidFieldError("offers", f"must have 1 to {MAX_OFFERS} entries")
    if max(map(len, names)) > MAX_NAME:
        position = next(n for n, name in enumerate(names) if len(name) > MAX_NAME)
        raise InvalidFieldError(f"offers[{position}]", f"must have at most {MAX_NAME} characters")
    return names


def read_batch(batch: Sequence[pb.QuoteRequest]) -> Sequence[pb.QuoteRequest]:
    """Return the requests that are to be answered together."""
    if not 1 <= len(batch) <= MAX_BATCH:
        raise InvalidFieldError("requests", f"must have 1 to {MAX_BATCH} entries")
    return batch


def below(path: str, error: InvalidFieldError) -> InvalidFieldError:
    """Return the same faults, found in the part of a request at `path`."""
    return InvalidFieldError.of(
        [FieldViolation(f"{path}.{each.field}", each.problem) for each in error.violations]
    )


def read_tier(tier: str) -> str:
    """Return a service tier, empty for `standard`."""
    return STANDARD_TIER if tier == "standard" else short(tier, "service_tier", MAX_TIER)


def read_mode(mode: int) -> Mode:
    """Return a mode, UNSPECIFIED when it is unset."""
    try:
        return Mode(mode)
    except ValueError:
        raise InvalidFieldError("mode", "is not known") from None


def read_capabilities(capabilities: Iterable[int]) -> frozenset[Capability]:
    """Return the capabilities that an offer must have."""
    try:
        return frozenset(map(Capability, capabilities))
    except ValueError:
        raise InvalidFieldError("capabilities", "has one that is not known") from None


def read_size(size: int, field: str, *, default: int) -> int:
    """Return a number of items: the default for 0, the maximum for more."""
    if size < 0:
        raise InvalidFieldError(field, "must be >= 0")
    return min(size, MAX_PAGE) or default


def read_output_tokens(request: pb.EstimateCostRequest) -> int | None:
    """Return the completion to expect, None when the caller does not say."""
    if not request.HasField("expected_output_token_count"):
        return None
    count = request.expected_output_token_count
    if not 0 <= count <= MAX_COUNT:
        raise InvalidFieldError("expected_output_token_count", f"must be from 0 to {MAX_COUNT}")
    return count


def read_time(
    message: pb.GetPriceRequest | pb.QuoteOptions, field: Literal["at_time"], path: str = ""
) -> datetime | None:
    """Return an aware UTC time, None when it is unset."""
    if not message.HasField(field):
        return None
    try:
        return message.at_time.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise InvalidFieldError(f"{path}{field}", "is out of range") from None


def read_query(request: pb.ListPricesRequest) -> PriceQuery:
    """Return which prices are wanted."""
    try:
        order, is_descending = parse_order(request.order_by)
    except InvalidOrderError as error:
        raise InvalidFieldError("order_by", str(error)) from error
    return PriceQuery(
        provider=short(request.provider, "provider", MAX_FILTER),
        mode=read_mode(request.mode),
        words=tuple(short(request.filter, "filter", MAX_FILTER).lower().split()),
        order=order,
        is_descending=is_descending,
        include_unpriced=request.include_unpriced,
    )


def short(text: str, field: str, limit: int) -> str:
    """Return a text that is not too long and that every database can hold."""
    if "\x00" in text:
        raise InvalidFieldError(field, "must not have a NUL character")
    if len(text) > limit:
        raise InvalidFieldError(field, f"must have at most {limit} characters")
    return text
