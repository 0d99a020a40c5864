"""Life of a server: health, reflection, ports, stopping."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from steelyard_common.address import Address
from steelyard_common.server import AddressInUseError, Server
from steelyard_common.telemetry import Telemetry
from tests.conftest import LOOPBACK, Serve
from tests.echo import (
    SERVICE,
    Context,
    EchoServicer,
    EchoStub,
    add_echo_to_server,
    echo_request,
    echo_response,
)

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


@pytest.fixture
async def server(telemetry: Telemetry) -> AsyncIterator[Server]:
    server = Server(LOOPBACK, telemetry=telemetry)
    server.add(add_echo_to_server, EchoServicer())
    await server.start()
    yield server
    await server.stop(0)


@pytest.fixture
async def channel(server: Server) -> AsyncIterator[grpc.aio.Channel]:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        yield channel


async def health(channel: grpc.aio.Channel, service: str = "") -> int:
    stub: Any = health_pb2_grpc.HealthStub(channel)
    response = await stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=5)
    return int(response.status)


@pytest.mark.parametrize("service", ["", SERVICE])
async def test_a_server_is_not_serving_until_told(
    server: Server, channel: grpc.aio.Channel, service: str
) -> None:
    assert await health(channel, service) == NOT_SERVING

    await server.set_serving(serving=True)
    assert await health(channel, service) == SERVING

    await server.set_serving(serving=False)
    assert await health(channel, service) == NOT_SERVING


async def test_an_unknown_service_has_no_health(channel: grpc.aio.Channel) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await health(channel, "steelyard.none.v1.NoService")

    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


async def test_reflection_lists_what_is_served(channel: grpc.aio.Channel) -> None:
    connection: Any = channel  # the stubs know only the synchronous one
    stub: Any = reflection_pb2_grpc.ServerReflectionStub(connection)
    requests = [reflection_pb2.ServerReflectionRequest(list_services="")]

    [response] = [r async for r in stub.ServerReflectionInfo(iter(requests), timeout=5)]

    assert {service.name for service in response.list_services_response.service} == {
        SERVICE,
        "grpc.health.v1.Health",
        "grpc.reflection.v1alpha.ServerReflection",
    }


async def test_a_busy_port_is_a_clear_error(server: Server, telemetry: Telemetry) -> None:
    second = Server(Address("127.0.0.1", server.port), telemetry=telemetry)

    with pytest.raises(AddressInUseError, match=f"cannot listen on 127.0.0.1:{server.port}"):
        await second.start()
    await second.stop(0)


async def test_a_large_message_passes(serve: Serve) -> None:
    stub = EchoStub(await serve(add_echo_to_server, EchoServicer()))
    size = 3 * 1024 * 1024  # the answer fits the 4 MB that a plain client accepts

    assert len((await stub.Echo(echo_request(text="x" * size), timeout=20)).text) == size


async def test_a_message_beyond_32_mib_is_refused(serve: Serve) -> None:
    stub = EchoStub(await serve(add_echo_to_server, EchoServicer()))
    request = echo_request(text="x" * (32 * 1024 * 1024 + 1))

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.Echo(request, timeout=20)

    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_a_stopping_server_says_so_and_finishes_calls_in_flight(
    telemetry: Telemetry,
) -> None:
    running, release = asyncio.Event(), asyncio.Event()

    async def answer(_request: Any, _context: Context) -> Any:
        running.set()
        await release.wait()
        return echo_response("finished")

    server = Server(LOOPBACK, telemetry=telemetry)
    server.add(add_echo_to_server, EchoServicer(answer))
    await server.start()
    await server.set_serving(serving=True)
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        watch = _watch(channel)
        assert (await watch.read()).status == SERVING
        call = EchoStub(channel).Echo(echo_request(), timeout=20)
        await running.wait()

        stopping = asyncio.create_task(server.stop(grace_seconds=20))

        assert (await watch.read()).status == NOT_SERVING
        watch.cancel()
        assert server.draining.is_set()
        assert not stopping.done()
        release.set()
        assert (await call).text == "finished"
        await stopping


async def test_calls_that_outlast_the_grace_are_cut(telemetry: Telemetry) -> None:
    running, cancelled = asyncio.Event(), asyncio.Event()

    async def answer(_request: Any, _context: Context) -> Any:
        running.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    server = Server(LOOPBACK, telemetry=telemetry)
    server.add(add_echo_to_server, EchoServicer(answer))
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        call = EchoStub(channel).Echo(echo_request(), timeout=60)
        await running.wait()

        await server.stop(grace_seconds=0.01)

        with pytest.raises(grpc.aio.AioRpcError):
            await call
    async with asyncio.timeout(5):
        await cancelled.wait()


def _watch(channel: grpc.aio.Channel) -> Any:
    stub: Any = health_pb2_grpc.HealthStub(channel)
    return stub.Watch(health_pb2.HealthCheckRequest(service=SERVICE))


async def test_another_server_implementation_can_be_plugged_in(telemetry: Telemetry) -> None:
    made: list[grpc.aio.Server] = []

    def factory() -> grpc.aio.Server:
        made.append(grpc.aio.server())
        return made[0]

    server = Server(LOOPBACK, telemetry=telemetry, factory=factory)
    server.add(add_echo_to_server, EchoServicer())
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        assert (await EchoStub(channel).Echo(echo_request(), timeout=5)).text == "hello"
    await server.stop(0)

    assert len(made) == 1


async def test_a_unix_socket_serves_too(telemetry: Telemetry, tmp_path: Any) -> None:
    address = Address.parse(f"unix:{tmp_path}/echo.sock")
    server = Server(address, telemetry=telemetry)
    server.add(add_echo_to_server, EchoServicer())
    await server.start()
    async with grpc.aio.insecure_channel(address.target) as channel:
        assert (await EchoStub(channel).Echo(echo_request(), timeout=5)).text == "hello"
    await server.stop(0)
