"""EchoService: a small service of our own, described at run time, for tests of the machinery."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
from google.api import field_behavior_pb2
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.message import Message

from steelyard.common.v1 import access_pb2

PACKAGE = "steelyard.testing.v1"
SERVICE = f"{PACKAGE}.EchoService"
UNGUARDED_SERVICE = f"{PACKAGE}.UnguardedService"

Context = grpc.aio.ServicerContext[Any, Any]
_Field = descriptor_pb2.FieldDescriptorProto


def _field(  # noqa: PLR0913 - a builder of descriptors has as many knobs as they have
    message: descriptor_pb2.DescriptorProto,
    name: str,
    kind: "_Field.Type.ValueType" = _Field.TYPE_STRING,
    *,
    required: bool = False,
    repeated: bool = False,
    type_name: str = "",
) -> None:
    field = message.field.add(
        name=name,
        number=len(message.field) + 1,
        type=kind,
        label=_Field.LABEL_REPEATED if repeated else _Field.LABEL_OPTIONAL,
        type_name=f".{PACKAGE}.{type_name}" if type_name else None,
    )
    if required:
        extension: Any = field_behavior_pb2.field_behavior
        behaviors: Any = field.options.Extensions[extension]
        behaviors.append(field_behavior_pb2.REQUIRED)


def _method(
    service: descriptor_pb2.ServiceDescriptorProto,
    name: str,
    scope: "access_pb2.Scope.ValueType" = access_pb2.SCOPE_READ,
    *,
    streams: bool = False,
    reads: bool = False,
) -> None:
    method = service.method.add(
        name=name,
        input_type=f".{PACKAGE}.EchoRequest",
        output_type=f".{PACKAGE}.EchoResponse",
        server_streaming=streams,
    )
    if scope != access_pb2.SCOPE_UNSPECIFIED:
        method.options.Extensions[access_pb2.required_scope] = scope
    if reads:
        method.options.idempotency_level = descriptor_pb2.MethodOptions.NO_SIDE_EFFECTS


def _file() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(
        name="steelyard/testing/v1/echo.proto",
        package=PACKAGE,
        syntax="proto3",
        dependency=["google/api/field_behavior.proto", "steelyard/common/v1/access.proto"],
    )
    part = file.message_type.add(name="Part")
    _field(part, "model", required=True)
    _field(part, "note")
    _field(part, "parts", _Field.TYPE_MESSAGE, repeated=True, type_name="Part")
    request = file.message_type.add(name="EchoRequest")
    _field(request, "text", required=True)
    _field(request, "count", _Field.TYPE_INT64)
    _field(request, "part", _Field.TYPE_MESSAGE, type_name="Part")
    _field(request, "parts", _Field.TYPE_MESSAGE, repeated=True, type_name="Part")
    entry = request.nested_type.add(name="NamedEntry", options={"map_entry": True})
    _field(entry, "key")
    _field(entry, "value", _Field.TYPE_MESSAGE, type_name="Part")
    _field(request, "named", _Field.TYPE_MESSAGE, repeated=True, type_name="EchoRequest.NamedEntry")
    response = file.message_type.add(name="EchoResponse")
    _field(response, "text")
    service = file.service.add(name="EchoService")
    _method(service, "Echo", reads=True)
    _method(service, "Write")
    _method(service, "Count", streams=True)
    _method(service, "Operate", access_pb2.SCOPE_ADMIN)
    _method(service, "Later")
    _method(service, "LaterToo", streams=True)
    _method(file.service.add(name="UnguardedService"), "Open", access_pb2.SCOPE_UNSPECIFIED)
    return file


def _described() -> None:
    pool = descriptor_pool.Default()
    try:
        pool.FindServiceByName(SERVICE)
    except KeyError:
        pool.AddSerializedFile(_file().SerializeToString())


def service_descriptor(name: str = SERVICE) -> ServiceDescriptor:
    _described()
    return descriptor_pool.Default().FindServiceByName(name)


def _message_class(name: str) -> type[Message]:
    _described()
    descriptor = descriptor_pool.Default().FindMessageTypeByName(f"{PACKAGE}.{name}")
    return message_factory.GetMessageClass(descriptor)


def echo_request(**fields: Any) -> Any:
    """Return an EchoRequest; `text` is required and given unless set otherwise."""
    return _message_class("EchoRequest")(**({"text": "hello"} | fields))


def echo_response(text: str) -> Any:
    return _message_class("EchoResponse")(text=text)


class EchoServicer:
    """Answers by calling what the test gives; shaped like a generated base class."""

    def __init__(
        self,
        answer: Callable[[Any, Context], Awaitable[Any]] | None = None,
        stream: Callable[[Any, Context], AsyncIterator[Any]] | None = None,
    ) -> None:
        self._answer = answer
        self._stream = stream
        self.calls = 0

    async def Echo(self, request: Any, context: Context) -> Any:
        self.calls += 1
        if self._answer is not None:
            return await self._answer(request, context)
        return echo_response(request.text)

    Write = Echo
    Operate = Echo

    async def Count(self, request: Any, context: Context) -> AsyncIterator[Any]:
        if self._stream is not None:
            async for response in self._stream(request, context):
                yield response
            return
        for number in range(request.count):
            yield echo_response(str(number))

    def Later(self, request: Any, context: Context) -> Any:
        """Fail as generated base classes do."""
        context.set_code(grpc.StatusCode.UNIMPLEMENTED)
        context.set_details("Method not implemented!")
        raise NotImplementedError("Method not implemented!")

    LaterToo = Later

    async def Open(self, request: Any, context: Context) -> Any:
        raise AssertionError("a method without a scope was served")


def add_echo_to_server(servicer: EchoServicer, server: grpc.aio.Server) -> None:
    """Register like generated code does."""
    _register(SERVICE, servicer, server)


def add_unguarded_to_server(servicer: EchoServicer, server: grpc.aio.Server) -> None:
    _register(UNGUARDED_SERVICE, servicer, server)


def _register(name: str, servicer: EchoServicer, server: grpc.aio.Server) -> None:
    handlers: dict[str, Any] = {}
    for method in service_descriptor(name).methods:
        build: Any = (
            grpc.unary_stream_rpc_method_handler
            if method.server_streaming
            else grpc.unary_unary_rpc_method_handler
        )
        handlers[method.name] = build(
            getattr(servicer, method.name),
            request_deserializer=_message_class("EchoRequest").FromString,
            response_serializer=_message_class("EchoResponse").SerializeToString,
        )
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, handlers),))
    server.add_registered_method_handlers(name, handlers)


class EchoStub:
    """Calls EchoService; shaped like a generated stub."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        for method in service_descriptor().methods:
            build: Any = channel.unary_stream if method.server_streaming else channel.unary_unary
            multicallable = build(
                f"/{SERVICE}/{method.name}",
                request_serializer=_message_class("EchoRequest").SerializeToString,
                response_deserializer=_message_class("EchoResponse").FromString,
                _registered_method=True,
            )
            setattr(self, method.name, multicallable)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)
