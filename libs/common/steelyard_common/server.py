"""A gRPC server with health, reflection and guarded calls, that stops gracefully."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Protocol, TypeVar, cast

import grpc
import structlog
from google.protobuf import descriptor_pool
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from steelyard_common.address import Address
from steelyard_common.call_limits import MAX_MESSAGE_BYTES, CallLimits
from steelyard_common.calls import CallGuard, Handler
from steelyard_common.telemetry import Telemetry
from steelyard_common.tenant import AnonymousAuthenticator, Authenticator

OWN_PACKAGES = "/steelyard."
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING

S = TypeVar("S")

logger = structlog.get_logger(__name__)


class AddressInUseError(Exception):
    """The server cannot listen where it should."""


class GrpcServerFactory(Protocol):
    """Makes the server that speaks HTTP/2: grpcio's, or a drop-in that runs the same handlers."""

    def __call__(self) -> grpc.aio.Server:
        """Return a server with nothing added yet."""


def grpcio_server() -> grpc.aio.Server:
    """Return grpcio's asyncio server with our transport options."""
    return grpc.aio.server(
        options=(
            ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
            ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
            # Two processes on one port would share its calls at random.
            ("grpc.so_reuseport", 0),
            ("grpc.keepalive_time_ms", 30_000),
            ("grpc.keepalive_timeout_ms", 10_000),
            ("grpc.keepalive_permit_without_calls", 1),
            # Our channels ping each 30 s; the default of five minutes would cut them off.
            ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
        )
    )


class Server:
    """Serves our services at one address: NOT_SERVING until told otherwise."""

    def __init__(
        self,
        address: Address,
        *,
        telemetry: Telemetry,
        authenticator: Authenticator | None = None,
        limits: CallLimits | None = None,
        factory: GrpcServerFactory = grpcio_server,
    ) -> None:
        """Bind nothing yet.

        Args:
            address: Where to listen; port 0 takes a free one.
            telemetry: Of the process.
            authenticator: Who callers are; by default everybody is the local tenant.
            limits: Deadlines and concurrency.
            factory: The server underneath.
        """
        self._address = address
        self._grpc = factory()
        self._health = health.aio.HealthServicer()
        self._guard = CallGuard(
            authenticator=authenticator or AnonymousAuthenticator(),
            telemetry=telemetry,
            limits=limits or CallLimits(),
        )
        self._names: list[str] = []
        self.port = 0
        self.draining = asyncio.Event()
        """Set when the server is about to stop: endless streams end themselves."""

    def add(self, register: Callable[[S, grpc.aio.Server], None], servicer: S) -> None:
        """Serve `servicer`; `register` is the generated `add_..._to_server`.

        Raises:
            UndeclaredScopeError: A method does not declare who may call it.
        """
        registrar = _Registrar()
        register(servicer, cast("grpc.aio.Server", registrar))
        for name, handlers in registrar.services.items():
            service = descriptor_pool.Default().FindServiceByName(name)
            guarded = self._guard.wrap(service, handlers)
            generic = grpc.method_handlers_generic_handler(name, guarded)
            self._grpc.add_generic_rpc_handlers((generic,))
            self._grpc.add_registered_method_handlers(name, guarded)
            self._names.append(name)

    async def start(self) -> None:
        """Listen, without being ready.

        Raises:
            AddressInUseError: Another process listens there.
        """
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._grpc)
        infrastructure = [health.SERVICE_NAME, reflection.SERVICE_NAME]
        reflection.enable_server_reflection([*self._names, *infrastructure], self._grpc)
        self._grpc.add_generic_rpc_handlers((_Unserved(self._guard),))
        await self.set_serving(serving=False)
        try:
            self.port = self._grpc.add_insecure_port(self._address.target)
            await self._grpc.start()
        except RuntimeError as error:
            raise AddressInUseError(
                f"cannot listen on {self._address}: another process does, "
                "or the address is not of this machine"
            ) from error

    async def set_serving(self, *, serving: bool) -> None:
        """Tell health checks, overall and per service."""
        for name in ["", *self._names]:
            await self._health.set(name, SERVING if serving else NOT_SERVING)

    async def stop(self, grace_seconds: float) -> None:
        """Fail health checks, let calls in flight finish, then cut what is left."""
        self.draining.set()
        await self._health.enter_graceful_shutdown()
        with suppress(asyncio.InvalidStateError):  # never started
            await self._grpc.stop(grace_seconds)


class _Registrar:
    """Stands in for a server, to get at the handlers that generated code registers."""

    def __init__(self) -> None:
        self.services: dict[str, Mapping[str, Handler]] = {}

    def add_generic_rpc_handlers(self, handlers: Any) -> None:
        """Ignore the handlers, which come once more with their names."""

    def add_registered_method_handlers(
        self, service_name: str, method_handlers: Mapping[str, Handler]
    ) -> None:
        self.services[service_name] = method_handlers


class _Unserved(grpc.GenericRpcHandler):
    """Answers for methods of our contract that this process does not serve."""

    def __init__(self, guard: CallGuard) -> None:
        self._guard = guard

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> "Handler | None":
        method = handler_call_details.method
        return self._guard.unserved(method) if method.startswith(OWN_PACKAGES) else None
