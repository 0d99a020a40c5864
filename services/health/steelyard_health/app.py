"""Wires the health service: settings in, service out."""

from typing import ClassVar

from steelyard.health.v1 import health_service_pb2_grpc
from steelyard_common.address import Address
from steelyard_common.clock import Clock, SystemClock
from steelyard_common.lifecycle import Service
from steelyard_common.server import Server
from steelyard_common.settings import AddressSetting, ServiceSettings
from steelyard_common.telemetry import Telemetry
from steelyard_common.tenant import AnonymousAuthenticator, RejectingAuthenticator
from steelyard_health.adapters.memory_store import MemoryHealthStore
from steelyard_health.servicer import HealthServicer

NAME = "health"


class Settings(ServiceSettings):
    """Environment of the health service."""

    listener: ClassVar[str] = "health_address"

    health_address: AddressSetting = Address("127.0.0.1", 50053)
    """Where this service listens and is dialled."""


def build_servicer(clock: Clock) -> HealthServicer:
    """Return the servicer on a store of its own."""
    # What it does not define answers UNIMPLEMENTED from the generated base.
    return HealthServicer(MemoryHealthStore(clock), clock)  # type: ignore[abstract]


async def build(settings: Settings, *, clock: Clock | None = None) -> Service:
    """Return a service ready to run."""
    clock = clock or SystemClock()
    telemetry = Telemetry.start(NAME)
    server = Server(
        settings.listen_address,
        telemetry=telemetry,
        authenticator=RejectingAuthenticator() if settings.is_auth_on else AnonymousAuthenticator(),
        limits=settings.call_limits,
    )
    server.add(health_service_pb2_grpc.add_HealthServiceServicer_to_server, build_servicer(clock))
    service = Service(name=NAME, server=server, drain_seconds=settings.drain_seconds, clock=clock)
    service.resources.callback(telemetry.close)
    return service
