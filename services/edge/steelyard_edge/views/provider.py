"""Sellers, and how well they do."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from steelyard.health.v1.health_pb2 import ProviderHealth, StatusPage
from steelyard.registry.v1.model_pb2 import (
    AuthStyle,
    Provider,
    ProviderHealthSummary,
    WireFormat,
)
from steelyard_edge.views import health
from steelyard_edge.views.health import UNKNOWN
from steelyard_edge.views.scalars import label, text


def providers(listed: Iterable[Provider]) -> dict[str, Any]:
    shown = [_provider(each) for each in listed]
    return {"count": len(shown), "providers": shown}


def provider_health(
    names: Iterable[str],
    registered: Mapping[str, Provider],
    measured: Mapping[str, ProviderHealth],
    now: datetime,
) -> dict[str, Any]:
    """Return figures by provider.

    Args:
        names: Who to show; each is in one of the two mappings.
        registered: What the registry knows, perhaps with the last figures that it has seen.
        measured: What the health service says now. May lack providers, or be empty.
        now: When all this is so.
    """
    return {
        "providers": {
            name: {
                **_registered(registered.get(name)),
                **figures(registered.get(name, Provider()), measured.get(name)),
            }
            for name in names
        },
        "timestamp": now,
    }


def _provider(provider: Provider) -> dict[str, Any]:
    return {
        "provider": provider.provider,
        "display_name": text(provider.display_name),
        "base_url": text(provider.base_url),
        "wire_format": label(WireFormat, provider.wire_format, "WIRE_FORMAT_"),
        "auth_style": label(AuthStyle, provider.auth_style, "AUTH_STYLE_"),
        "key_variables": list(provider.key_variables),
        "key_pattern": text(provider.key_pattern),
        "status_page_url": text(provider.status_page_url),
        "status_api_url": text(provider.status_api_url),
        "status_format": text(provider.status_format),
        "offer_count": provider.offer_count,
        "routable": provider.routable,
        "custom": provider.custom,
        "health": _summary(provider.health) if provider.HasField("health") else None,
    }


def _summary(summary: ProviderHealthSummary) -> dict[str, Any]:
    return {
        "score": summary.score,
        "state": summary.state.lower() or UNKNOWN,
        "sample_count": summary.sample_count,
        "stale": summary.stale,
    }


def _registered(provider: Provider | None) -> dict[str, Any]:
    if provider is None:
        return {"display_name": None, "routable": False, "offer_count": 0}
    return {
        "display_name": text(provider.display_name),
        "routable": provider.routable,
        "offer_count": provider.offer_count,
    }


def figures(registered: Provider, measured: ProviderHealth | None) -> dict[str, Any]:
    """Return all that is known of how a provider does.

    Args:
        registered: What the registry knows, perhaps with the last figures that it has seen.
        measured: What the health service says now; None while it does not answer.
    """
    page = _status_page(measured.status_page if measured else StatusPage(), registered)
    if measured is not None:
        return {**health.provider_figures(measured), "stale": False, "status_page": page}
    last_known = registered.health if registered.HasField("health") else None
    return {**_remembered(last_known), "status_page": page}


def _remembered(summary: ProviderHealthSummary | None) -> dict[str, Any]:
    """Return the little that is known of a provider while the health service is away."""
    return {
        **dict.fromkeys(health.provider_figures(ProviderHealth())),
        "state": UNKNOWN if summary is None else summary.state.lower() or UNKNOWN,
        "score": None if summary is None else summary.score,
        "sample_count": 0 if summary is None else summary.sample_count,
        "stale": summary is None or summary.stale,
    }


def _status_page(page: StatusPage, registered: Provider) -> dict[str, Any] | None:
    url = page.url or registered.status_page_url
    return health.status_page(page, url) if url or page.level else None
