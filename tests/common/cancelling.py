"""Cancelling a task at an exact point, without a clock."""

import asyncio
from collections.abc import Awaitable, Coroutine, Generator
from typing import Any


class _CancelledAt(Awaitable[None]):
    """Runs work in the task that awaits it, and has that task cancelled where the work waits."""

    def __init__(self, work: Coroutine[Any, Any, None], wait: int, times: int) -> None:
        self._work = work
        self._waits = range(wait, wait + times)

    def __await__(self) -> Generator[Any, None, None]:
        steps = self._work.__await__()
        raised: BaseException | None = None
        count = 0
        while True:
            try:
                waits_for = steps.throw(raised) if raised else next(steps)
            except StopIteration:
                return
            if count in self._waits:
                task = asyncio.current_task()
                assert task is not None
                task.cancel()
            count += 1
            raised = None
            try:
                yield waits_for
            except BaseException as error:  # noqa: BLE001 - the work's to handle
                raised = error


async def cancel_at(work: Coroutine[Any, Any, None], wait: int, *, times: int = 1) -> bool:
    """Run work as a task that is cancelled when it waits for the `wait`-th time, counted from 0.

    Args:
        work: What to run.
        wait: Where to cancel.
        times: How many waits in a row are cut off.

    Returns:
        Whether it was cancelled: False when it has fewer waits.
    """

    async def run() -> None:
        await _CancelledAt(work, wait, times)

    task = asyncio.create_task(run())
    await asyncio.wait({task})
    if not task.cancelled():
        task.result()
    return task.cancelled()
