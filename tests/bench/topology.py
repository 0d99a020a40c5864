"""Route through the real services against a bare topology of three processes, side by side.

The bare one has the same gRPC server, the same two calls per request and messages of the same size,
but no logic; what is left between the two is what Steelyard itself costs.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
import uvloop
from google.protobuf.message import Message

from steelyard.common.v1.usage_pb2 import Usage
from steelyard.health.v1 import health_service_pb2 as health_pb
from steelyard.health.v1 import health_service_pb2_grpc as health_grpc
from steelyard.pricing.v1 import pricing_service_pb2 as pricing_pb
from steelyard.pricing.v1 import pricing_service_pb2_grpc as pricing_grpc
from steelyard.router.v1 import chat_pb2
from steelyard.router.v1 import routing_service_pb2 as router_pb
from steelyard.router.v1 import routing_service_pb2_grpc as router_grpc
from tests.stack import SERVICES, Stack, free_ports

CONCURRENCIES = (1, 16, 64)
GRPC_SERVICES = tuple(name for name in SERVICES if name != "edge")
PROMPT = "Explain how a steelyard balance finds an unknown weight, step by step. " * 20
CALL_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Load:
    """What one round measured."""

    per_second: float
    p50_milliseconds: float
    p99_milliseconds: float
    stale_share: float


def main(*, short: bool) -> None:
    """Print throughput and latency of both topologies and their ratio."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(compare(rounds=2 if short else 5, seconds=1.5 if short else 4.0))


async def compare(*, rounds: int, seconds: float) -> None:
    """Alternate between the two topologies, so that a noisy minute meets both."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        async with Stack(folder / "data", services=GRPC_SERVICES) as stack:
            real = router_grpc.RoutingServiceStub(stack.channel("router"))
            await record(stack, real, folder)
            async with bare_topology(folder) as bare:
                for concurrency in CONCURRENCIES:
                    results: dict[str, list[Load]] = {"bare": [], "steelyard": []}
                    for _ in range(rounds):
                        results["bare"].append(await load(bare, concurrency, seconds))
                        results["steelyard"].append(await load(real, concurrency, seconds))
                    report(concurrency, results)


def report(concurrency: int, results: dict[str, list[Load]]) -> None:
    """Print medians over the rounds."""
    medians = {name: statistics.median(r.per_second for r in rs) for name, rs in results.items()}
    for name, rounds in results.items():
        p50 = statistics.median(each.p50_milliseconds for each in rounds)
        p99 = statistics.median(each.p99_milliseconds for each in rounds)
        stale = statistics.mean(each.stale_share for each in rounds)
        print(
            f"Route at concurrency {concurrency:>2}, {name:<9}: {medians[name]:7.0f}/s, "
            f"p50 {p50:6.2f} ms, p99 {p99:6.2f} ms, stale {stale:.1%}"
        )
    print(f"  ratio steelyard/bare: {medians['steelyard'] / medians['bare']:.2f}", flush=True)


async def load(stub: router_grpc.RoutingServiceStub, concurrency: int, seconds: float) -> Load:
    """Keep `concurrency` calls in flight for some seconds."""
    latencies: list[float] = []
    stale = 0
    request = route_request()
    end = time.perf_counter() + seconds

    async def client() -> None:
        nonlocal stale
        while (start := time.perf_counter()) < end:
            decision = (await stub.Route(request, timeout=CALL_SECONDS)).decision
            latencies.append(time.perf_counter() - start)
            stale += decision.stale_health or decision.versions.prices == 0

    started = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(concurrency)))
    elapsed = time.perf_counter() - started
    percentiles = statistics.quantiles(latencies, n=100)
    return Load(
        per_second=len(latencies) / elapsed,
        p50_milliseconds=percentiles[49] * 1000,
        p99_milliseconds=percentiles[98] * 1000,
        stale_share=stale / len(latencies),
    )


def route_request() -> router_pb.RouteRequest:
    """Return the request that both topologies get."""
    message = chat_pb2.Message(role=chat_pb2.ROLE_USER, text=PROMPT)
    return router_pb.RouteRequest(request=chat_pb2.ChatRequest(messages=[message]))


async def record(stack: Stack, router: router_grpc.RoutingServiceStub, folder: Path) -> None:
    """Write the messages of one real request, for the bare topology to repeat."""
    route = await router.Route(route_request(), timeout=CALL_SECONDS)
    offers = [candidate.offer for candidate in route.decision.candidates]
    quote = pricing_pb.QuoteRequest(
        usage=Usage(uncached_input_token_count=350, output_token_count=500), offers=offers
    )
    check = health_pb.CheckOffersRequest(offers=offers)
    pricing = pricing_grpc.PricingServiceStub(stack.channel("pricing"))
    health = health_grpc.HealthServiceStub(stack.channel("health"))
    messages: dict[str, Message] = {
        "quote_request": quote,
        "quote_response": await pricing.Quote(quote, timeout=CALL_SECONDS),
        "check_request": check,
        "check_response": await health.CheckOffers(check, timeout=CALL_SECONDS),
        "route_response": route,
    }
    sizes = {
        name: (folder / name).write_bytes(m.SerializeToString()) for name, m in messages.items()
    }
    print(f"{len(offers)} candidates; bytes: {sizes}", flush=True)


@asynccontextmanager
async def bare_topology(folder: Path) -> AsyncIterator[router_grpc.RoutingServiceStub]:
    """Run the three bare processes and yield a stub for their router."""
    pricing, health, router = free_ports(3)
    roles: list[list[str]] = [
        ["pricing", str(pricing), str(folder)],
        ["health", str(health), str(folder)],
        ["router", str(router), str(folder), f"127.0.0.1:{pricing}", f"127.0.0.1:{health}"],
    ]
    processes = [
        await asyncio.create_subprocess_exec(sys.executable, "-m", "tests.bench.bare", *role)
        for role in roles
    ]
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{router}") as channel:
            stub = router_grpc.RoutingServiceStub(channel)
            await stub.Route(route_request(), timeout=CALL_SECONDS, wait_for_ready=True)
            yield stub
    finally:
        for process in processes:
            process.terminate()
        await asyncio.gather(*(process.wait() for process in processes))
