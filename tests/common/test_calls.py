"""What happens around every call, seen by a client of a real server."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import grpc
import pytest
from structlog.testing import capture_logs

from steelyard.common.v1 import access_pb2
from steelyard.common.v1 import error_reason_pb2 as reasons
from steelyard_common.access import UndeclaredScopeError
from steelyard_common.address import Address
from steelyard_common.call_failure import CallFailure
from steelyard_common.call_limits import CallLimits
from steelyard_common.errors import ModelNotFoundError, PriceNotFoundError
from steelyard_common.grpc_status import failure
from steelyard_common.request_id import current_request_id
from steelyard_common.server import Server
from steelyard_common.telemetry import Telemetry
from steelyard_common.tenant import (
    ANONYMOUS,
    Authenticator,
    RejectingAuthenticator,
    TenantContext,
    current_tenant,
)
from tests.conftest import Serve
from tests.echo import (
    Context,
    EchoServicer,
    EchoStub,
    add_echo_to_server,
    add_unguarded_to_server,
    echo_request,
    echo_response,
)


class OneKeyAuthenticator:
    """Knows one tenant, whose key may only read."""

    async def authenticate(self, metadata: Mapping[str, str]) -> TenantContext:
        return TenantContext(
            metadata["x-key"], "main", frozenset({access_pb2.SCOPE_READ}), key_id="key_1"
        )


async def failed(call: Any) -> CallFailure:
    """Return how a unary or streaming call fails."""
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await (call.read() if hasattr(call, "read") else call)
    return failure(raised.value)


async def trailing(call: Any) -> dict[str, str | bytes]:
    return dict(await call.trailing_metadata())


async def test_an_answer_passes_through(serve: Serve) -> None:
    stub = EchoStub(await serve(add_echo_to_server, EchoServicer()))

    assert (await stub.Echo(echo_request(text="hi"), timeout=5)).text == "hi"


async def test_a_stream_passes_through(serve: Serve) -> None:
    stub = EchoStub(await serve(add_echo_to_server, EchoServicer()))

    assert [r.text async for r in stub.Count(echo_request(count=3), timeout=5)] == ["0", "1", "2"]


async def test_a_sane_request_id_of_the_caller_is_kept(serve: Serve) -> None:
    seen: list[str | None] = []

    async def answer(_request: Any, _context: Context) -> Any:
        seen.append(current_request_id())
        return echo_response("")

    stub = EchoStub(await serve(add_echo_to_server, EchoServicer(answer)))
    call = stub.Echo(echo_request(), timeout=5, metadata=(("x-request-id", "abc-123"),))
    await call

    assert seen == ["abc-123"]
    assert (await trailing(call))["x-request-id"] == "abc-123"


@pytest.mark.parametrize("candidate", ["", "a b", "x" * 129, 'a"b', "-starts-odd", "{}"])
async def test_an_odd_request_id_is_replaced(serve: Serve, candidate: str) -> None:
    stub = EchoStub(await serve(add_echo_to_server, EchoServicer()))

    call = stub.Echo(echo_request(), timeout=5, metadata=(("x-request-id", candidate),))
    await call

    assert str((await trailing(call))["x-request-id"]).startswith("req_")


async def test_two_calls_have_two_request_ids(serve: Serve) -> None:
    stub = EchoStub(await serve(add_echo_to_server, EchoServicer()))
    calls = [stub.Echo(echo_request(), timeout=5) for _ in range(2)]
    await asyncio.gather(*calls)

    assert len({(await trailing(call))["x-request-id"] for call in calls}) == 2


async def test_without_auth_the_caller_is_the_local_tenant(serve: Serve) -> None:
    seen: list[TenantContext] = []

    async def answer(_request: Any, _context: Context) -> Any:
        seen.append(current_tenant())
        return echo_response("")

    stub = EchoStub(await serve(add_echo_to_server, EchoServicer(answer)))
    await stub.Operate(echo_request(), timeout=5)

    assert seen == [ANONYMOUS]


async def test_the_tenant_is_the_authenticated_one(serve: Serve) -> None:
    async def answer(_request: Any, _context: Context) -> Any:
        return echo_response(current_tenant().tenant_id)

    channel = await serve(
        add_echo_to_server, EchoServicer(answer), authenticator=OneKeyAuthenticator()
    )
    request = echo_request(text="tenant_id: somebody else")

    response = await EchoStub(channel).Echo(request, timeout=5, metadata=(("x-key", "acme"),))

    assert response.text == "acme"


async def test_concurrent_calls_keep_their_tenants_apart(serve: Serve) -> None:
    everybody_is_in = asyncio.Barrier(8)

    async def answer(_request: Any, _context: Context) -> Any:
        async with everybody_is_in:
            return echo_response(current_tenant().tenant_id)

    channel = await serve(
        add_echo_to_server, EchoServicer(answer), authenticator=OneKeyAuthenticator()
    )
    names = [f"tenant-{number}" for number in range(8)]

    responses = await asyncio.gather(
        *(
            EchoStub(channel).Echo(echo_request(), timeout=5, metadata=(("x-key", name),))
            for name in names
        )
    )

    assert [response.text for response in responses] == names


async def test_a_scope_that_the_key_lacks_is_refused(serve: Serve) -> None:
    servicer = EchoServicer()
    stub = EchoStub(await serve(add_echo_to_server, servicer, authenticator=OneKeyAuthenticator()))

    seen = await failed(stub.Operate(echo_request(), timeout=5, metadata=(("x-key", "acme"),)))

    assert seen.code is grpc.StatusCode.PERMISSION_DENIED
    assert seen.reason == reasons.ERROR_REASON_SCOPE_MISSING
    assert seen.metadata == {
        "required_scope": "SCOPE_ADMIN",
        "method": "/steelyard.testing.v1.EchoService/Operate",
    }
    assert servicer.calls == 0


@pytest.mark.parametrize("method", ["Echo", "Count", "Later"])
async def test_with_auth_on_and_no_keys_known_nobody_gets_in(serve: Serve, method: str) -> None:
    authenticator: Authenticator = RejectingAuthenticator()
    stub = EchoStub(await serve(add_echo_to_server, EchoServicer(), authenticator=authenticator))

    seen = await failed(getattr(stub, method)(echo_request(), timeout=5))

    assert seen.code is grpc.StatusCode.UNAUTHENTICATED
    assert seen.reason == reasons.ERROR_REASON_UNAUTHENTICATED


async def test_an_authenticator_that_breaks_lets_nobody_in(serve: Serve) -> None:
    servicer = EchoServicer()
    stub = EchoStub(await serve(add_echo_to_server, servicer, authenticator=OneKeyAuthenticator()))

    with capture_logs():
        seen = await failed(stub.Echo(echo_request(), timeout=5))  # KeyError: no x-key

    assert (seen.code, servicer.calls) == (grpc.StatusCode.INTERNAL, 0)


def test_a_server_refuses_a_method_without_a_scope(telemetry: Telemetry) -> None:
    server = Server(Address("127.0.0.1", 0), telemetry=telemetry)

    with pytest.raises(UndeclaredScopeError, match=r"UnguardedService .* Open"):
        server.add(add_unguarded_to_server, EchoServicer())


async def test_missing_required_fields_are_all_named(serve: Serve) -> None:
    servicer = EchoServicer()
    stub = EchoStub(await serve(add_echo_to_server, servicer))
    request = echo_request(
        text="", part={}, parts=[{"model": "a"}, {"parts": [{}]}], named={"k": {}}
    )

    seen = await failed(stub.Echo(request, timeout=5))

    assert seen.code is grpc.StatusCode.INVALID_ARGUMENT
    assert {(v.field, v.problem) for v in seen.violations} == {
        ("text", "is required"),
        ("part.model", "is required"),
        ("parts[1].model", "is required"),
        ("parts[1].parts[0].model", "is required"),
        ("named['k'].model", "is required"),
    }
    assert servicer.calls == 0


async def test_an_error_before_the_first_message_of_a_stream_arrives(serve: Serve) -> None:
    async def stream(_request: Any, _context: Context) -> AsyncIterator[Any]:
        raise PriceNotFoundError("a/b")
        yield

    stub = EchoStub(await serve(add_echo_to_server, EchoServicer(stream=stream)))

    seen = await failed(stub.Count(echo_request(), timeout=5))

    assert seen.reason == reasons.ERROR_REASON_PRICE_NOT_FOUND


async def test_an_error_after_the_first_message_of_a_stream_arrives(serve: Serve) -> None:
    async def stream(_request: Any, _context: Context) -> AsyncIterator[Any]:
        yield echo_response("first")
        raise PriceNotFoundError("a/b")

    stub = EchoStub(await serve(add_echo_to_server, EchoServicer(stream=stream)))
    call = stub.Count(echo_request(), timeout=5)

    assert (await call.read()).text == "first"
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await call.read()
    assert failure(raised.value).reason == reasons.ERROR_REASON_PRICE_NOT_FOUND


@pytest.mark.parametrize("method", ["Echo", "Count"])
async def test_a_bug_is_logged_with_the_request_id_and_hidden(serve: Serve, method: str) -> None:
    async def answer(_request: Any, _context: Context) -> Any:
        raise RuntimeError("the password is hunter2")

    async def stream(_request: Any, _context: Context) -> AsyncIterator[Any]:
        raise RuntimeError("the password is hunter2")
        yield

    stub = EchoStub(await serve(add_echo_to_server, EchoServicer(answer, stream)))

    with capture_logs() as lines:
        call = getattr(stub, method)(
            echo_request(), timeout=5, metadata=(("x-request-id", "req-1"),)
        )
        seen = await failed(call)

    assert (seen.code, seen.message) == (grpc.StatusCode.INTERNAL, "internal error")
    assert (seen.reason, seen.metadata) == (reasons.ERROR_REASON_INTERNAL, {})
    assert seen.request_id == "req-1"
    assert [(line["event"], line["method"]) for line in lines] == [
        ("unhandled error", f"/steelyard.testing.v1.EchoService/{method}")
    ]
    assert isinstance(lines[0]["exc_info"], RuntimeError)


async def test_an_error_inside_a_task_group_is_unwrapped(serve: Serve) -> None:
    async def fail() -> None:
        raise ModelNotFoundError("gpt-9")

    async def answer(_request: Any, _context: Context) -> Any:
        async with asyncio.TaskGroup() as group:
            group.create_task(fail())

    stub = EchoStub(await serve(add_echo_to_server, EchoServicer(answer)))

    seen = await failed(stub.Echo(echo_request(), timeout=5))

    assert seen.reason == reasons.ERROR_REASON_MODEL_NOT_FOUND


@pytest.mark.parametrize("method", ["Later", "LaterToo"])
async def test_a_method_of_the_generated_base_is_unimplemented(serve: Serve, method: str) -> None:
    stub = EchoStub(await serve(add_echo_to_server, EchoServicer()))

    seen = await failed(getattr(stub, method)(echo_request(text=""), timeout=5))

    assert seen.code is grpc.StatusCode.UNIMPLEMENTED
    assert seen.reason == reasons.ERROR_REASON_NOT_IMPLEMENTED
    assert seen.metadata == {"method": f"/steelyard.testing.v1.EchoService/{method}"}


async def test_not_implemented_raised_by_a_bug_is_internal(serve: Serve) -> None:
    async def answer(request: Any, context: Context) -> Any:
        raise NotImplementedError

    stub = EchoStub(await serve(add_echo_to_server, EchoServicer(answer)))

    with capture_logs():
        seen = await failed(stub.Echo(echo_request(), timeout=5))

    assert seen.code is grpc.StatusCode.INTERNAL


async def test_a_method_that_the_server_does_not_know_is_unimplemented(serve: Serve) -> None:
    channel = await serve(add_echo_to_server, EchoServicer())
    call: Any = channel.unary_unary("/steelyard.router.v1.CompletionService/Complete")

    seen = await failed(call(b"", timeout=5))

    assert seen.reason == reasons.ERROR_REASON_NOT_IMPLEMENTED
    assert seen.metadata == {"method": "/steelyard.router.v1.CompletionService/Complete"}


async def test_a_call_without_a_deadline_gets_one(serve: Serve) -> None:
    async def answer(_request: Any, _context: Context) -> Any:
        await asyncio.Event().wait()

    limits = CallLimits(unary_deadline_seconds=0.02)
    stub = EchoStub(await serve(add_echo_to_server, EchoServicer(answer), limits=limits))

    seen = await failed(stub.Echo(echo_request()))

    assert seen.code is grpc.StatusCode.DEADLINE_EXCEEDED
    assert seen.reason == reasons.ERROR_REASON_DEADLINE_EXCEEDED


async def test_a_stream_without_a_deadline_gets_one(serve: Serve) -> None:
    async def stream(_request: Any, _context: Context) -> AsyncIterator[Any]:
        yield echo_response("first")
        await asyncio.Event().wait()

    limits = CallLimits(stream_deadline_seconds=0.02)
    stub = EchoStub(await serve(add_echo_to_server, EchoServicer(stream=stream), limits=limits))

    call = stub.Count(echo_request())

    assert (await call.read()).text == "first"
    assert (await failed(call)).reason == reasons.ERROR_REASON_DEADLINE_EXCEEDED


async def test_no_caller_gets_more_than_the_cap(serve: Serve) -> None:
    async def answer(_request: Any, _context: Context) -> Any:
        await asyncio.Event().wait()

    limits = CallLimits(max_deadline_seconds=0.02)
    stub = EchoStub(await serve(add_echo_to_server, EchoServicer(answer), limits=limits))

    seen = await failed(stub.Echo(echo_request(), timeout=3600))

    assert seen.reason == reasons.ERROR_REASON_DEADLINE_EXCEEDED


async def test_a_timeout_inside_a_handler_is_not_the_deadline(serve: Serve) -> None:
    async def answer(_request: Any, _context: Context) -> Any:
        raise TimeoutError

    stub = EchoStub(await serve(add_echo_to_server, EchoServicer(answer)))

    with capture_logs():
        seen = await failed(stub.Echo(echo_request()))

    assert seen.code is grpc.StatusCode.INTERNAL


@pytest.mark.parametrize("method", ["Echo", "Count"])
async def test_a_cancelled_call_cancels_its_handler(serve: Serve, method: str) -> None:
    started, cancelled = asyncio.Event(), asyncio.Event()

    async def wait_for_ever() -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    async def answer(_request: Any, _context: Context) -> Any:
        await wait_for_ever()

    async def stream(_request: Any, _context: Context) -> AsyncIterator[Any]:
        await wait_for_ever()
        yield

    stub = EchoStub(await serve(add_echo_to_server, EchoServicer(answer, stream)))
    call = getattr(stub, method)(echo_request(), timeout=60)
    await started.wait()

    call.cancel()

    async with asyncio.timeout(5):
        await cancelled.wait()


async def test_calls_beyond_the_limit_are_shed(serve: Serve) -> None:
    running, release = asyncio.Event(), asyncio.Event()

    async def answer(_request: Any, _context: Context) -> Any:
        running.set()
        await release.wait()
        return echo_response("served")

    limits = CallLimits(max_concurrent_calls=1)
    stub = EchoStub(await serve(add_echo_to_server, EchoServicer(answer), limits=limits))
    first = asyncio.ensure_future(_text(stub.Echo(echo_request(), timeout=5)))
    await running.wait()

    seen = await failed(stub.Echo(echo_request(), timeout=5))
    release.set()

    assert seen.reason == reasons.ERROR_REASON_OVERLOADED
    assert seen.retry_delay is not None
    assert await first == "served"
    assert await _text(stub.Echo(echo_request(), timeout=5)) == "served"


async def _text(call: Any) -> str:
    return str((await call).text)
