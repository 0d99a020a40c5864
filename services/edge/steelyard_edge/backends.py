"""The services behind the edge: one channel, stub and name for each."""

from collections.abc import AsyncIterable, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import grpc
import structlog
from google.protobuf.descriptor import ServiceDescriptor
from grpc_health.v1 import health_pb2, health_pb2_grpc

from steelyard.health.v1 import health_service_pb2 as health_pb
from steelyard.health.v1 import health_service_pb2_grpc as health_grpc
from steelyard.pricing.v1 import pricing_service_pb2 as pricing_pb
from steelyard.pricing.v1 import pricing_service_pb2_grpc as pricing_grpc
from steelyard.registry.v1 import registry_service_pb2 as registry_pb
from steelyard.registry.v1 import registry_service_pb2_grpc as registry_grpc
from steelyard.router.v1 import key_service_pb2 as key_pb
from steelyard.router.v1 import key_service_pb2_grpc as key_grpc
from steelyard.router.v1 import routing_service_pb2 as router_pb
from steelyard.router.v1 import routing_service_pb2_grpc as router_grpc
from steelyard_common.address import Address
from steelyard_common.channels import open_channel
from steelyard_common.errors import (
    DeadlineExceededError,
    HealthUnavailableError,
    InternalError,
    MethodNotImplementedError,
    PricingUnavailableError,
    RegistryUnavailableError,
    RouterUnavailableError,
    SteelyardError,
)
from steelyard_common.grpc_status import failure
from steelyard_common.telemetry import Telemetry
from steelyard_edge.failure import CallFailedError

HEALTH_CHECK_SECONDS = 1.0

StubT = TypeVar("StubT")
RequestT_contra = TypeVar("RequestT_contra", contravariant=True)
ResponseT_co = TypeVar("ResponseT_co", covariant=True)
ResponseT = TypeVar("ResponseT")
RequestT = TypeVar("RequestT")

logger = structlog.get_logger(__name__)


class UnaryCall(Protocol[RequestT_contra, ResponseT_co]):
    """A unary method of a stub."""

    def __call__(self, request: RequestT_contra, *, timeout: float) -> Awaitable[ResponseT_co]:
        """Start the call."""


class StreamCall(Protocol[RequestT_contra, ResponseT_co]):
    """A server-streaming method of a stub."""

    def __call__(self, request: RequestT_contra, *, timeout: float) -> AsyncIterable[ResponseT_co]:
        """Start the call."""


class Unavailable(Protocol):
    """Makes the error that says which service does not answer."""

    def __call__(self) -> SteelyardError:
        """Return it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend(Generic[StubT]):
    """One service: how to call it, and what to say when it is away."""

    name: str
    stub: StubT
    channel: grpc.aio.Channel
    unavailable: Unavailable
    timeout_seconds: float

    async def ask(
        self,
        method: UnaryCall[RequestT, ResponseT],
        request: RequestT,
        *,
        timeout_seconds: float | None = None,
    ) -> ResponseT:
        """Return the answer of a method of `stub`.

        Args:
            method: What to call.
            request: What to ask.
            timeout_seconds: How long to wait at most, where that is less than usual.

        Raises:
            CallFailedError: The service answered with an error.
            SteelyardError: It did not answer at all.
        """
        usual = self.timeout_seconds
        limit = usual if timeout_seconds is None else min(timeout_seconds, usual)
        try:
            return await method(request, timeout=limit)
        except grpc.aio.AioRpcError as error:
            raise self._explained(error) from None

    async def last(
        self,
        method: StreamCall[RequestT, ResponseT],
        request: RequestT,
        *,
        timeout_seconds: float,
    ) -> ResponseT:
        """Return the last message of a stream.

        Raises:
            CallFailedError: The service answered with an error.
            SteelyardError: It did not answer at all, or with nothing.
        """
        answer: ResponseT | None = None
        try:
            async for message in method(request, timeout=timeout_seconds):
                answer = message
        except grpc.aio.AioRpcError as error:
            raise self._explained(error) from None
        if answer is None:
            logger.error("a stream ended without a message", service=self.name)
            raise InternalError
        return answer

    async def is_serving(self) -> bool:
        """Say whether the service is up and wants calls."""
        # Any: types-grpcio-health-checking describes the synchronous stub only.
        stub: Any = health_pb2_grpc.HealthStub(self.channel)
        try:
            answer = await stub.Check(health_pb2.HealthCheckRequest(), timeout=HEALTH_CHECK_SECONDS)
        except grpc.aio.AioRpcError:
            return False
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)

    def _explained(self, error: grpc.aio.AioRpcError) -> Exception:
        """Return what to raise; what gRPC itself says names addresses, which is only logged."""
        call = failure(error)
        if call.reason is not None:
            return CallFailedError(call)
        logger.warning(
            "call failed", service=self.name, code=error.code().name, problem=error.details()
        )
        match error.code():
            case grpc.StatusCode.UNAVAILABLE | grpc.StatusCode.CANCELLED:
                return self.unavailable()
            case grpc.StatusCode.DEADLINE_EXCEEDED:
                return DeadlineExceededError()
            case grpc.StatusCode.UNIMPLEMENTED:
                return MethodNotImplementedError(self.name)
            case _:
                return InternalError()


@dataclass(frozen=True, slots=True, kw_only=True)
class Backends:
    """All of them."""

    pricing: Backend[pricing_grpc.PricingServiceStub]
    registry: Backend[registry_grpc.RegistryServiceStub]
    health: Backend[health_grpc.HealthServiceStub]
    router: Backend[router_grpc.RoutingServiceStub]
    keys: Backend[key_grpc.KeyServiceStub]
    """Of the router too."""

    @property
    def by_name(self) -> Mapping[str, Backend[Any]]:
        """Each service, to be asked whether it is ready."""
        return {
            "pricing": self.pricing,
            "registry": self.registry,
            "health": self.health,
            "router": self.router,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendAddresses:
    """Where each service is dialled."""

    pricing: Address
    registry: Address
    health: Address
    router: Address


async def open_backends(
    addresses: BackendAddresses,
    *,
    telemetry: Telemetry,
    timeout_seconds: float,
    resources: AsyncExitStack,
) -> Backends:
    """Return stubs on channels that `resources` closes."""

    async def opened(
        service: ServiceDescriptor,
        address: Address,
        stub: Callable[[grpc.aio.Channel], StubT],
        unavailable: Unavailable,
    ) -> Backend[StubT]:
        channel = await resources.enter_async_context(
            open_channel(address, [service], telemetry=telemetry, timeout_seconds=timeout_seconds)
        )
        return Backend(
            name=service.name,
            stub=stub(channel),
            channel=channel,
            unavailable=unavailable,
            timeout_seconds=timeout_seconds,
        )

    return Backends(
        pricing=await opened(
            pricing_pb.DESCRIPTOR.services_by_name["PricingService"],
            addresses.pricing,
            pricing_grpc.PricingServiceStub,
            PricingUnavailableError,
        ),
        registry=await opened(
            registry_pb.DESCRIPTOR.services_by_name["RegistryService"],
            addresses.registry,
            registry_grpc.RegistryServiceStub,
            RegistryUnavailableError,
        ),
        health=await opened(
            health_pb.DESCRIPTOR.services_by_name["HealthService"],
            addresses.health,
            health_grpc.HealthServiceStub,
            HealthUnavailableError,
        ),
        router=await opened(
            router_pb.DESCRIPTOR.services_by_name["RoutingService"],
            addresses.router,
            router_grpc.RoutingServiceStub,
            RouterUnavailableError,
        ),
        keys=await opened(
            key_pb.DESCRIPTOR.services_by_name["KeyService"],
            addresses.router,
            key_grpc.KeyServiceStub,
            RouterUnavailableError,
        ),
    )
