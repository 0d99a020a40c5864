"""Sellers and how well they do, over REST."""

import asyncio
from datetime import timedelta

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from steelyard.health.v1 import health_pb2
from steelyard.health.v1 import health_service_pb2 as health_pb
from steelyard.registry.v1 import model_pb2
from steelyard.registry.v1 import registry_service_pb2 as pb
from steelyard_common.errors import InvalidFieldError, OverloadedError
from tests.edge.conftest import RunningEdge, StartEdge

HEALTH = "/api/llm-registry/provider-health"
PROVIDERS = "/api/llm-registry/providers/list"
BEFORE = model_pb2.ProviderHealthSummary(score=0.7, state="DEGRADED", sample_count=40, stale=True)


@pytest.fixture
def measured(edge: RunningEdge) -> health_pb2.ProviderHealth:
    """Return figures of a seller that was reported on."""
    figures = health_pb2.ProviderHealth(
        provider="openai",
        score=0.91,
        window_score=0.91,
        status_factor=1,
        state=health_pb2.HEALTH_STATE_RATE_LIMITED,
        circuit=health_pb2.CIRCUIT_STATE_HALF_OPEN,
        sample_count=200,
        confidence=0.95,
        success_rate=0.96,
        error_rate=0.04,
        consecutive_success_count=12,
        latency_mean=Duration(seconds=1, nanos=250_000_000),
        latency_p99=Duration(seconds=4),
        window=Duration(seconds=300),
        status_page=health_pb2.StatusPage(
            url="https://status.openai.com", level=health_pb2.STATUS_LEVEL_OPERATIONAL
        ),
        retry_time=Timestamp(seconds=1_793_534_400),
    )
    edge.health.reported["openai"] = figures
    return figures


async def test_every_seller_is_there_with_all_that_is_measured(
    edge: RunningEdge, measured: health_pb2.ProviderHealth
) -> None:
    data = (await edge.get(HEALTH)).json()["data"]

    assert list(data["providers"]) == ["azure", measured.provider]
    assert data["timestamp"] == "2026-11-02T09:30:00Z"
    figures = data["providers"]["openai"]
    assert (figures["display_name"], figures["routable"]) == ("OpenAI", True)
    assert (figures["state"], figures["circuit"]) == ("rate_limited", "half_open")
    assert (figures["score"], figures["success_rate"], figures["error_rate"]) == (0.91, 0.96, 0.04)
    assert (figures["latency_mean_seconds"], figures["latency_p99_seconds"]) == (1.25, 4)
    assert figures["latency_p50_seconds"] is None
    assert figures["consecutive_successes"] == 12
    assert figures["retry_time"] == "2026-11-01T12:00:00Z"
    assert figures["status_page"]["level"] == "operational"
    assert not figures["stale"]


@pytest.mark.usefixtures("measured")
async def test_a_seller_that_nobody_has_asked_yet_is_unknown(edge: RunningEdge) -> None:
    figures = (await edge.get(HEALTH)).json()["data"]["providers"]["azure"]

    assert (figures["state"], figures["score"], figures["sample_count"]) == ("unknown", 1, 0)
    assert (figures["window_seconds"], figures["status_page"]) == (300, None)
    assert not figures["stale"]
    assert edge.health.last_request == health_pb.ListProviderHealthRequest(providers=["azure"])


@pytest.mark.usefixtures("measured")
async def test_only_the_named_sellers_are_there_in_their_order(edge: RunningEdge) -> None:
    edge.health.reported["own-gateway"] = health_pb2.ProviderHealth(provider="own-gateway")

    response = await edge.get(f"{HEALTH}?providers=own-gateway, openai,,openai")

    assert list(response.json()["data"]["providers"]) == ["own-gateway", "openai"]
    assert len(edge.health.requests) == 1


async def test_unknown_sellers_are_named(edge: RunningEdge) -> None:
    response = await edge.get(f"{HEALTH}?providers=openai,opnai,%2F")

    assert response.status_code == 422
    assert response.json()["error"]["details"]["fields"] == [
        {"field": "providers", "problem": "there is no provider opnai, /"}
    ]


async def test_more_sellers_than_one_question_may_name_are_asked_for_in_parts(
    edge: RunningEdge,
) -> None:
    edge.registry.providers = [
        model_pb2.Provider(provider=f"seller-{number:03}") for number in range(450)
    ]

    data = (await edge.get(HEALTH)).json()["data"]

    assert len(data["providers"]) == 450
    assert [len(each.providers) for each in edge.health.requests] == [0, 200, 200, 50]


async def test_without_the_health_service_the_last_known_figures_are_stale(
    start_edge: StartEdge,
) -> None:
    edge = await start_edge()
    edge.registry.last_health["openai"] = BEFORE
    await edge.servers["health"].stop(0)

    shown = (await edge.get(HEALTH)).json()["data"]["providers"]

    assert (shown["openai"]["state"], shown["openai"]["score"]) == ("degraded", 0.7)
    assert (shown["openai"]["sample_count"], shown["openai"]["success_rate"]) == (40, None)
    assert shown["openai"]["status_page"]["url"] == "https://status.openai.com"
    assert (shown["azure"]["state"], shown["azure"]["score"]) == ("unknown", None)
    assert (shown["openai"]["stale"], shown["azure"]["stale"]) == (True, True)


async def test_without_the_health_service_and_anything_known_it_is_503(
    start_edge: StartEdge,
) -> None:
    edge = await start_edge()
    await edge.servers["health"].stop(0)

    response = await edge.get(HEALTH)

    assert response.status_code == 503
    assert response.json()["error"]["reason"] == "ERROR_REASON_HEALTH_UNAVAILABLE"


async def test_a_health_service_that_hangs_is_like_none(start_edge: StartEdge) -> None:
    edge = await start_edge(default_deadline_seconds=0.3)
    edge.registry.last_health["openai"] = BEFORE
    edge.health.hold = asyncio.Event()

    shown = (await edge.get(HEALTH)).json()["data"]["providers"]

    assert shown["openai"]["stale"]


async def test_a_health_service_that_sheds_load_is_like_none(edge: RunningEdge) -> None:
    edge.registry.last_health["openai"] = BEFORE
    edge.health.error = OverloadedError(timedelta(seconds=1))

    assert (await edge.get(HEALTH)).json()["data"]["providers"]["openai"]["stale"]


async def test_what_the_health_service_refuses_is_not_hidden(edge: RunningEdge) -> None:
    edge.health.error = InvalidFieldError("providers[0]", "must be the id of a provider")

    assert (await edge.get(HEALTH)).status_code == 422


async def test_sellers_are_listed_with_how_to_reach_them(edge: RunningEdge) -> None:
    data = (await edge.get(PROVIDERS)).json()["data"]

    first, second = data["providers"]
    assert data["count"] == 2
    assert (first["provider"], first["display_name"]) == ("openai", "OpenAI")
    assert (first["wire_format"], first["auth_style"]) == ("openai", "bearer")
    assert (first["routable"], second["routable"]) == (True, False)
    assert (second["wire_format"], second["base_url"], second["health"]) == (None, None, None)
    assert edge.registry.last_request == pb.ListProvidersRequest()


async def test_sellers_are_listed_with_their_health_when_asked(edge: RunningEdge) -> None:
    edge.registry.last_health["openai"] = BEFORE

    response = await edge.get(f"{PROVIDERS}?include_health=true&routable_only=true")

    only = response.json()["data"]["providers"]
    assert [each["health"] for each in only] == [
        {"score": 0.7, "state": "degraded", "sample_count": 40, "stale": True}
    ]


async def test_a_question_that_is_neither_yes_nor_no_is_422(edge: RunningEdge) -> None:
    response = await edge.get(f"{PROVIDERS}?include_health=perhaps")

    assert response.status_code == 422
    assert response.json()["error"]["details"]["fields"][0]["field"] == "include_health"
