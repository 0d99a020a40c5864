"""The services as processes of their own, for system tests and benchmarks."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import grpc
import httpx
from grpc_health.v1 import health_pb2, health_pb2_grpc

SERVICES = ("pricing", "registry", "health", "router", "edge")
START_SECONDS = 30
STOP_SECONDS = 5
POLL_SECONDS = 0.05
# Empty switches a feed off; a test that wants one names its own server.
NO_FEEDS = {
    "STEELYARD_LITELLM_URL": "",
    "STEELYARD_OPENROUTER_URL": "",
    "STEELYARD_MODELS_DEV_URL": "",
    "STEELYARD_ARENA_URL": "",
    "STEELYARD_ARENA_VISION_URL": "",
    "STEELYARD_STATUS_PAGES": "off",
}


class Stack:
    """Starts, kills and restarts services on free ports of this machine.

    Use it as an async context manager: nothing it started outlives it.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        environment: Mapping[str, str] | None = None,
        services: Sequence[str] = SERVICES,
    ) -> None:
        self._data_dir = data_dir
        self._services = services
        self._ports = dict(zip(SERVICES, free_ports(len(SERVICES)), strict=True))
        self._environment = {**NO_FEEDS, **(environment or {})}
        self._processes: dict[str, asyncio.subprocess.Process] = {}
        self._channels: dict[str, grpc.aio.Channel] = {}

    async def __aenter__(self) -> Self:
        try:
            await asyncio.gather(*(self.start(name) for name in self._services))
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.stop()

    def address(self, name: str) -> str:
        """Return `host:port` of a service."""
        return f"127.0.0.1:{self._ports[name]}"

    @property
    def url(self) -> str:
        """Return the edge's root."""
        return f"http://{self.address('edge')}"

    def pid(self, name: str) -> int:
        """Return the process id of a running service."""
        return self._processes[name].pid

    def channel(self, name: str) -> grpc.aio.Channel:
        """Return a channel to a service, one per service; the stack closes it."""
        if name not in self._channels:
            self._channels[name] = grpc.aio.insecure_channel(
                self.address(name), options=(("grpc.max_reconnect_backoff_ms", 500),)
            )
        return self._channels[name]

    def log(self, name: str) -> str:
        """Return what a service wrote to stderr."""
        return self._log_path(name).read_text(errors="replace")

    async def start(self, name: str) -> None:
        """Start one service and wait until it is ready.

        Raises:
            RuntimeError: It ended, or did not get ready in time; the message has its log.
        """
        self._data_dir.mkdir(parents=True, exist_ok=True)
        with self._log_path(name).open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                f"steelyard_{name}",
                env=self._child_environment(),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self._processes[name] = process
        await self._wait_until_ready(name, process)

    async def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> int:
        """Signal one service, wait for its end and return its exit code."""
        process = self._processes.pop(name)
        with suppress(ProcessLookupError):
            process.send_signal(number)
        return await process.wait()

    async def stop(self) -> None:
        """End everything: politely, then by force."""
        for channel in self._channels.values():
            await channel.close()
        self._channels.clear()
        await asyncio.gather(*(self._end(name) for name in list(self._processes)))

    async def _end(self, name: str) -> None:
        process = self._processes.pop(name)
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await process.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _wait_until_ready(self, name: str, process: asyncio.subprocess.Process) -> None:
        ended = asyncio.create_task(process.wait())
        ready = asyncio.create_task(self._ready(name))
        try:
            await asyncio.wait(
                {ended, ready}, timeout=START_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
            if not ready.done():
                raise RuntimeError(f"{name} did not get ready:\n{self.log(name)}")
            ready.result()
        finally:
            ended.cancel()
            ready.cancel()
            await asyncio.gather(ended, ready, return_exceptions=True)

    async def _ready(self, name: str) -> None:
        if name == "edge":
            await self._edge_ready()
            return
        # Any: types-grpcio-health-checking describes the synchronous stub only.
        stub: Any = health_pb2_grpc.HealthStub(self.channel(name))
        while True:
            with suppress(grpc.aio.AioRpcError):
                answer = await stub.Check(health_pb2.HealthCheckRequest(), timeout=1)
                if answer.status == health_pb2.HealthCheckResponse.SERVING:
                    return
            await asyncio.sleep(POLL_SECONDS)

    async def _edge_ready(self) -> None:
        async with httpx.AsyncClient(base_url=self.url, trust_env=False) as client:
            while True:
                with suppress(httpx.TransportError):
                    if (await client.get("/readyz")).is_success:
                        return
                await asyncio.sleep(POLL_SECONDS)

    def _child_environment(self) -> dict[str, str]:
        inherited = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith(("STEELYARD_", "OTEL_")) and not key.endswith("_API_KEY")
        }
        addresses = {
            f"STEELYARD_{name.upper()}_ADDRESS": self.address(name) for name in self._ports
        }
        return {
            **inherited,
            "STEELYARD_DATA_DIR": str(self._data_dir),
            **addresses,
            **self._environment,
        }

    def _log_path(self, name: str) -> Path:
        return self._data_dir / f"{name}.log"


def free_ports(count: int) -> list[int]:
    """Return ports of this machine that nobody listens on."""
    with _Sockets(count) as ports:
        return ports


class _Sockets:
    """Holds `count` ports at one time, so that no two of them are equal."""

    def __init__(self, count: int) -> None:
        self._sockets = [socket.socket() for _ in range(count)]

    def __enter__(self) -> list[int]:
        for each in self._sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in self._sockets]

    def __exit__(self, *exc_info: object) -> None:
        for each in self._sockets:
            each.close()
