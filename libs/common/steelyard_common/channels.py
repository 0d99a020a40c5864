"""Channels to other services: retries of reads, quick reconnects, ids and traces passed on."""

import json
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Protocol, Self, cast

import grpc
from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.descriptor_pb2 import MethodOptions

from steelyard_common.address import Address
from steelyard_common.call_limits import MAX_MESSAGE_BYTES
from steelyard_common.request_id import HEADER as REQUEST_ID_KEY
from steelyard_common.request_id import current_request_id

DEFAULT_TIMEOUT_SECONDS = 10.0

_RETRY_POLICY = {
    "maxAttempts": 3,
    "initialBackoff": "0.02s",
    "maxBackoff": "0.1s",
    "backoffMultiplier": 2,
    "retryableStatusCodes": ["UNAVAILABLE"],
}


class TraceSource(Protocol):
    """Knows the trace that a call belongs to."""

    def trace_headers(self) -> dict[str, str]:
        """Return the headers that continue it in another service."""


def open_channel(
    address: Address | str,
    services: Sequence[ServiceDescriptor],
    *,
    telemetry: TraceSource | None = None,
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
) -> grpc.aio.Channel:
    """Return a channel for stubs of `services`; close it, or use it as a context manager.

    Args:
        address: An Address or any gRPC target.
        services: What will be called, e.g. `pb.DESCRIPTOR.services_by_name["PricingService"]`.
        telemetry: Of the process; None when it begins no traces.
        timeout_seconds: For unary calls that pass no `timeout=` of their own.
    """
    plain = grpc.aio.insecure_channel(
        str(address),
        options=(
            ("grpc.service_config", service_config(services)),
            ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
            ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
            ("grpc.keepalive_time_ms", 30_000),
            ("grpc.keepalive_timeout_ms", 10_000),
            ("grpc.keepalive_permit_without_calls", 1),
            # A restarted dependency is used again within two seconds.
            ("grpc.initial_reconnect_backoff_ms", 100),
            ("grpc.min_reconnect_backoff_ms", 5_000),  # bounds an attempt, not the wait before it
            ("grpc.max_reconnect_backoff_ms", 2_000),
            ("grpc.dns_min_time_between_resolutions_ms", 2_000),
        ),
    )
    return _TracedChannel(plain, telemetry, timeout_seconds)


def service_config(services: Sequence[ServiceDescriptor]) -> str:
    """Return gRPC's service config: reads are repeated, nothing else ever is.

    There is no `timeout` in it: gRPC for Python adds about a second to those.
    """
    reads = [
        {"service": service.full_name, "method": method.name}
        for service in services
        for method in service.methods
        if method.GetOptions().idempotency_level == MethodOptions.NO_SIDE_EFFECTS
    ]
    config: dict[str, object] = {
        "loadBalancingConfig": [{"round_robin": {}}],
        "retryThrottling": {"maxTokens": 10, "tokenRatio": 0.1},
    }
    if reads:
        config["methodConfig"] = [{"name": reads, "retryPolicy": _RETRY_POLICY}]
    return json.dumps(config)


class _TracedChannel(grpc.aio.Channel):
    """Adds metadata and a timeout to calls.

    Not client interceptors: with those, grpc.aio runs each call in a task of its own.
    """

    def __init__(
        self, channel: grpc.aio.Channel, telemetry: TraceSource | None, timeout_seconds: float
    ) -> None:
        self._channel = channel
        self._telemetry = telemetry
        self._timeout_seconds = timeout_seconds

    async def close(self, grace: float | None = None) -> None:
        await self._channel.close(grace)

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:  # noqa: FBT001, FBT002
        return self._channel.get_state(try_to_connect)

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        await self._channel.wait_for_state_change(last_observed_state)

    async def channel_ready(self) -> None:
        await self._channel.channel_ready()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        await self.close()

    def unary_unary(self, *args: Any, **kwargs: Any) -> grpc.aio.UnaryUnaryMultiCallable[Any, Any]:
        call = self._with_metadata(self._channel.unary_unary(*args, **kwargs))
        default = self._timeout_seconds

        def start(request: Any, *, timeout: float | None = None, **options: Any) -> Any:
            return call(request, timeout=default if timeout is None else timeout, **options)

        return cast("grpc.aio.UnaryUnaryMultiCallable[Any, Any]", start)

    def unary_stream(
        self, *args: Any, **kwargs: Any
    ) -> grpc.aio.UnaryStreamMultiCallable[Any, Any]:
        return cast(
            "grpc.aio.UnaryStreamMultiCallable[Any, Any]",
            self._with_metadata(self._channel.unary_stream(*args, **kwargs)),
        )

    def stream_unary(
        self, *args: Any, **kwargs: Any
    ) -> grpc.aio.StreamUnaryMultiCallable[Any, Any]:
        return cast(
            "grpc.aio.StreamUnaryMultiCallable[Any, Any]",
            self._with_metadata(self._channel.stream_unary(*args, **kwargs)),
        )

    def stream_stream(
        self, *args: Any, **kwargs: Any
    ) -> grpc.aio.StreamStreamMultiCallable[Any, Any]:
        return cast(
            "grpc.aio.StreamStreamMultiCallable[Any, Any]",
            self._with_metadata(self._channel.stream_stream(*args, **kwargs)),
        )

    def _with_metadata(self, callable_: Callable[..., Any]) -> Callable[..., Any]:
        def start(
            request: Any = None,
            *,
            metadata: Sequence[tuple[str, str]] | None = None,
            **options: Any,
        ) -> Any:
            return callable_(request, metadata=self._metadata(metadata or ()), **options)

        return start

    def _metadata(self, given: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
        added = self._telemetry.trace_headers() if self._telemetry is not None else {}
        request_id = current_request_id()
        if request_id is not None:
            added[REQUEST_ID_KEY] = request_id
        for key, _ in given:
            added.pop(key, None)
        return (*given, *added.items())
