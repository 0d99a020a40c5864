"""Requests as domain objects, checked."""

import math
from collections.abc import Iterable
from dataclasses import replace
from enum import IntEnum
from typing import TypeVar

from steelyard.registry.v1 import registry_service_pb2 as pb
from steelyard_common.errors import InvalidFieldError
from steelyard_registry.domain.listing import Field, ModelFilter, Order
from steelyard_registry.domain.modes import Capability, Mode
from steelyard_registry.domain.quality.scores import Task

DEFAULT_MIN_QUALITY = 80.0
MAX_QUALITY = 100.0
MAX_WORDS_LENGTH = 256
_DESCENDING = " desc"

E = TypeVar("E", bound=IntEnum)


def from_filter(message: pb.ModelFilter, *, words: str | None = None) -> ModelFilter:
    """Return the conditions of a filter; `words` replace its own.

    Raises:
        InvalidFieldError: A part is out of range.
    """
    low = _quality("filter.min_quality", message.min_quality)
    high = MAX_QUALITY
    if message.HasField("max_quality"):
        high = _quality("filter.max_quality", message.max_quality)
    if low > high:
        raise InvalidFieldError("filter.min_quality", f"must not be above max_quality, {high:g}")
    return ModelFilter(
        words=_words("filter.words", message.words) if words is None else _words("query", words),
        provider=message.provider,
        mode=_member(Mode, "filter.mode", message.mode) if message.mode else None,
        capabilities=_capabilities("filter.capabilities", message.capabilities),
        min_quality=low,
        max_quality=high,
        min_context_window=_at_least_zero(
            "filter.min_context_window_token_count", message.min_context_window_token_count
        ),
        include_deprecated=message.include_deprecated,
        routable_only=message.routable_only,
        task=from_task("filter.task", message.task),
        # What has no score is not of low quality.
        scored_only=high < MAX_QUALITY,
        max_blended=_ceiling(message),
    )


def from_frontier_filter(message: pb.ModelFilter) -> ModelFilter:
    """Return the conditions of a frontier: chat models that can be routed to.

    Raises:
        InvalidFieldError: A part is out of range, or asks for another mode.
    """
    condition = from_filter(message)
    if condition.mode not in {None, Mode.CHAT}:
        raise InvalidFieldError("filter.mode", "must be unset or chat")
    return replace(condition, mode=Mode.CHAT, routable_only=True, include_deprecated=False)


def from_quality_range(message: pb.ListModelsByQualityRequest) -> ModelFilter:
    """Return the conditions of a ranking.

    Raises:
        InvalidFieldError: A part is out of range, or the range is empty.
    """
    has_min, has_max = message.HasField("min_quality"), message.HasField("max_quality")
    low = _quality("min_quality", message.min_quality) if has_min else DEFAULT_MIN_QUALITY
    high = _quality("max_quality", message.max_quality) if has_max else MAX_QUALITY
    if low > high:
        raise InvalidFieldError("min_quality", f"must not be above max_quality, {high:g}")
    return ModelFilter(
        capabilities=_capabilities("capabilities", message.capabilities),
        min_quality=low,
        max_quality=high,
        include_deprecated=message.include_deprecated,
        task=from_task("task", message.task),
        scored_only=True,
    )


def from_task(field: str, value: int) -> Task:
    """Return a task; unset means general.

    Raises:
        InvalidFieldError: It is not known.
    """
    return _member(Task, field, value or Task.GENERAL)


def from_order_by(text: str, *, task: Task = Task.GENERAL) -> Order:
    """Return an order like `quality desc`; empty means by model id.

    Args:
        text: What the caller says.
        task: What the order by quality is about.

    Raises:
        InvalidFieldError: It names no order.
    """
    name = text.strip().removesuffix(_DESCENDING).strip() or Field.MODEL
    if name not in list(Field):
        raise InvalidFieldError("order_by", f"must be one of {', '.join(Field)}, perhaps with desc")
    return Order(Field(name), is_descending=text.strip().endswith(_DESCENDING), task=task)


def from_limit(field: str, value: int, *, default: int, maximum: int) -> int:
    """Return a size: the default for 0, never more than the maximum.

    Raises:
        InvalidFieldError: It is negative.
    """
    return min(_at_least_zero(field, value) or default, maximum)


def _words(field: str, text: str) -> tuple[str, ...]:
    if len(text) > MAX_WORDS_LENGTH:
        raise InvalidFieldError(field, f"must have at most {MAX_WORDS_LENGTH} characters")
    return tuple(text.lower().split())


def _capabilities(field: str, values: Iterable[int]) -> frozenset[Capability]:
    return frozenset(
        _member(Capability, f"{field}[{index}]", value) for index, value in enumerate(values)
    )


def _member(enum: type[E], field: str, value: int) -> E:
    try:
        return enum(value)
    except ValueError:
        raise InvalidFieldError(field, f"{value} is not known") from None


def _quality(field: str, value: float) -> float:
    if math.isnan(value) or not 0 <= value <= MAX_QUALITY:
        raise InvalidFieldError(field, f"must be from 0 to {MAX_QUALITY:g}")
    return value


def _ceiling(message: pb.ModelFilter) -> int | None:
    if not message.HasField("max_blended_picodollars"):
        return None
    return _at_least_zero("filter.max_blended_picodollars", message.max_blended_picodollars)


def _at_least_zero(field: str, value: int) -> int:
    if value < 0:
        raise InvalidFieldError(field, "must not be negative")
    return value
