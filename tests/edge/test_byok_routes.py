"""Sellers with whose key they would be called, over REST."""

import asyncio

import pytest

from steelyard.health.v1 import health_pb2
from steelyard.registry.v1 import model_pb2
from steelyard.router.v1 import key_service_pb2 as key_pb
from steelyard_common.errors import InvalidFieldError
from tests.edge.conftest import RunningEdge, StartEdge

PROVIDERS = "/api/byok/providers"


@pytest.fixture
def sellers(edge: RunningEdge) -> RunningEdge:
    """Return an edge before four sellers, to three of which there is a way."""
    edge.registry.providers.append(model_pb2.Provider(provider="groq", routable=True))
    edge.registry.providers.append(model_pb2.Provider(provider="ollama"))
    edge.health.reported["openai"] = health_pb2.ProviderHealth(
        provider="openai", state=health_pb2.HEALTH_STATE_DEGRADED, score=0.7, sample_count=20
    )
    edge.keys.sources = {
        "azure": key_pb.KEY_SOURCE_PLATFORM,
        "groq": key_pb.KEY_SOURCE_TENANT,
        "ollama": key_pb.KEY_SOURCE_NONE_NEEDED,
    }
    return edge


async def test_every_seller_is_there_with_its_key_and_its_health(sellers: RunningEdge) -> None:
    data = (await sellers.get(PROVIDERS)).json()["data"]

    assert [each["id"] for each in data["providers"]] == ["azure", "groq", "ollama", "openai"]
    assert [(each["has_key"], each["key_source"]) for each in data["providers"]] == [
        (True, "platform"),
        (True, "tenant"),
        (True, "none_needed"),
        (False, None),
    ]
    assert [each["status"] for each in data["providers"]] == ["unknown"] * 3 + ["degraded"]
    openai = data["providers"][3]
    assert (openai["name"], openai["models"]) == ("OpenAI", 2)
    assert (openai["health"]["score"], openai["health"]["stale"]) == (0.7, False)
    assert (data["keys_known"], data["health_known"]) == (True, True)


async def test_sellers_that_requests_can_go_to_are_counted(sellers: RunningEdge) -> None:
    data = (await sellers.get(PROVIDERS)).json()["data"]

    assert data["total_providers"] == 4
    assert data["active_providers"] == 2, "azure has a key, but nobody can call it"


async def test_a_seller_that_nobody_asked_is_in_maintenance_all_the_same(
    sellers: RunningEdge,
) -> None:
    sellers.health.silent["groq"] = health_pb2.ProviderHealth(
        provider="groq", state=health_pb2.HEALTH_STATE_MAINTENANCE
    )

    data = (await sellers.get(PROVIDERS)).json()["data"]

    assert data["providers"][1]["status"] == "maintenance"


async def test_without_the_router_nothing_is_said_of_keys(start_edge: StartEdge) -> None:
    edge = await start_edge()
    await edge.servers["router"].stop(0)

    data = (await edge.get(PROVIDERS)).json()["data"]

    assert [(each["has_key"], each["key_source"]) for each in data["providers"]] == [
        (None, None),
        (None, None),
    ]
    assert (data["keys_known"], data["active_providers"]) == (False, None)


async def test_a_router_that_hangs_is_like_none(start_edge: StartEdge) -> None:
    edge = await start_edge(default_deadline_seconds=0.3)
    edge.keys.hold = asyncio.Event()

    assert not (await edge.get(PROVIDERS)).json()["data"]["keys_known"]


async def test_without_the_health_service_the_last_known_figures_are_stale(
    start_edge: StartEdge,
) -> None:
    edge = await start_edge()
    edge.registry.last_health["openai"] = model_pb2.ProviderHealthSummary(
        score=0.7, state="DEGRADED"
    )
    await edge.servers["health"].stop(0)

    data = (await edge.get(PROVIDERS)).json()["data"]

    azure, openai = data["providers"]
    assert (openai["status"], azure["status"]) == ("degraded", "unknown")
    assert (azure["health"]["score"], azure["health"]["stale"]) == (None, True)
    assert not data["health_known"]


async def test_without_the_registry_it_is_503(start_edge: StartEdge) -> None:
    edge = await start_edge()
    await edge.servers["registry"].stop(0)

    response = await edge.get(PROVIDERS)

    assert response.status_code == 503
    assert response.json()["error"]["reason"] == "ERROR_REASON_REGISTRY_UNAVAILABLE"


async def test_what_the_router_refuses_is_not_hidden(edge: RunningEdge) -> None:
    edge.keys.error = InvalidFieldError("x", "is wrong")

    assert (await edge.client.get(PROVIDERS)).status_code == 422
