"""A whole router between fakes: started, killed and restarted as in production."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Self

import grpc
import pytest

from steelyard.router.v1 import decision_pb2, routing_service_pb2_grpc
from steelyard.router.v1 import routing_service_pb2 as pb
from steelyard_common.address import Address
from steelyard_common.background import supervised
from steelyard_common.call_failure import CallFailure
from steelyard_common.clock import Clock, SystemClock
from steelyard_common.grpc_status import failure
from steelyard_common.lifecycle import Service
from steelyard_common.telemetry import Telemetry
from steelyard_common.tenant import Authenticator
from steelyard_router.app import Settings, build
from tests.router.builders import a_model, a_provider, a_request
from tests.router.fakes import (
    FakePricing,
    FakeRegistry,
    Host,
    a_health,
    a_pricing,
    a_registry,
    hosts,
)

CALL_SECONDS = 10.0
SMALL, LARGE, RIVAL = "openai/gpt-small", "openai/gpt-large", "groq/llama-rival"


def usual_registry() -> FakeRegistry:
    """Return three chat models at two providers, and an embedding model."""
    return a_registry(
        [
            a_model("gpt-small", "openai", quality=82),
            a_model("gpt-large", "openai", quality=95),
            a_model("llama-rival", "groq", quality=84),
        ],
        [a_provider("openai"), a_provider("groq")],
    )


def usual_pricing() -> FakePricing:
    """Return prices of them all, in picodollars per token."""
    return a_pricing(
        {SMALL: (100_000, 400_000), LARGE: (5_000_000, 20_000_000), RIVAL: (200_000, 300_000)}
    )


class World:
    """The fakes on their servers, and the router that asks them; an async context manager."""

    def __init__(
        self,
        data_dir: Path,
        *,
        registry: FakeRegistry | None = None,
        pricing: FakePricing | None = None,
        clock: Clock | None = None,
        authenticator: Authenticator | None = None,
        **settings: Any,
    ) -> None:
        self.registry = registry or usual_registry()
        self.pricing = pricing or usual_pricing()
        self.health = a_health()
        self._telemetry = Telemetry.start("fakes")
        self.hosts: dict[str, Host] = hosts(
            self.pricing, self.health, self.registry, self._telemetry
        )
        self.data_dir = data_dir
        self._clock = clock or SystemClock()
        self._authenticator = authenticator
        self.settings = settings
        self._router = AsyncExitStack()
        self.channel: grpc.aio.Channel

    async def __aenter__(self) -> Self:
        await asyncio.gather(*(host.start() for host in self.hosts.values()))
        await self.start_router()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.stop_router()
        await asyncio.gather(*(host.stop() for host in self.hosts.values()))
        self._telemetry.close()

    async def start_router(self) -> None:
        """Start it as the process does: serve, get ready, then run what runs beside."""
        service = await build(self._present_settings(), **self._overrides())
        self._router = AsyncExitStack()
        await self._router.enter_async_context(service.resources)
        await service.server.start()
        self._router.push_async_callback(service.server.stop, 0)
        await service.prepare()
        await service.server.set_serving(serving=True)
        self._run_beside(service)
        target = f"127.0.0.1:{service.server.port}"
        self.channel = await self._router.enter_async_context(grpc.aio.insecure_channel(target))

    async def stop_router(self) -> None:
        await self._router.aclose()

    @property
    def stub(self) -> routing_service_pb2_grpc.RoutingServiceStub:
        return routing_service_pb2_grpc.RoutingServiceStub(self.channel)

    async def route(self, text: str = "Who was Ada Lovelace?", **request: Any) -> pb.RouteResponse:
        return await self.stub.Route(a_request(text, **request), timeout=CALL_SECONDS)

    async def decision(
        self, text: str = "Who was Ada Lovelace?", **request: Any
    ) -> decision_pb2.Decision:
        return (await self.route(text, **request)).decision

    async def refused(self, text: str = "Who was Ada Lovelace?", **request: Any) -> CallFailure:
        """Return how a request fails."""
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await self.route(text, **request)
        return failure(caught.value)

    async def decision_when(self, is_expected: Any, **request: Any) -> decision_pb2.Decision:
        """Ask until a decision is as expected; the test's own timeout bounds it."""
        while True:
            decision = await self.decision(**request)
            if is_expected(decision):
                return decision

    def _present_settings(self) -> Settings:
        addresses = {f"{name}_address": host.address for name, host in self.hosts.items()}
        given: dict[str, Any] = {
            "router_address": Address("127.0.0.1", 0),
            "data_dir": self.data_dir,
            "router_start_wait_seconds": 2.0,
            "router_ask_timeout_seconds": 5.0,
        }
        return Settings(**(given | addresses | self.settings))

    def _overrides(self) -> dict[str, Any]:
        return {"clock": self._clock, "authenticator": self._authenticator}

    def _run_beside(self, service: Service) -> None:
        tasks = [asyncio.create_task(supervised(task, self._clock)) for task in service.tasks]

        async def end() -> None:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        self._router.push_async_callback(end)
