"""How well offers and providers answer, and what status pages and people say of them."""

from collections.abc import Iterable
from typing import Any

from steelyard.health.v1 import health_service_pb2 as pb
from steelyard.health.v1.health_pb2 import (
    Alert,
    CircuitState,
    HealthState,
    Incident,
    Maintenance,
    OfferHealth,
    OutcomeCount,
    ProviderHealth,
    Result,
    StatusLevel,
    StatusPage,
)
from steelyard_edge.views.scalars import label, moment, page, seconds, text

UNKNOWN = "unknown"
LATENCIES = ("latency_mean", "latency_p50", "latency_p95", "latency_p99")
FIRST_TOKENS = ("time_to_first_token_p50", "time_to_first_token_p95")
SPANS = (*LATENCIES, *FIRST_TOKENS)
INSTANTS = ("last_outcome_time", "retry_time", "state_change_time")


def provider_figures(health: ProviderHealth) -> dict[str, Any]:
    """Return all that is measured of a provider, without its status page."""
    return {
        "state": state(health.state),
        "circuit": circuit(health.circuit),
        "traffic_share": _traffic_share(health),
        "score": health.score,
        "window_score": health.window_score,
        "status_factor": health.status_factor,
        "confidence": health.confidence,
        "sample_count": health.sample_count,
        "success_rate": health.success_rate,
        "error_rate": health.error_rate,
        "outcome_counts": _outcome_counts(health.outcome_counts),
        "consecutive_failures": health.consecutive_failure_count,
        "consecutive_successes": health.consecutive_success_count,
        **{f"{name}_seconds": _seconds(health, name) for name in (*SPANS, "window")},
        "output_tokens_per_second_p50": _speed(health),
        "rate_limit_headroom": _headroom(health),
        **{name: moment(health, name) for name in INSTANTS},
        "maintenance": maintenance(health.maintenance) if health.HasField("maintenance") else None,
    }


def provider(health: ProviderHealth) -> dict[str, Any]:
    return {
        "provider": health.provider,
        **provider_figures(health),
        "status_page": status_page(health.status_page) if health.HasField("status_page") else None,
    }


def provider_with_offers(answer: pb.GetProviderHealthResponse) -> dict[str, Any]:
    return {**provider(answer.provider), "offers": [_offer(each) for each in answer.offers]}


def status_page(page: StatusPage, url: str = "") -> dict[str, Any]:
    """Return what a status page says.

    Args:
        page: As it was read.
        url: Of the page for people, where `page` does not name it.
    """
    return {
        "url": text(page.url or url),
        "level": label(StatusLevel, page.level, "STATUS_LEVEL_"),
        "description": text(page.description),
        "open_incident_count": page.open_incident_count,
        "read_time": moment(page, "read_time"),
        "problem": text(page.problem),
    }


def incidents(answer: pb.ListIncidentsResponse) -> dict[str, Any]:
    return {
        "incidents": [_incident(each) for each in answer.incidents],
        **page(answer.page_info),
    }


def alerts(answer: pb.ListAlertsResponse) -> dict[str, Any]:
    return {"alerts": [_alert(each) for each in answer.alerts], **page(answer.page_info)}


def planned(answer: pb.SetMaintenanceResponse) -> dict[str, Any]:
    return {
        "maintenance": maintenance(answer.maintenance),
        "apply_time": moment(answer, "apply_time"),
    }


def maintenance(absence: Maintenance) -> dict[str, Any]:
    return {
        "provider": absence.provider,
        "offer": text(absence.offer),
        "start_time": moment(absence, "start_time"),
        "end_time": moment(absence, "end_time"),
        "note": text(absence.note),
        "actor": text(absence.actor),
    }


def state(number: "HealthState.ValueType") -> str:
    return label(HealthState, number, "HEALTH_STATE_") or UNKNOWN


def circuit(number: "CircuitState.ValueType") -> str | None:
    return label(CircuitState, number, "CIRCUIT_STATE_")


def _offer(health: OfferHealth) -> dict[str, Any]:
    return {
        "offer": health.offer,
        "state": state(health.state),
        "circuit": circuit(health.circuit),
        "traffic_share": _traffic_share(health),
        "score": health.score,
        "status_factor": health.status_factor,
        "confidence": health.confidence,
        "sample_count": health.sample_count,
        "success_rate": health.success_rate,
        "outcome_counts": _outcome_counts(health.outcome_counts),
        **{f"{name}_seconds": _seconds(health, name) for name in SPANS},
        "output_tokens_per_second_p50": _speed(health),
        "rate_limit_headroom": _headroom(health),
        "retry_time": moment(health, "retry_time"),
        "from_provider": health.from_provider,
    }


def _incident(incident: Incident) -> dict[str, Any]:
    return {
        "incident_id": incident.incident_id,
        "provider": incident.provider,
        "title": incident.title,
        "level": label(StatusLevel, incident.level, "STATUS_LEVEL_"),
        "components": list(incident.components),
        "touches_api": incident.touches_api,
        "start_time": moment(incident, "start_time"),
        "end_time": moment(incident, "end_time"),
        "update_time": moment(incident, "update_time"),
        "url": text(incident.url),
        "description": text(incident.description),
    }


def _alert(alert: Alert) -> dict[str, Any]:
    return {
        "alert_id": alert.alert_id,
        "provider": alert.provider,
        "offer": text(alert.offer),
        "state": state(alert.state),
        "start_time": moment(alert, "start_time"),
        "end_time": moment(alert, "end_time"),
        "evidence": alert.evidence,
        "platform_wide": alert.platform_wide,
    }


def _outcome_counts(counts: Iterable[OutcomeCount]) -> dict[str, int]:
    named = ((label(Result, each.result, "RESULT_"), each.count) for each in counts)
    return {name: count for name, count in named if name is not None}


def _traffic_share(health: OfferHealth | ProviderHealth) -> float | None:
    """Return the share, null where circuits are not told of, as by an older health service."""
    return health.traffic_share if health.circuit else None


def _headroom(health: OfferHealth | ProviderHealth) -> float | None:
    return health.rate_limit_headroom if health.HasField("rate_limit_headroom") else None


def _speed(health: OfferHealth | ProviderHealth) -> float | None:
    return health.output_tokens_per_second_p50 or None


def _seconds(health: OfferHealth | ProviderHealth, field: Any) -> float | None:
    return seconds(getattr(health, field)) if health.HasField(field) else None
