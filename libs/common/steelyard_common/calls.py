"""What happens around every call: id, caller, checks, deadline, errors, telemetry.

Handlers are wrapped once, when a service is added, instead of by `grpc.aio.ServerInterceptor`s,
which rebuild their chain on every call.
"""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeAlias, cast

import grpc
import structlog
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message
from grpc import StatusCode

from steelyard.common.v1.access_pb2 import Scope
from steelyard_common.access import required_scopes
from steelyard_common.call_limits import CallLimits
from steelyard_common.deadlines import server_limit
from steelyard_common.errors import (
    DeadlineExceededError,
    InternalError,
    MethodNotImplementedError,
    OverloadedError,
    ScopeMissingError,
    SteelyardError,
)
from steelyard_common.grpc_status import status_code, to_message, to_metadata
from steelyard_common.request_id import HEADER as REQUEST_ID_KEY
from steelyard_common.request_id import accept_or_mint, set_current_request_id
from steelyard_common.required_fields import RequiredFields
from steelyard_common.telemetry import RecordCall, Telemetry
from steelyard_common.tenant import Authenticator, set_current_tenant

SHED_RETRY_DELAY = timedelta(milliseconds=50)

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"  # not generic at run time
Answer = Callable[[Any, Context], Awaitable[Any]]

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Method:
    name: str
    scope: "Scope.ValueType"
    check: Callable[[Message], None]
    deadline_seconds: float
    record: RecordCall


class CallGuard:
    """Wraps the handlers of a service with everything that is the same for all of them."""

    def __init__(
        self, *, authenticator: Authenticator, telemetry: Telemetry, limits: CallLimits
    ) -> None:
        self._authenticator = authenticator
        self._telemetry = telemetry
        self._limits = limits
        self._required_fields = RequiredFields()
        self._running = 0

    def wrap(
        self, service: ServiceDescriptor, handlers: Mapping[str, Handler]
    ) -> dict[str, Handler]:
        """Return guarded handlers.

        Raises:
            UndeclaredScopeError: A method does not declare who may call it.
        """
        scopes = required_scopes(service)
        return {
            name: self._wrapped(service.methods_by_name[name], scopes[name], handler)
            for name, handler in handlers.items()
        }

    def unserved(self, method: str) -> Handler:
        """Return a handler for a method that no service of this server has."""

        async def refuse(request: Any, context: Context) -> None:
            del request
            request_id = _begin(_text_metadata(context), context)
            await _abort(context, MethodNotImplementedError(method), request_id)

        return grpc.unary_unary_rpc_method_handler(cast("Any", refuse))

    def _wrapped(
        self, descriptor: MethodDescriptor, scope: "Scope.ValueType", handler: Handler
    ) -> Handler:
        if handler.request_streaming:
            raise NotImplementedError(
                f"{descriptor.full_name} streams requests, which is not guarded"
            )
        behavior = handler.unary_stream if handler.response_streaming else handler.unary_unary
        service = descriptor.containing_service.full_name
        method = _Method(
            name=f"/{service}/{descriptor.name}",
            scope=scope,
            check=self._checker(descriptor, behavior),
            deadline_seconds=(
                self._limits.stream_deadline_seconds
                if handler.response_streaming
                else self._limits.unary_deadline_seconds
            ),
            record=self._telemetry.call_recorder(service, descriptor.name),
        )
        answer = _pump(behavior) if handler.response_streaming else cast("Answer", behavior)
        build = (
            grpc.unary_stream_rpc_method_handler
            if handler.response_streaming
            else grpc.unary_unary_rpc_method_handler
        )
        guarded: Any = self._guarded(method, answer)
        return build(guarded, handler.request_deserializer, handler.response_serializer)

    def _checker(self, descriptor: MethodDescriptor, behavior: Any) -> Callable[[Message], None]:
        if _is_asynchronous(behavior):
            return self._required_fields.checker(descriptor.input_type)
        # The generated base class: it is not served at all, whatever is in the request.
        return lambda _message: None

    def _guarded(self, method: _Method, answer: Answer) -> Answer:
        telemetry = self._telemetry

        async def handle(request: Any, context: Context) -> Any:
            started = time.perf_counter()
            metadata = _text_metadata(context)
            request_id = _begin(metadata, context)
            code = StatusCode.UNKNOWN
            self._running += 1
            try:
                with telemetry.server_span(method.name, metadata) as span:
                    try:
                        response = await self._answer(method, answer, request, context, metadata)
                    except asyncio.CancelledError:
                        code = _cancelled_code(context)
                        raise
                    except grpc.aio.AbortError:
                        raise
                    except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets a status
                        shown = _shown(error, method, context)
                        code = status_code(shown)
                        await _abort(context, shown, request_id)
                    else:
                        code = StatusCode.OK
                        return response
                    finally:
                        span.finish(code)
            finally:
                self._running -= 1
                method.record(code, time.perf_counter() - started)

        return handle

    async def _answer(
        self,
        method: _Method,
        answer: Answer,
        request: Any,
        context: Context,
        metadata: Mapping[str, str],
    ) -> Any:
        if self._running > self._limits.max_concurrent_calls:
            raise OverloadedError(SHED_RETRY_DELAY)
        tenant = await self._authenticator.authenticate(metadata)
        if not tenant.allows(method.scope):
            raise ScopeMissingError(Scope.Name(method.scope), method.name)
        set_current_tenant(tenant)
        method.check(request)
        limit = server_limit(
            context,
            default_seconds=method.deadline_seconds,
            max_seconds=self._limits.max_deadline_seconds,
        )
        if limit is None:
            return await answer(request, context)
        try:
            async with asyncio.timeout(limit) as timer:
                return await answer(request, context)
        except TimeoutError:
            if timer.expired():
                raise DeadlineExceededError from None
            raise


def _is_asynchronous(behavior: Any) -> bool:
    return inspect.iscoroutinefunction(behavior) or inspect.isasyncgenfunction(behavior)


def _pump(behavior: Any) -> Answer:
    """Return a coroutine function that writes what a streaming handler yields."""
    if inspect.iscoroutinefunction(behavior):
        return cast("Answer", behavior)

    async def pump(request: Any, context: Context) -> None:
        async with aclosing(behavior(request, context)) as responses:
            async for response in responses:
                await context.write(response)

    return pump


def _text_metadata(context: Context) -> dict[str, str]:
    pairs = context.invocation_metadata() or ()
    return {key: value for key, value in pairs if isinstance(value, str)}


def _begin(metadata: Mapping[str, str], context: Context) -> str:
    request_id = accept_or_mint(metadata.get(REQUEST_ID_KEY))
    set_current_request_id(request_id)
    context.set_trailing_metadata(((REQUEST_ID_KEY, request_id),))
    return request_id


async def _abort(context: Context, error: SteelyardError, request_id: str) -> None:
    # abort_with_status would replace the trailing metadata by the details alone.
    await context.abort(status_code(error), to_message(error), to_metadata(error, request_id))


def _cancelled_code(context: Context) -> StatusCode:
    left: float | None = context.time_remaining()
    return StatusCode.DEADLINE_EXCEEDED if left is not None and left <= 0 else StatusCode.CANCELLED


def _shown(error: Exception, method: _Method, context: Context) -> SteelyardError:
    """Return what the caller may see of an error; anything unexpected is logged and hidden."""
    if isinstance(error, SteelyardError):
        return error
    if isinstance(error, ExceptionGroup):  # from a TaskGroup
        expected, unexpected = error.split(SteelyardError)
        if expected is not None and unexpected is None:
            return _first_leaf(expected)
    if isinstance(error, NotImplementedError) and _says_unimplemented(context):
        return MethodNotImplementedError(method.name)
    logger.error("unhandled error", method=method.name, exc_info=error)
    return InternalError()


def _says_unimplemented(context: Context) -> bool:
    """Tell the generated base class, which sets the code, from a bug of ours."""
    code: object = context.code()
    return code in (StatusCode.UNIMPLEMENTED, StatusCode.UNIMPLEMENTED.value[0])


def _first_leaf(group: "ExceptionGroup[SteelyardError]") -> SteelyardError:
    first = group.exceptions[0]
    return _first_leaf(first) if isinstance(first, ExceptionGroup) else first
