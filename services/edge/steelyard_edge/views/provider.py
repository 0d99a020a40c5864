"""Sellers, and how well they do."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from steelyard.health.v1.health_pb2 import (
    CircuitState,
    HealthState,
    ProviderHealth,
    StatusLevel,
    StatusPage,
)
from steelyard.registry.v1.model_pb2 import (
    AuthStyle,
    Provider,
    ProviderHealthSummary,
    WireFormat,
)
from steelyard_edge.views.scalars import label, moment, seconds, text

UNKNOWN = "unknown"
LATENCIES = ("latency_mean", "latency_p50", "latency_p95", "latency_p99")
FIRST_TOKENS = ("time_to_first_token_p50", "time_to_first_token_p95")
SPANS = (*LATENCIES, *FIRST_TOKENS, "window")
INSTANTS = ("last_outcome_time", "retry_time", "state_change_time")


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
                **_figures(registered.get(name, Provider()), measured.get(name)),
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


def _summary(health: ProviderHealthSummary) -> dict[str, Any]:
    return {
        "score": health.score,
        "state": health.state.lower() or UNKNOWN,
        "sample_count": health.sample_count,
        "stale": health.stale,
    }


def _registered(provider: Provider | None) -> dict[str, Any]:
    if provider is None:
        return {"display_name": None, "routable": False, "offer_count": 0}
    return {
        "display_name": text(provider.display_name),
        "routable": provider.routable,
        "offer_count": provider.offer_count,
    }


def _figures(registered: Provider, measured: ProviderHealth | None) -> dict[str, Any]:
    page = _status_page(measured.status_page if measured else StatusPage(), registered)
    if measured is not None:
        return {**_measured(measured), "status_page": page}
    last_known = registered.health if registered.HasField("health") else None
    return {**_remembered(last_known), "status_page": page}


def _measured(health: ProviderHealth) -> dict[str, Any]:
    return {
        "state": label(HealthState, health.state, "HEALTH_STATE_") or UNKNOWN,
        "circuit": label(CircuitState, health.circuit, "CIRCUIT_STATE_"),
        "score": health.score,
        "window_score": health.window_score,
        "status_factor": health.status_factor,
        "confidence": health.confidence,
        "sample_count": health.sample_count,
        "success_rate": health.success_rate,
        "error_rate": health.error_rate,
        "consecutive_failures": health.consecutive_failure_count,
        "consecutive_successes": health.consecutive_success_count,
        **{f"{name}_seconds": _seconds(health, name) for name in SPANS},
        **{name: moment(health, name) for name in INSTANTS},
        "stale": False,
    }


def _remembered(summary: ProviderHealthSummary | None) -> dict[str, Any]:
    """Return the little that is known of a provider while the health service is away."""
    return {
        **dict.fromkeys(_measured(ProviderHealth())),
        "state": UNKNOWN if summary is None else summary.state.lower() or UNKNOWN,
        "score": None if summary is None else summary.score,
        "sample_count": 0 if summary is None else summary.sample_count,
        "stale": summary is None or summary.stale,
    }


def _status_page(page: StatusPage, registered: Provider) -> dict[str, Any] | None:
    url = page.url or registered.status_page_url
    if not url and not page.level:
        return None
    return {
        "url": text(url),
        "level": label(StatusLevel, page.level, "STATUS_LEVEL_"),
        "description": text(page.description),
        "read_time": moment(page, "read_time"),
    }


def _seconds(health: ProviderHealth, field: str) -> float | None:
    return seconds(getattr(health, field)) if health.HasField(field) else None  # type: ignore[arg-type]
