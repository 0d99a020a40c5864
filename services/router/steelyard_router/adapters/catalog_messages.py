"""The registry's messages as values of the domain."""

import math
from collections.abc import Iterable, Sequence
from datetime import date
from sys import intern
from types import MappingProxyType
from typing import Final

from google.type.date_pb2 import Date

from steelyard.common.v1 import model_traits_pb2
from steelyard.registry.v1 import model_pb2, quality_pb2
from steelyard_router.domain import capability
from steelyard_router.domain.catalog import Offer, Provider, Quality

TASKS: Final = MappingProxyType(
    {
        quality_pb2.TASK_CODING: "coding",
        quality_pb2.TASK_MATH: "math",
        quality_pb2.TASK_REASONING: "reasoning",
        quality_pb2.TASK_VISION: "vision",
        quality_pb2.TASK_LONG_CONTEXT: "long_context",
    }
)
_BASIS_PREFIX = "QUALITY_BASIS_"
_LAST_DAY = 31


def to_offers(model: model_pb2.Model) -> tuple[Offer, ...]:
    """Return a model's offers, in the registry's order."""
    quality = _quality(model.quality)
    return tuple(_offer(offer, model.model, quality) for offer in model.offers)


def to_providers(messages: Iterable[model_pb2.Provider]) -> tuple[Provider, ...]:
    return tuple(
        Provider(
            each.provider,
            is_routable=each.routable,
            needs_key=each.auth_style != model_pb2.AUTH_STYLE_NONE,
        )
        for each in messages
    )


def _offer(message: model_pb2.Offer, model: str, quality: Quality) -> Offer:
    return Offer(
        offer=message.offer,
        model=model,
        provider=intern(message.provider),
        is_chat=message.mode == model_traits_pb2.MODE_CHAT,
        capabilities=capability.mask(message.capabilities),
        quality=quality,
        context_tokens=message.max_input_token_count,
        max_output_tokens=message.max_output_token_count,
        is_deprecated=message.state == model_pb2.LIFECYCLE_STATE_DEPRECATED,
        deprecation_date=_last_day(message),
        regions=frozenset(message.regions),
    )


def _last_day(message: model_pb2.Offer) -> date | None:
    """Return the day that ends an offer even when the registry cannot say so any more."""
    if message.kept_by_hand or not message.HasField("deprecation_date"):
        return None
    return _day(message.deprecation_date)


def _quality(message: quality_pb2.Quality) -> Quality:
    basis = quality_pb2.QualityBasis.Name(message.basis).removeprefix(_BASIS_PREFIX).lower()
    return Quality(
        score=_points(message.score),
        uncertainty=_points(message.uncertainty),
        basis=basis if message.basis else "",
        tasks=_tasks(message.tasks),
    )


def _tasks(messages: Sequence[quality_pb2.TaskQuality]) -> dict[str, tuple[float, float]]:
    return {
        TASKS[each.task]: (_points(each.score), _points(each.uncertainty))
        for each in messages
        if each.task in TASKS
    }


def _points(value: float) -> float:
    return min(100.0, max(0.0, value)) if math.isfinite(value) else 0.0


def _day(message: Date) -> date | None:
    """Return a day; one that is given as month or year alone ends with that."""
    try:
        if message.day:
            return date(message.year, message.month, message.day)
    except ValueError:
        return None
    return None
