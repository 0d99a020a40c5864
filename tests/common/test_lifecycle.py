"""A process from start to exit, seen from outside; supervised tasks with a fake clock."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest
from structlog.testing import capture_logs

from steelyard_common.background import BackgroundTask, supervised
from tests.echo import EchoStub, echo_request
from tests.fakes import FakeClock

ROOT = Path(__file__).parents[2]

PROGRAM = """
import asyncio, os
from contextlib import AsyncExitStack
from typing import ClassVar
from steelyard_common.address import Address
from steelyard_common.background import BackgroundTask
from steelyard_common.lifecycle import Service, run_process
from steelyard_common.server import Server
from steelyard_common.settings import AddressSetting, ServiceSettings
from steelyard_common.telemetry import Telemetry
from tests.echo import EchoServicer, add_echo_to_server

class Settings(ServiceSettings):
    listener: ClassVar[str] = "echo_address"
    uses_redis: ClassVar[bool] = "SHARES" in os.environ
    echo_address: AddressSetting = Address("127.0.0.1", 0)

def say(text):
    print(text, flush=True)

async def answer(request, context):
    say("called")
    await asyncio.Event().wait()

async def crash():
    raise RuntimeError("this task crashes")

async def build(settings):
    resources = AsyncExitStack()
    telemetry = Telemetry.start("echo")
    resources.callback(say, "closed first")
    resources.callback(say, "closed second")
    server = Server(settings.listen_address, telemetry=telemetry, limits=settings.call_limits)
    server.add(add_echo_to_server, EchoServicer(answer))

    async def prepare():
        if os.environ.get("BREAK"):
            raise RuntimeError("cannot read prices")
        say(server.port)

    return Service(
        name="echo", server=server, prepare=prepare, resources=resources,
        tasks=[BackgroundTask("crashing", crash)], drain_seconds=settings.drain_seconds,
    )

run_process("echo", Settings, build)
"""


@asynccontextmanager
async def program(**environment: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        PROGRAM,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "STEELYARD_LOG_FORMAT": "json", **environment},
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def line(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    async with asyncio.timeout(30):
        return (await process.stdout.readline()).decode().strip()


@pytest.mark.system
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_the_process_cleanly(number: signal.Signals) -> None:
    async with program() as process:
        assert int(await line(process)) > 0

        process.send_signal(number)

        out, err = await process.communicate()
        assert process.returncode == 0
        # Resources are closed in reverse order.
        assert out.decode().split("\n") == ["closed second", "closed first", ""]
        assert b'"event":"stopped"' in err
        assert b"background task crashed" in err
        assert b"STEELYARD_REDIS_URL" not in err


@pytest.mark.system
async def test_a_redis_that_nothing_is_shared_through_is_warned_of_once() -> None:
    async with program(STEELYARD_REDIS_URL="redis://me:hunter2@cache:6379/0") as process:
        await line(process)
        process.send_signal(signal.SIGTERM)

        _, err = await process.communicate()

        lines = [entry for entry in err.decode().splitlines() if "REDIS" in entry]
        assert [json.loads(entry)["level"] for entry in lines] == ["warning"]
        assert "STEELYARD_REDIS_URL has no effect" in lines[0]
        assert b"hunter2" not in err


@pytest.mark.system
async def test_a_service_that_shares_through_redis_does_not_warn_of_it() -> None:
    async with program(STEELYARD_REDIS_URL="redis://cache:6379", SHARES="1") as process:
        await line(process)
        process.send_signal(signal.SIGTERM)

        _, err = await process.communicate()

        assert b"REDIS" not in err


@pytest.mark.system
async def test_a_second_signal_cuts_the_drain_short() -> None:
    async with program(STEELYARD_DRAIN_SECONDS="3600") as process:
        port = await line(process)
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            call = EchoStub(channel).Echo(echo_request(), timeout=60)
            assert await line(process) == "called"
            process.send_signal(signal.SIGTERM)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(process.wait(), 0.3)

            process.send_signal(signal.SIGTERM)

            assert await asyncio.wait_for(process.wait(), 20) == 0
            with pytest.raises(grpc.aio.AioRpcError):
                await call


@pytest.mark.system
async def test_the_drain_has_an_end() -> None:
    async with program(STEELYARD_DRAIN_SECONDS="0.1") as process:
        port = await line(process)
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            call = EchoStub(channel).Echo(echo_request(), timeout=60)
            assert await line(process) == "called"

            process.send_signal(signal.SIGTERM)

            assert await asyncio.wait_for(process.wait(), 20) == 0
            call.cancel()


@pytest.mark.system
async def test_a_process_that_cannot_get_ready_fails_loudly() -> None:
    async with program(BREAK="1") as process:
        out, err = await process.communicate()

        assert process.returncode == 1
        assert b"cannot get ready" in err
        assert b"cannot read prices" in err
        assert b"closed first" in out


@pytest.mark.system
async def test_a_busy_port_ends_the_process_with_a_clear_line() -> None:
    async with program() as first:
        address = f"127.0.0.1:{await line(first)}"
        async with program(STEELYARD_ECHO_ADDRESS=address) as second:
            _, err = await second.communicate()

            assert second.returncode == 1
            assert f"cannot listen on {address}: another process does".encode() in err
            assert b"Traceback" not in err


@pytest.mark.system
async def test_wrong_settings_end_the_process_with_2() -> None:
    async with program(STEELYARD_ECHO_ADDRESS="nowhere", STEELYARD_AUTH="maybe") as process:
        _, err = await process.communicate()

        assert process.returncode == 2
        assert b"STEELYARD_ECHO_ADDRESS" in err
        assert b"STEELYARD_AUTH" in err


class Crashing:
    """A task that crashes so many times, then ends."""

    def __init__(self, times: int, clock: FakeClock, *, runs_seconds: float = 0) -> None:
        self.starts: list[float] = []
        self._times = times
        self._clock = clock
        self._runs_seconds = runs_seconds

    async def run(self) -> None:
        self.starts.append(self._clock.monotonic())
        if self._runs_seconds:
            await self._clock.sleep(self._runs_seconds)
        if len(self.starts) <= self._times:
            raise RuntimeError("crash")


async def test_a_crashed_task_starts_again_later_each_time(clock: FakeClock) -> None:
    crashing = Crashing(8, clock)

    with capture_logs() as lines:
        running = asyncio.create_task(supervised(BackgroundTask("t", crashing.run), clock))
        await clock.wait_for_sleeper()
        await clock.advance(1000)
        await running

    waits = [b - a for a, b in zip(crashing.starts, crashing.starts[1:], strict=False)]
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]
    assert {line["event"] for line in lines} == {"background task crashed"}
    assert len(lines) == 8


async def test_a_task_that_ran_long_starts_again_soon(clock: FakeClock) -> None:
    crashing = Crashing(3, clock, runs_seconds=300)

    with capture_logs():
        running = asyncio.create_task(supervised(BackgroundTask("t", crashing.run), clock))
        await clock.wait_for_sleeper()
        await clock.advance(5000)
        await running

    assert crashing.starts == [0, 301, 602, 903]


async def test_a_cancelled_task_stays_cancelled(clock: FakeClock) -> None:
    running = asyncio.create_task(
        supervised(BackgroundTask("t", Crashing(1, clock, runs_seconds=9).run), clock)
    )
    await clock.wait_for_sleeper()

    running.cancel()

    with pytest.raises(asyncio.CancelledError):
        await running
