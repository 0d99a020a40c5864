"""Starts children in parallel, waits until they are ready, restarts crashed ones, stops all."""

import asyncio
import signal
from collections.abc import Callable
from typing import Any

from steelyard_cli.supervisor.backoff import Backoff
from steelyard_cli.supervisor.child import Child
from steelyard_cli.supervisor.plan import Plan, ServicePlan
from steelyard_cli.supervisor.readiness import Readiness
from steelyard_common.clock import Clock

READY_SECONDS = 60.0
TERM_SECONDS = 4.0
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
EXIT_OK = 0
EXIT_FAILED = 1

WriteLine = Callable[[str], None]


class StartError(Exception):
    """A child ended, or did not get ready, before all were."""


class Supervisor:
    """Runs a plan until it is told to stop."""

    def __init__(self, plan: Plan, *, clock: Clock, write_line: WriteLine) -> None:
        self._plan = plan
        self._clock = clock
        self._write_line = write_line
        self._children = [Child(service, write_line) for service in plan.services]
        self._is_ready = False
        self._failed_start: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._stop = asyncio.Event()
        self._force = asyncio.Event()

    async def run(self, on_ready: Callable[[float], None]) -> int:
        """Return the exit code, with no child left.

        Args:
            on_ready: Called once everything is ready, with the seconds that took.
        """
        loop = asyncio.get_running_loop()
        for number in STOP_SIGNALS:
            loop.add_signal_handler(number, self._asked_to_stop)
        keepers = [asyncio.create_task(self._keep(child)) for child in self._children]
        try:
            await self._until_ready_or_stopped(on_ready)
            await self._stop.wait()
        except StartError as error:
            self._write_line(f"steelyard: {error}")
            return EXIT_FAILED
        finally:
            self._stop.set()
            await self._stop_children(keepers)
            for number in STOP_SIGNALS:
                loop.remove_signal_handler(number)
        return EXIT_OK

    def _asked_to_stop(self) -> None:
        (self._force if self._stop.is_set() else self._stop).set()

    async def _until_ready_or_stopped(self, on_ready: Callable[[float], None]) -> None:
        started = self._clock.monotonic()
        readiness = Readiness(self._plan.edge_url)
        ready = asyncio.create_task(readiness.wait())
        stopped = asyncio.create_task(self._stop.wait())
        try:
            waiting: set[asyncio.Future[Any]] = {ready, stopped, self._failed_start}
            await asyncio.wait(waiting, timeout=READY_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if self._stop.is_set():
                return
            if self._failed_start.done():
                raise StartError(self._failed_start.result())
            if not ready.done():
                raise StartError(f"not ready after {READY_SECONDS:g} s: {readiness.missing}")
            ready.result()
        finally:
            ready.cancel()
            stopped.cancel()
            await asyncio.gather(ready, stopped, return_exceptions=True)
        self._is_ready = True
        on_ready(self._clock.monotonic() - started)

    async def _keep(self, child: Child) -> None:
        """Run a child again and again until everything is to stop."""
        backoff = Backoff()
        while not self._stop.is_set():
            started = self._clock.monotonic()
            ending = await child.run()
            if self._stop.is_set():
                return
            if not self._is_ready:
                self._report_failed_start(child, ending)
                return
            wait = backoff.after(self._clock.monotonic() - started)
            self._write_line(
                f"steelyard: {child.plan.name} ended {ending}, starting it again in {wait:g} s"
            )
            await self._sleep_unless_stopped(wait)

    def _report_failed_start(self, child: Child, ending: str) -> None:
        if not self._failed_start.done():
            self._failed_start.set_result(failed_start(child.plan, ending, list(child.last_lines)))

    async def _sleep_unless_stopped(self, seconds: float) -> None:
        waiting: set[asyncio.Future[Any]] = {
            asyncio.ensure_future(self._clock.sleep(seconds)),
            asyncio.ensure_future(self._stop.wait()),
        }
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for each in waiting:
            each.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    async def _stop_children(self, keepers: list["asyncio.Task[None]"]) -> None:
        """Ask every child to stop, then kill those that did not in time."""
        for child in self._children:
            child.terminate()
        forced = asyncio.create_task(self._force.wait())
        ended = asyncio.gather(*keepers)
        waiting: set[asyncio.Future[Any]] = {forced, ended}
        await asyncio.wait(waiting, timeout=TERM_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        for child in self._children:
            if child.is_running:
                self._write_line(f"steelyard: {child.plan.name} does not stop, killing it")
                child.kill()
        forced.cancel()
        await asyncio.gather(forced, return_exceptions=True)
        await ended


def failed_start(plan: ServicePlan, ending: str, last_lines: list[str]) -> str:
    """Return what to say of a child that ended before all were ready."""
    said = "".join(f"\n    {line}" for line in last_lines)
    return f"{plan.name} ended {ending} before it was ready; the last it said:{said or ' nothing'}"
