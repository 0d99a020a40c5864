"""Metrics and spans tell the status that the caller got, whatever way the call ended."""

import asyncio
import importlib.util
from collections.abc import AsyncIterator, Iterator
from typing import Any

import grpc
import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from structlog.testing import capture_logs

from steelyard_common.errors import PriceNotFoundError
from steelyard_common.telemetry import Telemetry
from tests.conftest import Serve
from tests.echo import (
    Context,
    EchoServicer,
    EchoStub,
    add_echo_to_server,
    echo_request,
    echo_response,
)

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def answer(request: Any, _context: Context) -> Any:
    if request.text == "missing":
        raise PriceNotFoundError("a/b")
    if request.text == "bug":
        raise RuntimeError("secret prompt")
    await asyncio.Event().wait()


async def stream(_request: Any, _context: Context) -> AsyncIterator[Any]:
    raise PriceNotFoundError("a/b")
    yield


@pytest.fixture
def spans() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def telemetry(spans: InMemorySpanExporter) -> Iterator[Telemetry]:
    telemetry = Telemetry.start("test", span_processor=SimpleSpanProcessor(spans))
    yield telemetry
    telemetry.close()


async def fail(call: Any) -> None:
    with pytest.raises(grpc.aio.AioRpcError):
        await (call.read() if hasattr(call, "read") else call)


def code_of(span: ReadableSpan) -> Any:
    return (span.attributes or {})["rpc.grpc.status_code"]


async def finished(spans: InMemorySpanExporter, count: int) -> tuple[ReadableSpan, ...]:
    """Wait for spans, which end after their caller has the answer; return them by their start."""
    async with asyncio.timeout(5):
        while len(ended := spans.get_finished_spans()) < count:  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0)
    return tuple(sorted(ended, key=lambda span: span.start_time or 0))


def counted(telemetry: Telemetry, method: str, status: str) -> bool:
    return any(
        line.startswith("rpc_server_call_duration_seconds_count")
        and f'rpc_method="{method}"' in line
        and f'rpc_response_status_code="{status}"' in line
        and line.endswith(" 1.0")
        for line in telemetry.prometheus_text().decode().splitlines()
    )


async def test_every_outcome_is_told_rightly(
    serve: Serve, telemetry: Telemetry, spans: InMemorySpanExporter
) -> None:
    stub = EchoStub(await serve(add_echo_to_server, EchoServicer(answer, stream)))

    with capture_logs():
        await fail(stub.Echo(echo_request(text="missing"), timeout=5))
        await fail(stub.Write(echo_request(text="bug"), timeout=5))
        await fail(stub.Count(echo_request(), timeout=5))
        await fail(stub.Operate(echo_request(text=""), timeout=5))
        await fail(stub.Later(echo_request(), timeout=5))

    told = [(span.name.rpartition("/")[2], code_of(span)) for span in await finished(spans, 5)]
    assert told == [("Echo", 5), ("Write", 13), ("Count", 5), ("Operate", 3), ("Later", 12)]
    await asyncio.sleep(0)  # the last call is measured just after its span
    assert counted(telemetry, "Echo", "NOT_FOUND")
    assert counted(telemetry, "Write", "INTERNAL")
    assert counted(telemetry, "Count", "NOT_FOUND")
    assert counted(telemetry, "Operate", "INVALID_ARGUMENT")
    assert counted(telemetry, "Later", "UNIMPLEMENTED")


async def test_only_faults_of_the_server_are_errors_of_the_span(
    serve: Serve, spans: InMemorySpanExporter
) -> None:
    stub = EchoStub(await serve(add_echo_to_server, EchoServicer(answer)))

    with capture_logs():
        await fail(stub.Echo(echo_request(text="missing"), timeout=5))
        await fail(stub.Echo(echo_request(text="bug"), timeout=5))

    missing, bug = await finished(spans, 2)
    assert missing.status.status_code is StatusCode.UNSET
    assert bug.status.status_code is StatusCode.ERROR


async def test_a_span_continues_the_trace_and_holds_no_text_of_the_request(
    serve: Serve, spans: InMemorySpanExporter
) -> None:
    stub = EchoStub(await serve(add_echo_to_server, EchoServicer(answer)))

    with capture_logs():
        await fail(
            stub.Echo(echo_request(text="bug"), timeout=5, metadata=(("traceparent", TRACE),))
        )

    [span] = await finished(spans, 1)
    assert span.kind is SpanKind.SERVER
    assert span.parent is not None
    assert f"{span.parent.trace_id:032x}" == TRACE.split("-")[1]
    assert span.events == ()
    assert "secret prompt" not in span.to_json()


async def test_an_odd_trace_header_starts_a_new_trace(
    serve: Serve, spans: InMemorySpanExporter
) -> None:
    stub = EchoStub(await serve(add_echo_to_server, EchoServicer()))

    await stub.Echo(echo_request(), timeout=5, metadata=(("traceparent", "garbage"),))

    assert (await finished(spans, 1))[0].parent is None


async def test_a_cancelled_call_is_told_as_cancelled(serve: Serve, telemetry: Telemetry) -> None:
    started = asyncio.Event()

    async def wait(request: Any, _context: Context) -> Any:
        if request.text == "done":
            return echo_response("")
        started.set()
        return await asyncio.Event().wait()

    stub = EchoStub(await serve(add_echo_to_server, EchoServicer(wait)))
    call = stub.Echo(echo_request(), timeout=60)
    await started.wait()
    call.cancel()
    await stub.Write(echo_request(text="done"), timeout=5)

    assert counted(telemetry, "Echo", "CANCELLED")


def test_a_named_collector_without_its_package_is_one_warning(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if importlib.util.find_spec("opentelemetry.exporter.otlp"):
        pytest.skip("the exporter is installed here")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4317")

    with capture_logs() as lines:
        telemetry = Telemetry.start("test")
        telemetry.close()

    assert [line["event"] for line in lines] == [
        "nothing is exported: install opentelemetry-exporter-otlp-proto-grpc"
    ]
    assert telemetry.tracer is None


def test_two_services_in_one_process_do_not_share_metrics() -> None:
    first, second = Telemetry.start("first"), Telemetry.start("second")
    first.call_recorder("a.B", "C")(grpc.StatusCode.OK, 0.1)

    assert counted(first, "C", "OK")
    assert not counted(second, "C", "OK")
    first.close()
    second.close()
