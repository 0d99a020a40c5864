"""Sellers with whose key they would be called."""

from collections.abc import Iterable, Mapping
from typing import Any

from steelyard.health.v1.health_pb2 import ProviderHealth
from steelyard.registry.v1.model_pb2 import Provider
from steelyard.router.v1.key_service_pb2 import KEY_SOURCE_NONE_NEEDED, KeySource
from steelyard_edge.views.provider import figures
from steelyard_edge.views.scalars import label


def keyed_providers(
    registered: Iterable[Provider],
    measured: Mapping[str, ProviderHealth] | None,
    sources: "Mapping[str, KeySource.ValueType] | None",
) -> dict[str, Any]:
    """Return all sellers.

    Args:
        registered: What the registry knows.
        measured: Figures by id; may lack some, and is None while health does not answer.
        sources: Whose key it would be, where there is one; None while the router does not answer.
    """
    ordered = sorted(registered, key=lambda each: each.provider)
    active = [each for each in ordered if sources is not None and _is_active(each, sources)]
    return {
        "providers": [_keyed(each, measured, sources) for each in ordered],
        "total_providers": len(ordered),
        "active_providers": None if sources is None else len(active),
        "keys_known": sources is not None,
        "health_known": measured is not None,
    }


def _keyed(
    provider: Provider,
    measured: Mapping[str, ProviderHealth] | None,
    sources: "Mapping[str, KeySource.ValueType] | None",
) -> dict[str, Any]:
    health = figures(provider, (measured or {}).get(provider.provider))
    source = 0 if sources is None else sources.get(provider.provider, 0)
    return {
        "id": provider.provider,
        "name": provider.display_name or provider.provider,
        "status": health["state"],
        "health": health,
        "has_key": None if sources is None else source != 0,
        "key_source": label(KeySource, source, "KEY_SOURCE_"),
        "models": provider.offer_count,
    }


def _is_active(provider: Provider, sources: "Mapping[str, KeySource.ValueType]") -> bool:
    source = sources.get(provider.provider, 0)
    return source == KEY_SOURCE_NONE_NEEDED or (source != 0 and provider.routable)
