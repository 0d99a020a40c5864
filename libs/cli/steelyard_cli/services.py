"""Calls to the services, with failures as sentences that say what to do."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import grpc
from google.protobuf.descriptor import ServiceDescriptor

from steelyard.health.v1 import health_service_pb2 as health_pb
from steelyard.pricing.v1 import pricing_service_pb2 as pricing_pb
from steelyard.registry.v1 import registry_service_pb2 as registry_pb
from steelyard.router.v1 import routing_service_pb2 as router_pb
from steelyard_cli.failure import CommandError
from steelyard_cli.settings import CliSettings, load_settings, variable
from steelyard_common.channels import open_channel
from steelyard_common.grpc_status import failure

T = TypeVar("T")

DESCRIPTORS: dict[str, ServiceDescriptor] = {
    "pricing": pricing_pb.DESCRIPTOR.services_by_name["PricingService"],
    "registry": registry_pb.DESCRIPTOR.services_by_name["RegistryService"],
    "health": health_pb.DESCRIPTOR.services_by_name["HealthService"],
    "router": router_pb.DESCRIPTOR.services_by_name["RoutingService"],
}


@dataclass(frozen=True, slots=True)
class Connection:
    """A channel to one service, and how long its answers may take."""

    channel: grpc.aio.Channel
    seconds: float


def ask(service: str, question: Callable[[Connection], Awaitable[T]]) -> T:
    """Run one conversation with a service.

    Raises:
        CommandError: It does not answer, or answers with an error.
    """
    settings = load_settings()
    return asyncio.run(_asked(settings, service, question))


async def _asked(
    settings: CliSettings, service: str, question: Callable[[Connection], Awaitable[T]]
) -> T:
    address = settings.address(service)
    try:
        async with open_channel(address, [DESCRIPTORS[service]]) as channel:
            return await question(Connection(channel, settings.call_seconds))
    except grpc.aio.AioRpcError as error:
        raise CommandError(explained(error, service, str(address))) from None


def explained(error: grpc.aio.AioRpcError, service: str, address: str) -> str:
    """Return what a failed call means for the person at the keyboard."""
    call = failure(error)
    if call.reason is not None:
        return call.message
    if call.code is grpc.StatusCode.UNAVAILABLE:
        return (
            f"{service} does not answer at {address}; start it with `steelyard up`, "
            f"or set {variable(service)}"
        )
    if call.code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return f"{service} at {address} did not answer in time"
    return f"{service} at {address} failed: {call.code.name}: {call.message}"
