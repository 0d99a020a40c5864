"""`steelyard health --incidents` and `--alerts`."""

from typing import Any

from steelyard.health.v1 import health_service_pb2 as pb
from steelyard.health.v1.health_pb2 import Alert, Incident, StatusLevel
from steelyard.health.v1.health_service_pb2_grpc import HealthServiceStub
from steelyard_cli.commands.health import state_name
from steelyard_cli.output import (
    UNKNOWN,
    label,
    moment_if,
    moment_text,
    print_json,
    print_line,
    print_table,
)
from steelyard_cli.services import Connection, ask

LASTS = "lasts"


def show_incidents(provider: str, *, limit: int, as_json: bool) -> None:
    """Print one line per incident, newest first."""
    request = pb.ListIncidentsRequest(provider=provider, page_size=limit)

    async def question(connection: Connection) -> pb.ListIncidentsResponse:
        stub = HealthServiceStub(connection.channel)
        return await stub.ListIncidents(request, timeout=connection.seconds)

    answer = ask("health", question)
    total = answer.page_info.total_count
    if as_json:
        incidents = [_incident_document(each) for each in answer.incidents]
        print_json({"total_count": total, "incidents": incidents})
        return
    print_table(
        ["start (UTC)", "end (UTC)", "seller", "level", "API", "incident"],
        [_incident_row(each) for each in answer.incidents],
    )
    _print_rest(len(answer.incidents), total)


def show_alerts(provider: str, *, limit: int, as_json: bool) -> None:
    """Print one line per spell of bad health, newest first."""
    request = pb.ListAlertsRequest(provider=provider, page_size=limit)

    async def question(connection: Connection) -> pb.ListAlertsResponse:
        stub = HealthServiceStub(connection.channel)
        return await stub.ListAlerts(request, timeout=connection.seconds)

    answer = ask("health", question)
    total = answer.page_info.total_count
    if as_json:
        print_json(
            {"total_count": total, "alerts": [_alert_document(each) for each in answer.alerts]}
        )
        return
    print_table(
        ["start (UTC)", "end (UTC)", "seller or offer", "state", "evidence"],
        [_alert_row(each) for each in answer.alerts],
    )
    _print_rest(len(answer.alerts), total)


def _print_rest(shown: int, total: int) -> None:
    if total > shown:
        print_line(f"[dim]{shown} of {total}; see more with --limit[/dim]")


def _incident_row(incident: Incident) -> list[str]:
    return [
        *_spell(incident),
        incident.provider,
        _level(incident) or UNKNOWN,
        "yes" if incident.touches_api else "no",
        incident.title,
    ]


def _alert_row(alert: Alert) -> list[str]:
    subject = alert.offer or alert.provider
    return [*_spell(alert), subject, state_name(alert.state), alert.evidence]


def _spell(message: Incident | Alert) -> list[str]:
    end = moment_text(message, "end_time") if message.HasField("end_time") else LASTS
    return [moment_text(message, "start_time"), end]


def _level(incident: Incident) -> str | None:
    return label(StatusLevel, incident.level, "STATUS_LEVEL_")


def _incident_document(incident: Incident) -> dict[str, Any]:
    """Return an incident for JSON, with the names of the REST route."""
    return {
        "incident_id": incident.incident_id,
        "provider": incident.provider,
        "title": incident.title,
        "level": _level(incident),
        "components": list(incident.components),
        "touches_api": incident.touches_api,
        "start_time": moment_if(incident, "start_time"),
        "end_time": moment_if(incident, "end_time"),
        "update_time": moment_if(incident, "update_time"),
        "url": incident.url or None,
        "description": incident.description or None,
    }


def _alert_document(alert: Alert) -> dict[str, Any]:
    return {
        "alert_id": alert.alert_id,
        "provider": alert.provider,
        "offer": alert.offer or None,
        "state": state_name(alert.state),
        "start_time": moment_if(alert, "start_time"),
        "end_time": moment_if(alert, "end_time"),
        "evidence": alert.evidence,
        "platform_wide": alert.platform_wide,
    }
