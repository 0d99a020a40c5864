"""A bare process of the reference topology: no logic, the same server, messages of the same size.

`python -m tests.bench.bare ROLE PORT FOLDER [PRICING HEALTH]`, where ROLE is `pricing`, `health` or
`router` and FOLDER holds the messages to send, as `topology` recorded them from the real services.
"""

import asyncio
import signal
import sys
from pathlib import Path
from typing import Any

import grpc
import uvloop

from steelyard.health.v1 import health_service_pb2 as health_pb
from steelyard.health.v1 import health_service_pb2_grpc as health_grpc
from steelyard.pricing.v1 import pricing_service_pb2 as pricing_pb
from steelyard.pricing.v1 import pricing_service_pb2_grpc as pricing_grpc
from steelyard.router.v1 import routing_service_pb2 as router_pb
from steelyard.router.v1 import routing_service_pb2_grpc as router_grpc
from steelyard_common.server import grpcio_server

ASK_SECONDS = 5.0


class Pricing(pricing_grpc.PricingServiceServicer):
    """Answers every Quote with the recorded one."""

    def __init__(self, folder: Path) -> None:
        self._answer = pricing_pb.QuoteResponse.FromString((folder / "quote_response").read_bytes())

    async def Quote(self, request: Any, context: Any) -> pricing_pb.QuoteResponse:
        return self._answer


class Health(health_grpc.HealthServiceServicer):
    """Answers every CheckOffers with the recorded one."""

    def __init__(self, folder: Path) -> None:
        recorded = (folder / "check_response").read_bytes()
        self._answer = health_pb.CheckOffersResponse.FromString(recorded)

    async def CheckOffers(self, request: Any, context: Any) -> health_pb.CheckOffersResponse:
        return self._answer


class Router(router_grpc.RoutingServiceServicer):
    """Asks both on every Route, then answers with the recorded decision."""

    def __init__(self, folder: Path, pricing: str, health: str) -> None:
        self._channels = [grpc.aio.insecure_channel(address) for address in (pricing, health)]
        self._pricing = pricing_grpc.PricingServiceStub(self._channels[0])
        self._health = health_grpc.HealthServiceStub(self._channels[1])
        self._quote = pricing_pb.QuoteRequest.FromString((folder / "quote_request").read_bytes())
        self._check = health_pb.CheckOffersRequest.FromString(
            (folder / "check_request").read_bytes()
        )
        self._answer = router_pb.RouteResponse.FromString((folder / "route_response").read_bytes())

    async def connect(self) -> None:
        """Wait for both."""
        await asyncio.gather(*(channel.channel_ready() for channel in self._channels))

    async def Route(self, request: Any, context: Any) -> router_pb.RouteResponse:
        await asyncio.gather(
            self._pricing.Quote(self._quote, timeout=ASK_SECONDS),
            self._health.CheckOffers(self._check, timeout=ASK_SECONDS),
        )
        return self._answer


async def serve(role: str, port: str, folder: Path, dependencies: list[str]) -> None:
    """Serve one role until SIGTERM."""
    server = grpcio_server()
    if role == "pricing":
        pricing_grpc.add_PricingServiceServicer_to_server(Pricing(folder), server)  # type: ignore[abstract]
    elif role == "health":
        health_grpc.add_HealthServiceServicer_to_server(Health(folder), server)  # type: ignore[abstract]
    else:
        router = Router(folder, *dependencies)  # type: ignore[abstract]
        await router.connect()
        router_grpc.add_RoutingServiceServicer_to_server(router, server)
    server.add_insecure_port(f"127.0.0.1:{port}")
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await server.start()
    await stop.wait()
    await server.stop(None)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(sys.argv[1], sys.argv[2], Path(sys.argv[3]), sys.argv[4:]))
