"""A running edge between an HTTP client and fakes behind real gRPC servers."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

import httpx
import pytest

from steelyard.health.v1 import health_service_pb2_grpc as health_grpc
from steelyard.pricing.v1 import pricing_service_pb2_grpc as pricing_grpc
from steelyard.registry.v1 import registry_service_pb2_grpc as registry_grpc
from steelyard.router.v1 import key_service_pb2_grpc as key_grpc
from steelyard.router.v1 import routing_service_pb2_grpc as router_grpc
from steelyard_common.address import Address
from steelyard_common.lifecycle import Listener
from steelyard_common.server import Server
from steelyard_common.telemetry import Telemetry
from steelyard_edge.app import Settings, build
from tests.edge.contract import Contract
from tests.edge.fake_health import FakeHealth
from tests.edge.fake_registry import FakeRegistry
from tests.edge.fakes import FakeKeys, FakePricing, FakeRouter
from tests.fakes import FakeClock

LOOPBACK = Address("127.0.0.1", 0)


@dataclass(slots=True)
class RunningEdge:
    """The edge, its client, and who is behind it."""

    client: httpx.AsyncClient
    contract: Contract
    pricing: FakePricing
    registry: FakeRegistry
    health: FakeHealth
    router: FakeRouter
    keys: FakeKeys
    servers: dict[str, Server]
    server: Listener

    @property
    def port(self) -> int:
        return self.server.port

    async def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Return the answer of a request, which is as the edge's own description says."""
        response = await self.client.request(method, path, **options)
        self.contract.check(response)
        assert response.headers["x-request-id"]
        return response

    async def get(self, path: str, **options: Any) -> httpx.Response:
        return await self.ask("GET", path, **options)

    async def post(self, path: str, **options: Any) -> httpx.Response:
        return await self.ask("POST", path, **options)

    async def send(self, path: str, text: str | bytes, **headers: str) -> httpx.Response:
        """Post a body as it is, declared as JSON unless `content_type` says otherwise."""
        declared = {"content-type": "application/json"}
        declared |= {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.post(path, content=text, headers=declared)


def exact(response: httpx.Response) -> Any:
    """Return the body with every fraction as the decimal that was printed."""
    return json.loads(response.text, parse_float=Decimal)


async def started(stack: AsyncExitStack, telemetry: Telemetry, **settings: Any) -> RunningEdge:
    """Return an edge in front of fakes; all of it ends with `stack`."""

    async def served(*served: tuple[Callable[[Any, Any], None], Any]) -> Server:
        server = Server(LOOPBACK, telemetry=telemetry)
        for register, servicer in served:
            server.add(register, servicer)
        await server.start()
        stack.push_async_callback(server.stop, 0)
        await server.set_serving(serving=True)
        return server

    pricing, router, keys = FakePricing(), FakeRouter(), FakeKeys()  # type: ignore[abstract]
    registry, health = FakeRegistry(), FakeHealth()  # type: ignore[abstract]
    servers = {
        "pricing": await served((pricing_grpc.add_PricingServiceServicer_to_server, pricing)),
        "registry": await served((registry_grpc.add_RegistryServiceServicer_to_server, registry)),
        "health": await served((health_grpc.add_HealthServiceServicer_to_server, health)),
        "router": await served(
            (router_grpc.add_RoutingServiceServicer_to_server, router),
            (key_grpc.add_KeyServiceServicer_to_server, keys),
        ),
    }
    addresses = {
        f"{name}_address": Address("127.0.0.1", server.port) for name, server in servers.items()
    }
    service = await build(
        Settings(**({"edge_address": LOOPBACK} | addresses | settings)), clock=FakeClock()
    )
    await stack.enter_async_context(service.resources)
    await service.server.start()
    stack.push_async_callback(service.server.stop, 0)
    client = await stack.enter_async_context(
        httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{service.server.port}", trust_env=False, timeout=20
        )
    )
    document = (await client.get("/openapi.json")).json()
    return RunningEdge(
        client, Contract(document), pricing, registry, health, router, keys, servers, service.server
    )


class StartEdge(Protocol):
    """Starts an edge of the test's own."""

    async def __call__(self, **settings: Any) -> RunningEdge:
        """Return it, with these settings."""


@pytest.fixture
async def start_edge(telemetry: Telemetry) -> AsyncIterator[StartEdge]:
    """Return a function that starts an edge, for tests that break it or set it up differently."""
    async with AsyncExitStack() as stack:

        async def start(**settings: Any) -> RunningEdge:
            return await started(stack, telemetry, **settings)

        yield start


@pytest.fixture(scope="session")
async def shared_edge() -> AsyncIterator[RunningEdge]:
    """Run one edge for all tests that leave it running."""
    telemetry = Telemetry.start("test")
    async with AsyncExitStack() as stack:
        stack.callback(telemetry.close)
        yield await started(stack, telemetry)


@pytest.fixture
def edge(shared_edge: RunningEdge) -> RunningEdge:
    """Return a running edge whose fakes are as new."""
    shared_edge.pricing.reset()
    shared_edge.registry.reset()
    shared_edge.health.reset()
    shared_edge.router.reset()
    shared_edge.keys.reset()
    return shared_edge
