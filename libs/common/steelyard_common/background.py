"""Tasks that run beside the server: a crashed one is logged and started again, later each time."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from steelyard_common.clock import Clock

FIRST_DELAY_SECONDS = 1.0
MAX_DELAY_SECONDS = 60.0
STEADY_SECONDS = 300.0

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class BackgroundTask:
    """Work that goes on as long as the process; when `run` returns, it is done."""

    name: str
    run: Callable[[], Awaitable[None]]


async def supervised(task: BackgroundTask, clock: Clock) -> None:
    """Run a task until it returns, starting it again after each crash.

    The pause doubles from one second to a minute, and starts over once the task ran five minutes.
    """
    delay = FIRST_DELAY_SECONDS
    while True:
        started = clock.monotonic()
        try:
            await task.run()
        except Exception:
            if clock.monotonic() - started >= STEADY_SECONDS:
                delay = FIRST_DELAY_SECONDS
            logger.exception("background task crashed", task=task.name, restart_seconds=delay)
            await clock.sleep(delay)
            delay = min(delay * 2, MAX_DELAY_SECONDS)
        else:
            return
