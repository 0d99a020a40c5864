"""A job that one replica at a time does, and that any number may ask for and follow."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Generic, TypeVar

import structlog

from steelyard_common.errors import RefreshInProgressError, SteelyardError
from steelyard_common.leases import Lease, LeaseKeeper

Step = TypeVar("Step")
Report = TypeVar("Report")

logger = structlog.get_logger(__name__)


class JobRun(Generic[Step, Report]):
    """One run as it goes on; any number may follow it, each from its beginning."""

    def __init__(self, names: Collection[str], *, force: bool) -> None:
        """Take what is asked for; only on a running event loop.

        Args:
            names: Of the sources to read.
            force: Read also what is fresh.
        """
        self.names = frozenset(names)
        self.force = force
        self._steps: list[Step] = []
        self._grown = asyncio.Event()
        self._end: asyncio.Future[Report] = asyncio.get_running_loop().create_future()

    def does(self, names: frozenset[str], *, force: bool) -> bool:
        """Whether this run does all that is asked."""
        return self.names >= names and (self.force or not force)

    def tell(self, step: Step) -> None:
        """Let followers know."""
        self._steps.append(step)
        self._wake()

    def end(self, report: Report) -> None:
        """Let followers know, and that nothing comes after it."""
        self._end.set_result(report)
        self._wake()

    def fail(self, error: Exception) -> None:
        """End without a report."""
        self._end.set_exception(error)
        self._end.exception()  # perhaps nobody follows: that is no fault to be logged
        self._wake()

    async def ended(self) -> None:
        """Wait for the end, whatever it is."""
        await asyncio.wait({self._end})

    async def events(self) -> AsyncIterator[Step | Report]:
        """Return what happened and what happens, up to and including the report.

        Raises:
            SteelyardError: There will be no report.
        """
        seen = 0
        while True:
            while seen < len(self._steps):
                yield self._steps[seen]
                seen += 1
            if self._end.done():
                yield self._end.result()
                return
            await self._grown.wait()

    async def report(self) -> Report:
        """Wait for the report.

        Raises:
            SteelyardError: There will be none.
        """
        return await asyncio.shield(self._end)

    def _wake(self) -> None:
        grown, self._grown = self._grown, asyncio.Event()
        grown.set()


AnyRun = TypeVar("AnyRun", bound=JobRun[Any, Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class Job(Generic[AnyRun]):
    """What is done, and what it is called."""

    name: str
    """Of the lease."""
    subject: str
    """What is being refreshed, for people."""
    lease_duration: timedelta
    """Longer than a run: a killed one blocks the next so long."""
    work: Callable[[AnyRun, Lease], Awaitable[Any]]
    """Returns the report."""
    when_stopped: Callable[[], SteelyardError]
    """Returns what followers get when the process stops."""


class LeasedJob(Generic[AnyRun]):
    """Does a job, one run at a time."""

    def __init__(self, job: Job[AnyRun], leases: LeaseKeeper) -> None:
        self._job = job
        self._leases = leases
        self._task: asyncio.Task[None] | None = None
        self._running: AnyRun | None = None

    async def follow(self, asked: AnyRun) -> AnyRun:
        """Return the run that goes on if it does as much as the one asked for, else that one.

        It begins when the one that goes on has ended, and goes on when nobody follows it.
        """
        while (running := self._running) is not None:
            if running.does(asked.names, force=asked.force):
                return running
            await running.ended()
        self._running = asked
        self._task = asyncio.create_task(self._run(asked), name=f"job {self._job.name}")
        return asked

    async def stop(self) -> None:
        """Break off a run."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._running is not None:
            # Cancelled before it began.
            self._running.fail(self._job.when_stopped())
            self._running = None

    async def _run(self, run: AnyRun) -> None:
        try:
            report = await self._under_lease(run)
        except asyncio.CancelledError:
            run.fail(self._job.when_stopped())
            raise
        except SteelyardError as error:
            # Another replica does it, there is no room...: a traceback adds nothing.
            logger.warning("job not done", job=self._job.name, problem=error.message)
            run.fail(error)
        except Exception as error:
            # Perhaps nobody follows any more.
            logger.exception("job failed", job=self._job.name)
            run.fail(error)
        else:
            run.end(report)
        finally:
            self._running = None

    async def _under_lease(self, run: AnyRun) -> Any:
        lease = await self._leases.acquire(self._job.name, self._job.lease_duration)
        if lease is None:
            raise RefreshInProgressError(self._job.subject)
        try:
            return await self._job.work(run, lease)
        finally:
            await self._give_back(lease)

    async def _give_back(self, lease: Lease) -> None:
        try:
            await self._leases.release(lease)
        except Exception:
            # What was published is, and the lease expires by itself.
            logger.exception("lease not given back", job=self._job.name)
