"""`steelyard health`, asking a health service that answers."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from steelyard.health.v1 import health_pb2
from steelyard.health.v1 import health_service_pb2 as pb
from steelyard.health.v1 import health_service_pb2_grpc as health_grpc
from steelyard_common.address import Address
from steelyard_common.server import Server
from steelyard_common.telemetry import Telemetry
from tests.cli.running_up import STEELYARD, run_command
from tests.edge.fake_health import FakeHealth

NOON = Timestamp(seconds=1_793_534_400)
"""2026-11-01T12:00:00Z."""


@pytest.fixture
async def server(telemetry: Telemetry) -> AsyncIterator[Server]:
    """Return a server on a free port."""
    server = Server(Address("127.0.0.1", 0), telemetry=telemetry)
    yield server
    await server.stop(0)


@pytest.fixture
async def health(server: Server) -> FakeHealth:
    """Return a fake health service that is served."""
    fake = FakeHealth()  # type: ignore[abstract]
    server.add(health_grpc.add_HealthServiceServicer_to_server, fake)
    await server.start()
    await server.set_serving(serving=True)
    fake.reported["openai"] = health_pb2.ProviderHealth(
        provider="openai",
        score=0.46,
        window_score=0.92,
        status_factor=0.5,
        state=health_pb2.HEALTH_STATE_DEGRADED,
        circuit=health_pb2.CIRCUIT_STATE_CLOSED,
        traffic_share=0.37,
        sample_count=1_200,
        success_rate=0.876,
        latency_p50=Duration(seconds=1, nanos=250_000_000),
        latency_p95=Duration(seconds=4),
        outcome_counts=[health_pb2.OutcomeCount(result=health_pb2.RESULT_SUCCESS, count=1_051)],
        status_page=health_pb2.StatusPage(
            level=health_pb2.STATUS_LEVEL_DEGRADED, description="[slow] answers"
        ),
        maintenance=health_pb2.Maintenance(end_time=NOON, note="moving"),
    )
    fake.offers["openai"] = [
        health_pb2.OfferHealth(
            offer="openai/gpt-4o",
            score=1,
            circuit=health_pb2.CIRCUIT_STATE_HALF_OPEN,
            time_to_first_token_p50=Duration(nanos=400_000_000),
        )
    ]
    return fake


def environment(server: Server) -> dict[str, str]:
    address = {"STEELYARD_HEALTH_ADDRESS": f"127.0.0.1:{server.port}", "NO_COLOR": "1"}
    return {**os.environ, **address}


async def out_of(server: Server, *arguments: str) -> str:
    """Return what a command prints when it asks this server."""
    code, out, err = await run_command(*arguments, environment=environment(server))
    assert (code, err) == (0, "")
    return out


@pytest.mark.usefixtures("health")
async def test_sellers_are_shown_in_a_line_each(server: Server) -> None:
    lines = (await out_of(server, "health")).splitlines()

    assert lines[0].split()[:4] == ["seller", "score", "state", "circuit"]
    assert lines[1].split() == [
        "openai", "0.460", "degraded", "closed,", "37%", "of", "traffic", "87.6%", "1.25", "s",
        "4.00", "s", "-", "1,200", "degraded:", "[slow]", "answers",
    ]  # fmt: skip


async def test_without_outcomes_it_says_so(health: FakeHealth, server: Server) -> None:
    health.reported.clear()

    assert await out_of(server, "health") == "No outcome was reported yet.\n"


@pytest.mark.usefixtures("health")
async def test_one_seller_is_shown_with_its_offers(server: Server) -> None:
    lines = [line.split() for line in (await out_of(server, "health", "openai")).splitlines()]

    assert ["outcomes", "1,051", "success"] in lines
    assert ["score", "0.460", "=", "0.920", "x", "0.5", "of", "the", "status", "page"] in lines
    assert ["maintenance", "until", "2026-11-01", "12:00", "UTC", "moving"] in lines
    assert lines[-1] == [
        "openai/gpt-4o", "1.000", "unknown", "half_open", "-", "-", "-", "0.40", "s", "0",
    ]  # fmt: skip


@pytest.mark.usefixtures("health")
async def test_health_as_json_has_the_names_of_the_rest_routes(server: Server) -> None:
    listed = json.loads(await out_of(server, "health", "--json"))["providers"][0]
    one = json.loads(await out_of(server, "health", "openai", "--json"))

    assert one == listed | {"offers": one["offers"]}
    assert (one["provider"], one["state"], one["traffic_share"]) == ("openai", "degraded", 0.37)
    assert one["outcome_counts"] == {"success": 1051}
    assert (one["latency_p50_seconds"], one["latency_p99_seconds"]) == (1.25, None)
    assert one["status_page"]["description"] == "[slow] answers"
    assert one["maintenance"]["end_time"] == "2026-11-01T12:00:00Z"
    assert one["rate_limit_headroom"] is None
    assert one["offers"][0]["time_to_first_token_p50_seconds"] == 0.4


async def test_incidents_are_listed(health: FakeHealth, server: Server) -> None:
    health.incidents = [
        health_pb2.Incident(
            incident_id="inc_1",
            provider="openai",
            title="Elevated errors",
            level=health_pb2.STATUS_LEVEL_OUTAGE,
            touches_api=True,
            start_time=NOON,
        ),
        health_pb2.Incident(incident_id="inc_2", provider="openai", end_time=NOON),
        health_pb2.Incident(incident_id="inc_3", provider="groq"),
    ]

    table = (await out_of(server, "health", "openai", "--incidents", "--limit", "1")).splitlines()
    document = json.loads(await out_of(server, "health", "--incidents", "--json"))

    assert table[1].split() == [
        "2026-11-01", "12:00", "lasts", "openai", "outage", "yes", "Elevated", "errors",
    ]  # fmt: skip
    assert "1 of 2; see more with --limit" in table[2]
    assert document["total_count"] == 3
    assert document["incidents"][1]["end_time"] == "2026-11-01T12:00:00Z"
    assert health.requests[0] == pb.ListIncidentsRequest(provider="openai", page_size=1)


async def test_alerts_are_listed(health: FakeHealth, server: Server) -> None:
    health.alerts = [
        health_pb2.Alert(
            alert_id="alr_1",
            provider="openai",
            offer="openai/gpt-4o",
            state=health_pb2.HEALTH_STATE_UNHEALTHY,
            start_time=NOON,
            end_time=NOON,
            evidence="5 failures in a row.",
        )
    ]

    table = (await out_of(server, "health", "--alerts")).splitlines()
    document = json.loads(await out_of(server, "health", "--alerts", "--json"))

    assert table[1].split()[4:] == [
        "openai/gpt-4o", "unhealthy", "5", "failures", "in", "a", "row.",
    ]  # fmt: skip
    assert document["alerts"][0]["evidence"] == "5 failures in a row."


def a_change(version: int, **facts: object) -> pb.WatchHealthResponse:
    change: dict[str, object] = {
        "provider": "openai",
        "offer": "openai/gpt-4o",
        "before": health_pb2.HEALTH_STATE_HEALTHY,
        "after": health_pb2.HEALTH_STATE_UNHEALTHY,
        "circuit_before": health_pb2.CIRCUIT_STATE_CLOSED,
        "circuit_after": health_pb2.CIRCUIT_STATE_OPEN,
        "time": NOON,
        "evidence": "5 failures in a row.",
        "version": version,
    }
    return pb.WatchHealthResponse(change=health_pb2.StateChange(**(change | facts)))  # type: ignore[arg-type]


async def test_changes_are_followed_from_one_connection_to_the_next(
    health: FakeHealth, server: Server
) -> None:
    health.changes = [a_change(7), a_change(8, provider="groq", offer="")]
    process = await asyncio.create_subprocess_exec(
        *STEELYARD, "health", "openai", "--watch",
        env=environment(server),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        first = (await process.stdout.readline()).decode()
        # The fake ends its stream at once; a line only comes when the next one is asked for.
        health.changes.append(a_change(9, after=health_pb2.HEALTH_STATE_HEALTHY))
        second = (await process.stdout.readline()).decode()
    finally:
        process.send_signal(signal.SIGINT)
        code = await process.wait()

    assert first.split() == [
        "2026-11-01", "12:00:00", "openai/gpt-4o", "healthy", "→", "unhealthy",
        "circuit", "closed", "→", "open", "5", "failures", "in", "a", "row.",
    ]  # fmt: skip
    assert second.split()[3:5] == ["healthy", "circuit"]
    assert code == 0
    watches = [each for each in health.requests if isinstance(each, pb.WatchHealthRequest)]
    assert [each.from_version for each in watches[:2]] == [0, 8]


async def test_a_version_too_old_to_go_on_from_is_dropped_without_a_line(
    health: FakeHealth, server: Server
) -> None:
    health.changes = [pb.WatchHealthResponse(present=True), a_change(8)]
    process = await asyncio.create_subprocess_exec(
        *STEELYARD, "health", "--watch",
        env=environment(server),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        first = (await process.stdout.readline()).decode()
    finally:
        process.send_signal(signal.SIGINT)
        await process.wait()

    assert first.split()[2] == "openai/gpt-4o"


async def test_changes_as_json_are_a_document_a_line(health: FakeHealth, server: Server) -> None:
    present = a_change(7)
    present.present = True
    health.changes = [present, a_change(8)]
    process = await asyncio.create_subprocess_exec(
        *STEELYARD, "health", "--watch", "--json",
        env=environment(server),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        lines = [json.loads(await process.stdout.readline()) for _ in range(2)]
    finally:
        process.send_signal(signal.SIGINT)
        await process.wait()

    assert [each["version"] for each in lines] == [7, 8]
    assert [each["present"] for each in lines] == [True, False]
    assert lines[1]["circuit_after"] == "open"
