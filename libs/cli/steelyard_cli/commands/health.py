"""`steelyard health`: how sellers and offers do."""

from typing import Any

from steelyard.health.v1 import health_service_pb2 as pb
from steelyard.health.v1.health_pb2 import (
    CircuitState,
    HealthState,
    OfferHealth,
    ProviderHealth,
    Result,
    StatusLevel,
)
from steelyard.health.v1.health_service_pb2_grpc import HealthServiceStub
from steelyard_cli.output import (
    UNKNOWN,
    label,
    moment_if,
    print_facts,
    print_json,
    print_line,
    print_table,
    seconds_if,
)
from steelyard_cli.services import Connection, ask

SPANS = (
    "latency_mean", "latency_p50", "latency_p95", "latency_p99",
    "time_to_first_token_p50", "time_to_first_token_p95",
)  # fmt: skip
MEASURES = [
    "score>", "state", "circuit", "success>", "p50>", "p95>", "first token p50>", "samples>",
]  # fmt: skip


def show_health(*, as_json: bool) -> None:
    """Print one line per seller that was reported on."""

    async def question(connection: Connection) -> pb.ListProviderHealthResponse:
        stub = HealthServiceStub(connection.channel)
        request = pb.ListProviderHealthRequest()
        return await stub.ListProviderHealth(request, timeout=connection.seconds)

    answer = ask("health", question)
    if as_json:
        print_json({"providers": [provider_document(each) for each in answer.providers]})
    elif not answer.providers:
        print_line("No outcome was reported yet.")
    else:
        print_table(
            ["seller", *MEASURES, "status page"],
            [[each.provider, *_measures(each), _page(each)] for each in answer.providers],
        )


def show_provider(provider: str, *, as_json: bool) -> None:
    """Print how a seller does, and one line per offer of its that was reported on."""

    async def question(connection: Connection) -> pb.GetProviderHealthResponse:
        stub = HealthServiceStub(connection.channel)
        request = pb.GetProviderHealthRequest(provider=provider)
        return await stub.GetProviderHealth(request, timeout=connection.seconds)

    answer = ask("health", question)
    if as_json:
        offers = [_offer_document(each) for each in answer.offers]
        print_json({**provider_document(answer.provider), "offers": offers})
        return
    print_facts(_facts(answer.provider))
    if answer.offers:
        print_line()
        print_table(
            ["offer", *MEASURES], [[each.offer, *_measures(each)] for each in answer.offers]
        )


def provider_document(health: ProviderHealth) -> dict[str, Any]:
    """Return the health of a seller for JSON, with the names of the REST route."""
    return {
        "provider": health.provider,
        **_common(health),
        "window_score": health.window_score,
        "error_rate": health.error_rate,
        "consecutive_failures": health.consecutive_failure_count,
        "consecutive_successes": health.consecutive_success_count,
        "window_seconds": seconds_if(health, "window"),
        "last_outcome_time": moment_if(health, "last_outcome_time"),
        "state_change_time": moment_if(health, "state_change_time"),
        "maintenance": _maintenance(health) if health.HasField("maintenance") else None,
        "status_page": _status_page(health) if health.HasField("status_page") else None,
    }


def state_name(number: "HealthState.ValueType") -> str:
    return label(HealthState, number, "HEALTH_STATE_") or "unknown"


def circuit_name(number: "CircuitState.ValueType") -> str | None:
    return label(CircuitState, number, "CIRCUIT_STATE_")


def _offer_document(health: OfferHealth) -> dict[str, Any]:
    return {"offer": health.offer, **_common(health), "from_provider": health.from_provider}


def _common(health: ProviderHealth | OfferHealth) -> dict[str, Any]:
    return {
        "state": state_name(health.state),
        "circuit": circuit_name(health.circuit),
        "traffic_share": health.traffic_share if health.circuit else None,
        "score": health.score,
        "status_factor": health.status_factor,
        "confidence": health.confidence,
        "sample_count": health.sample_count,
        "success_rate": health.success_rate,
        "outcome_counts": _outcome_counts(health),
        **{f"{name}_seconds": seconds_if(health, name) for name in SPANS},
        "output_tokens_per_second_p50": health.output_tokens_per_second_p50 or None,
        "rate_limit_headroom": (
            health.rate_limit_headroom if health.HasField("rate_limit_headroom") else None
        ),
        "retry_time": moment_if(health, "retry_time"),
    }


def _outcome_counts(health: ProviderHealth | OfferHealth) -> dict[str, int]:
    return {
        label(Result, each.result, "RESULT_") or "unknown": each.count
        for each in health.outcome_counts
    }


def _status_page(health: ProviderHealth) -> dict[str, Any]:
    page = health.status_page
    return {
        "url": page.url or None,
        "level": label(StatusLevel, page.level, "STATUS_LEVEL_"),
        "description": page.description or None,
        "open_incident_count": page.open_incident_count,
        "read_time": moment_if(page, "read_time"),
        "problem": page.problem or None,
    }


def _maintenance(health: ProviderHealth) -> dict[str, Any]:
    absence = health.maintenance
    return {
        "offer": absence.offer or None,
        "start_time": moment_if(absence, "start_time"),
        "end_time": moment_if(absence, "end_time"),
        "note": absence.note or None,
        "actor": absence.actor or None,
    }


def _measures(health: ProviderHealth | OfferHealth) -> list[str]:
    has_samples = health.sample_count > 0
    return [
        f"{health.score:.3f}",
        state_name(health.state),
        _circuit(health),
        f"{health.success_rate:.1%}" if has_samples else UNKNOWN,
        _span(health, "latency_p50"),
        _span(health, "latency_p95"),
        _span(health, "time_to_first_token_p50"),
        f"{health.sample_count:,}",
    ]


def _facts(health: ProviderHealth) -> dict[str, str]:
    counts = ", ".join(f"{count:,} {name}" for name, count in _outcome_counts(health).items())
    headroom = health.HasField("rate_limit_headroom")
    score = f"{health.score:.3f}"
    if health.status_factor < 1:
        score += f" = {health.window_score:.3f} x {health.status_factor:g} of the status page"
    facts = {
        "seller": health.provider,
        "score": score,
        "state": state_name(health.state),
        "circuit": _circuit(health),
        "outcomes": counts or "none in the window",
        "p50, p95, p99": ", ".join(_span(health, f"latency_p{cut}") for cut in (50, 95, 99)),
        "first token p50": _span(health, "time_to_first_token_p50"),
        "rate limit left": f"{health.rate_limit_headroom:.0%}" if headroom else UNKNOWN,
        "status page": _page(health) or UNKNOWN,
    }
    if health.HasField("maintenance"):
        end = moment_if(health.maintenance, "end_time")
        until = f"until {end:%Y-%m-%d %H:%M} UTC" if end else ""
        facts["maintenance"] = " ".join(filter(None, (until, health.maintenance.note)))
    return facts


def _circuit(health: ProviderHealth | OfferHealth) -> str:
    name = circuit_name(health.circuit) or UNKNOWN
    is_recovering = name == "closed" and 0 < health.traffic_share < 1
    return f"{name}, {health.traffic_share:.0%} of traffic" if is_recovering else name


def _page(health: ProviderHealth) -> str:
    page = health.status_page
    level = label(StatusLevel, page.level, "STATUS_LEVEL_") or ""
    return ": ".join(filter(None, (level, page.description or page.problem)))


def _span(health: ProviderHealth | OfferHealth, field: str) -> str:
    seconds = seconds_if(health, field)
    return UNKNOWN if seconds is None else f"{seconds:.2f} s"
