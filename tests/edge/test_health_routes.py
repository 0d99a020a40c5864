"""Health of one seller, incidents, alerts and what operators do, over REST."""

from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from steelyard.health.v1 import health_pb2
from steelyard.health.v1 import health_service_pb2 as pb
from steelyard_common.errors import ScopeMissingError
from tests.edge.conftest import RunningEdge, StartEdge

BASE = "/api/llm-registry"
OPENAI = f"{BASE}/provider-health/openai"
NOON = Timestamp(seconds=1_793_534_400)
"""2026-11-01T12:00:00Z."""
LATER = Timestamp(seconds=1_793_538_000)


@pytest.fixture
def measured(edge: RunningEdge) -> health_pb2.ProviderHealth:
    """Return a seller with everything that can be told of one, and one offer."""
    figures = health_pb2.ProviderHealth(
        provider="openai",
        score=0.46,
        window_score=0.92,
        status_factor=0.5,
        state=health_pb2.HEALTH_STATE_DEGRADED,
        circuit=health_pb2.CIRCUIT_STATE_CLOSED,
        traffic_share=0.37,
        sample_count=40,
        latency_p95=Duration(seconds=4),
        time_to_first_token_p50=Duration(nanos=400_000_000),
        output_tokens_per_second_p50=71.5,
        rate_limit_headroom=0.0,
        outcome_counts=[
            health_pb2.OutcomeCount(result=health_pb2.RESULT_SUCCESS, count=36),
            health_pb2.OutcomeCount(result=health_pb2.RESULT_SERVER_ERROR, count=4),
        ],
        status_page=health_pb2.StatusPage(
            url="https://status.openai.com",
            level=health_pb2.STATUS_LEVEL_DEGRADED,
            description="Elevated errors",
            read_time=NOON,
            open_incident_count=1,
            problem="no answer",
        ),
        maintenance=health_pb2.Maintenance(provider="openai", end_time=LATER, note="moving"),
        state_change_time=NOON,
    )
    edge.health.reported["openai"] = figures
    edge.health.offers["openai"] = [
        health_pb2.OfferHealth(
            offer="openai/gpt-4o",
            score=0.9,
            state=health_pb2.HEALTH_STATE_HEALTHY,
            circuit=health_pb2.CIRCUIT_STATE_HALF_OPEN,
            latency_p99=Duration(seconds=9),
            retry_time=LATER,
            outcome_counts=[health_pb2.OutcomeCount(result=health_pb2.RESULT_TIMEOUT, count=2)],
        )
    ]
    return figures


@pytest.mark.usefixtures("measured")
async def test_one_seller_is_shown_with_all_figures_and_its_offers(edge: RunningEdge) -> None:
    data = (await edge.get(OPENAI)).json()["data"]

    assert (data["provider"], data["state"], data["traffic_share"]) == ("openai", "degraded", 0.37)
    assert (data["score"], data["window_score"], data["status_factor"]) == (0.46, 0.92, 0.5)
    assert data["outcome_counts"] == {"success": 36, "server_error": 4}
    assert data["rate_limit_headroom"] == 0
    assert data["output_tokens_per_second_p50"] == 71.5
    assert data["time_to_first_token_p50_seconds"] == 0.4
    assert data["status_page"] == {
        "url": "https://status.openai.com",
        "level": "degraded",
        "description": "Elevated errors",
        "open_incident_count": 1,
        "read_time": "2026-11-01T12:00:00Z",
        "problem": "no answer",
    }
    assert data["maintenance"]["note"] == "moving"
    (offer,) = data["offers"]
    assert (offer["offer"], offer["circuit"]) == ("openai/gpt-4o", "half_open")
    assert offer["outcome_counts"] == {"timeout": 2}
    assert offer["latency_p99_seconds"] == 9
    assert offer["retry_time"] == "2026-11-01T13:00:00Z"
    assert offer["rate_limit_headroom"] is None


@pytest.mark.usefixtures("measured")
async def test_the_list_of_sellers_has_the_same_figures(edge: RunningEdge) -> None:
    one = (await edge.get(OPENAI)).json()["data"]

    listed = (await edge.get(f"{BASE}/provider-health")).json()["data"]["providers"]["openai"]

    del one["offers"], one["provider"]
    assert one == {name: listed[name] for name in one}


async def test_a_health_service_that_tells_of_no_circuits_tells_of_no_shares(
    edge: RunningEdge,
) -> None:
    data = (await edge.get(f"{BASE}/provider-health/azure")).json()["data"]

    assert (data["circuit"], data["traffic_share"]) == (None, None)
    assert (data["status_page"], data["maintenance"], data["offers"]) == (None, None, [])


async def test_a_name_that_is_none_is_422(edge: RunningEdge) -> None:
    assert (await edge.get(f"{BASE}/provider-health/{'x' * 129}")).status_code == 422


@pytest.mark.usefixtures("measured")
@pytest.mark.parametrize("body", [None, {}, {"note": "repaired"}])
async def test_a_seller_is_reset(edge: RunningEdge, body: dict[str, str] | None) -> None:
    response = await edge.post(f"{OPENAI}/reset", json=body)

    assert response.status_code == 200
    assert response.json()["data"]["sample_count"] == 0
    note = (body or {}).get("note", "")
    assert edge.health.last_request == pb.ResetProviderRequest(provider="openai", note=note)


async def test_only_one_offer_is_reset_when_it_is_named(edge: RunningEdge) -> None:
    await edge.post(f"{OPENAI}/reset", json={"offer": "openai/gpt-4o"})

    assert edge.health.last_request.offer == "openai/gpt-4o"


async def test_a_seller_is_taken_out_for_a_planned_time(edge: RunningEdge) -> None:
    body = {
        "start_time": "2026-11-01T14:00:00+02:00",
        "end_time": "2026-11-01T13:00:00Z",
        "offer": "openai/gpt-4o",
        "note": "moving",
    }

    data = (await edge.ask("PUT", f"{OPENAI}/maintenance", json=body)).json()["data"]

    assert data == {
        "maintenance": {
            "provider": "openai",
            "offer": "openai/gpt-4o",
            "start_time": "2026-11-01T12:00:00Z",
            "end_time": "2026-11-01T13:00:00Z",
            "note": "moving",
            "actor": "local",
        },
        "apply_time": "2026-11-01T12:01:00Z",
    }
    assert list(edge.health.planned) == [("openai", "openai/gpt-4o")]


async def test_an_absence_without_a_start_begins_now(edge: RunningEdge) -> None:
    response = await edge.ask(
        "PUT", f"{OPENAI}/maintenance", json={"end_time": "2026-11-01T13:00:00Z"}
    )

    assert response.status_code == 200
    assert not edge.health.last_request.maintenance.HasField("start_time")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"end_time": "tomorrow"},
        {"end_time": "2026-11-01T13:00:00"},
        {"end_time": 1_793_538_000},
        {"end_time": "2026-11-01T13:00:00Z", "note": "x" * 1001},
    ],
)
async def test_a_wrong_absence_is_422(edge: RunningEdge, body: dict[str, Any]) -> None:
    response = await edge.ask("PUT", f"{OPENAI}/maintenance", json=body)

    assert response.status_code == 422
    assert not edge.health.requests


async def test_what_the_health_service_refuses_is_told(edge: RunningEdge) -> None:
    body = {"start_time": "2026-11-01T13:00:00Z", "end_time": "2026-11-01T12:00:00Z"}

    response = await edge.ask("PUT", f"{OPENAI}/maintenance", json=body)

    assert response.status_code == 422
    assert response.json()["error"]["details"]["fields"][0]["field"] == "maintenance.end_time"


@pytest.mark.parametrize(("method", "path"), [("POST", "reset"), ("PUT", "maintenance")])
async def test_operators_only(edge: RunningEdge, method: str, path: str) -> None:
    edge.health.error = ScopeMissingError("SCOPE_ADMIN", "/steelyard.health.v1.HealthService/X")
    body = {"end_time": "2026-11-01T13:00:00Z"}

    assert (await edge.ask(method, f"{OPENAI}/{path}", json=body)).status_code == 403


async def test_incidents_are_listed_in_pages(edge: RunningEdge) -> None:
    edge.health.incidents = [
        health_pb2.Incident(
            incident_id="inc_1",
            provider="openai",
            title="Elevated errors",
            level=health_pb2.STATUS_LEVEL_OUTAGE,
            components=["API"],
            touches_api=True,
            start_time=NOON,
            url="https://status.openai.com/incidents/1",
        ),
        health_pb2.Incident(incident_id="inc_0", provider="openai", end_time=NOON),
        health_pb2.Incident(incident_id="inc_2", provider="groq", start_time=NOON),
    ]

    first = (await edge.get(f"{BASE}/incidents?page_size=2")).json()["data"]
    rest = (
        await edge.get(f"{BASE}/incidents?page_size=2&page_token={first['next_page_token']}")
    ).json()["data"]
    lasting = (await edge.get(f"{BASE}/incidents?provider=openai&open_only=true")).json()["data"]

    assert first["total_count"] == 3
    assert [each["incident_id"] for each in first["incidents"]] == ["inc_1", "inc_0"]
    assert [each["incident_id"] for each in rest["incidents"]] == ["inc_2"]
    (only,) = lasting["incidents"]
    assert (only["level"], only["components"], only["touches_api"]) == ("outage", ["API"], True)
    assert (only["end_time"], only["description"]) == (None, None)


async def test_alerts_are_listed_with_their_evidence(edge: RunningEdge) -> None:
    edge.health.alerts = [
        health_pb2.Alert(
            alert_id="alr_1",
            provider="openai",
            offer="openai/gpt-4o",
            state=health_pb2.HEALTH_STATE_UNHEALTHY,
            start_time=NOON,
            end_time=LATER,
            evidence="5 failures in a row.",
            platform_wide=True,
        ),
        health_pb2.Alert(alert_id="alr_2", provider="groq", start_time=NOON),
    ]

    data = (await edge.get(f"{BASE}/health-alerts")).json()["data"]
    lasting = (await edge.get(f"{BASE}/health-alerts?open_only=true")).json()["data"]

    assert data["alerts"][0] == {
        "alert_id": "alr_1",
        "provider": "openai",
        "offer": "openai/gpt-4o",
        "state": "unhealthy",
        "start_time": "2026-11-01T12:00:00Z",
        "end_time": "2026-11-01T13:00:00Z",
        "evidence": "5 failures in a row.",
        "platform_wide": True,
    }
    assert [each["alert_id"] for each in lasting["alerts"]] == ["alr_2"]


@pytest.mark.parametrize("path", ["incidents", "health-alerts"])
@pytest.mark.parametrize("query", ["page_size=0", "page_size=1001", "open_only=perhaps"])
async def test_a_wrong_question_is_422(edge: RunningEdge, path: str, query: str) -> None:
    assert (await edge.get(f"{BASE}/{path}?{query}")).status_code == 422


@pytest.mark.parametrize("path", ["provider-health/openai", "incidents", "health-alerts"])
async def test_without_the_health_service_it_is_503(start_edge: StartEdge, path: str) -> None:
    edge = await start_edge()
    await edge.servers["health"].stop(0)

    response = await edge.get(f"{BASE}/{path}")

    assert response.status_code == 503
    assert response.json()["error"]["reason"] == "ERROR_REASON_HEALTH_UNAVAILABLE"
