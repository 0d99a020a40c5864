"""Channels between services: what is repeated, what is passed on, how fast they come back."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import grpc
import pytest

from steelyard_common.address import Address
from steelyard_common.channels import open_channel, service_config
from steelyard_common.deadlines import remaining
from steelyard_common.errors import HealthUnavailableError, NoHealthyOfferError, SteelyardError
from steelyard_common.request_id import set_current_request_id
from steelyard_common.server import Server
from steelyard_common.telemetry import Telemetry
from tests.conftest import LOOPBACK
from tests.echo import (
    SERVICE,
    Context,
    EchoServicer,
    EchoStub,
    add_echo_to_server,
    echo_request,
    echo_response,
    service_descriptor,
)


class Failing:
    """Fails so many calls with an error, then answers."""

    def __init__(self, error: SteelyardError, times: int) -> None:
        self._error = error
        self._left = times

    async def __call__(self, request: Any, context: Context) -> Any:
        if self._left > 0:
            self._left -= 1
            raise self._error
        return echo_response("served")


class Dependency:
    """A server with an EchoService, and a channel of ours to it."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry
        self.server = Server(LOOPBACK, telemetry=telemetry)

    async def start(self, servicer: EchoServicer, address: Address = LOOPBACK) -> None:
        self.server = Server(address, telemetry=self._telemetry)
        self.server.add(add_echo_to_server, servicer)
        await self.server.start()

    def channel(self, **options: Any) -> grpc.aio.Channel:
        address = Address("127.0.0.1", self.server.port)
        return open_channel(address, [service_descriptor()], telemetry=self._telemetry, **options)


@pytest.fixture
async def dependency(telemetry: Telemetry) -> AsyncIterator[Dependency]:
    dependency = Dependency(telemetry)
    yield dependency
    await dependency.server.stop(0)


def test_only_reads_have_a_retry_policy_and_nothing_has_a_timeout() -> None:
    config = json.loads(service_config([service_descriptor()]))

    [method_config] = config["methodConfig"]
    assert method_config["name"] == [{"service": SERVICE, "method": "Echo"}]
    assert method_config["retryPolicy"]["retryableStatusCodes"] == ["UNAVAILABLE"]
    assert "timeout" not in json.dumps(config)
    assert config["loadBalancingConfig"] == [{"round_robin": {}}]


async def test_a_read_is_repeated(dependency: Dependency) -> None:
    servicer = EchoServicer(Failing(HealthUnavailableError(), 2))
    await dependency.start(servicer)

    async with dependency.channel() as channel:
        assert (await EchoStub(channel).Echo(echo_request(), timeout=5)).text == "served"
    assert servicer.calls == 3


async def test_a_write_is_not_repeated(dependency: Dependency) -> None:
    servicer = EchoServicer(Failing(HealthUnavailableError(), 1))
    await dependency.start(servicer)

    async with dependency.channel() as channel:
        with pytest.raises(grpc.aio.AioRpcError):
            await EchoStub(channel).Write(echo_request(), timeout=5)
    assert servicer.calls == 1


async def test_a_read_that_should_come_back_much_later_is_not_repeated(
    dependency: Dependency,
) -> None:
    error = NoHealthyOfferError(3, retry_delay=timedelta(seconds=30))
    servicer = EchoServicer(Failing(error, 1))
    await dependency.start(servicer)

    async with dependency.channel() as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await EchoStub(channel).Echo(echo_request(), timeout=5)
    assert (caught.value.code(), servicer.calls) == (grpc.StatusCode.UNAVAILABLE, 1)


async def test_the_request_id_and_the_trace_are_passed_on(dependency: Dependency) -> None:
    seen: list[dict[str, Any]] = []

    async def answer(request: Any, context: Context) -> Any:
        seen.append(dict(context.invocation_metadata() or ()))
        async with dependency.channel() as channel:
            if request.text == "outer":
                await EchoStub(channel).Echo(echo_request(text="inner"), timeout=5)
        return echo_response("")

    await dependency.start(EchoServicer(answer))
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    async with dependency.channel() as channel:
        await EchoStub(channel).Echo(
            echo_request(text="outer"),
            timeout=5,
            metadata=(("x-request-id", "req-7"), ("traceparent", trace)),
        )

    assert [pairs["x-request-id"] for pairs in seen] == ["req-7", "req-7"]
    assert seen[1]["traceparent"].split("-")[1] == trace.split("-")[1]


async def test_metadata_that_is_given_wins(dependency: Dependency) -> None:
    async def answer(_request: Any, context: Context) -> Any:
        ids = [v for k, v in context.invocation_metadata() or () if k == "x-request-id"]
        return echo_response(",".join(map(str, ids)))

    await dependency.start(EchoServicer(answer))

    async def call() -> str:
        set_current_request_id("ours")
        async with dependency.channel() as channel:
            metadata = (("x-request-id", "given"),)
            response = await EchoStub(channel).Echo(echo_request(), timeout=5, metadata=metadata)
            return str(response.text)

    assert await asyncio.create_task(call()) == "given"


async def test_streams_come_through_the_channel(dependency: Dependency) -> None:
    await dependency.start(EchoServicer())

    async with dependency.channel() as channel:
        stream = EchoStub(channel).Count(echo_request(count=2), timeout=5)
        assert [response.text async for response in stream] == ["0", "1"]


async def test_a_unary_call_without_a_timeout_gets_one(dependency: Dependency) -> None:
    async def answer(_request: Any, _context: Context) -> Any:
        await asyncio.Event().wait()

    await dependency.start(EchoServicer(answer))

    async with dependency.channel(timeout_seconds=0.05) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await EchoStub(channel).Echo(echo_request())
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED


async def test_a_restarted_dependency_is_used_again_soon(dependency: Dependency) -> None:
    await dependency.start(EchoServicer())
    address = Address("127.0.0.1", dependency.server.port)
    async with dependency.channel() as channel:
        stub = EchoStub(channel)
        await stub.Echo(echo_request(), timeout=5)
        await dependency.server.stop(0)
        with pytest.raises(grpc.aio.AioRpcError):
            await stub.Echo(echo_request(), timeout=1)

        await dependency.start(EchoServicer(), address)

        response = await stub.Echo(echo_request(), timeout=5, wait_for_ready=True)
        assert response.text == "hello"


@pytest.mark.parametrize(
    ("left", "limit", "expected"),
    [(None, 2.0, 2.0), (0.5, 2.0, 0.5), (5.0, 2.0, 2.0), (-1.0, 2.0, 0.0)],
)
def test_an_outgoing_call_gets_no_more_time_than_is_left(
    left: float | None, limit: float, expected: float
) -> None:
    class Deadline:
        def time_remaining(self) -> float | None:
            return left

    assert remaining(Deadline(), limit) == expected
