"""From settings to a running process and back: start, ready, drain, close, exit code."""

import asyncio
import gc
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, NoReturn, Protocol, TypeVar

import structlog

from steelyard_common import logs, settings
from steelyard_common.background import BackgroundTask, supervised
from steelyard_common.clock import Clock, SystemClock
from steelyard_common.parent_watch import watch_parent
from steelyard_common.server import AddressInUseError

EXIT_OK = 0
COLLECTOR_THRESHOLDS = (20_000, 50, 100)
"""Python's own (700, 10, 10) look at the young objects every seven calls of the router.

Served requests leave next to no cycles, and what is kept is large: with these, Route does up to a
fifth more calls, and garbage in cycles may reach a few megabytes before it is found.
"""
EXIT_FAILED = 1
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)

S = TypeVar("S", bound=settings.ServiceSettings)

logger = structlog.get_logger(__name__)


class Listener(Protocol):
    """What a process serves with: our gRPC server, or the edge's HTTP one."""

    port: int
    """Where it listens; 0 before it does."""

    async def start(self) -> None:
        """Listen, without being ready.

        Raises:
            AddressInUseError: Another process listens there.
        """

    async def set_serving(self, *, serving: bool) -> None:
        """Tell health checks whether calls are welcome."""

    async def stop(self, grace_seconds: float) -> None:
        """Let calls in flight finish, then cut what is left; a second call cuts at once."""


async def _ready_at_once() -> None:
    pass


@dataclass(kw_only=True)
class Service:
    """Everything that one process runs."""

    name: str
    server: Listener
    prepare: Callable[[], Awaitable[None]] = _ready_at_once
    """Runs after the server listens; it reports SERVING when this returns."""
    tasks: Sequence[BackgroundTask] = ()
    """Started once the server is SERVING."""
    resources: AsyncExitStack = field(default_factory=AsyncExitStack)
    """Closed last, in reverse order of opening."""
    drain_seconds: float = 30.0
    clock: Clock = field(default_factory=SystemClock)


def run_process(
    name: str, settings_class: type[S], build: Callable[[S], Awaitable[Service]]
) -> NoReturn:
    """Load settings, build the service, serve until a signal, exit: the whole of a `__main__`."""
    loaded = settings.load(settings_class)
    logs.configure(name, level=loaded.log_level, log_format=loaded.log_format)
    if loaded.redis_url is not None and not loaded.uses_redis:
        logger.warning("STEELYARD_REDIS_URL has no effect: replicas of this service share nothing")
    if loaded.parent_pid is not None:
        watch_parent(loaded.parent_pid)

    async def main() -> int:
        return await run(await build(loaded))

    gc.set_threshold(*COLLECTOR_THRESHOLDS)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        sys.exit(runner.run(main()))


async def run(service: Service) -> int:
    """Serve until SIGTERM or SIGINT, drain, close everything; return the exit code.

    A second signal cuts the drain short. The exit code is 1 when the server cannot listen or
    `prepare` fails.
    """
    signals = _Signals()
    async with service.resources:
        with signals:
            try:
                await service.server.start()
            except AddressInUseError as error:
                logger.error("cannot start", problem=str(error))  # noqa: TRY400
                return EXIT_FAILED
            logger.info("listening", service=service.name, port=service.server.port)
            return await _serve(service, signals)


async def _serve(service: Service, signals: "_Signals") -> int:
    tasks: list[asyncio.Task[None]] = []
    stopping = asyncio.create_task(signals.stop.wait())
    preparing = asyncio.ensure_future(service.prepare())
    try:
        await asyncio.wait({stopping, preparing}, return_when=asyncio.FIRST_COMPLETED)
        if preparing.done():
            preparing.result()
            gc.freeze()  # what was built so far stays: no need to look at it again and again
            await service.server.set_serving(serving=True)
            logger.info("serving", service=service.name)
            tasks += [
                asyncio.create_task(supervised(task, service.clock), name=task.name)
                for task in service.tasks
            ]
        await stopping
    except Exception:
        logger.exception("cannot get ready", service=service.name)
        return EXIT_FAILED
    finally:
        await _cancel([*tasks, stopping, preparing])
        await _stop_server(service, signals)
    logger.info("stopped", service=service.name)
    return EXIT_OK


async def _stop_server(service: Service, signals: "_Signals") -> None:
    draining = asyncio.create_task(service.server.stop(service.drain_seconds))
    forced = asyncio.create_task(signals.force.wait())
    await asyncio.wait({draining, forced}, return_when=asyncio.FIRST_COMPLETED)
    if not draining.done():
        await service.server.stop(0)
    await draining
    await _cancel([forced])


async def _cancel(tasks: Sequence["asyncio.Future[Any]"]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop  # noqa: PLC0415 - not on every platform
    except ImportError:
        return None
    return uvloop.new_event_loop


class _Signals:
    """The first signal asks to stop, the second one to stop at once."""

    def __init__(self) -> None:
        self.stop = asyncio.Event()
        self.force = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def __enter__(self) -> None:
        for number in STOP_SIGNALS:
            self._loop.add_signal_handler(number, self._received)

    def __exit__(self, *exc_info: object) -> None:
        for number in STOP_SIGNALS:
            self._loop.remove_signal_handler(number)

    def _received(self) -> None:
        (self.force if self.stop.is_set() else self.stop).set()
