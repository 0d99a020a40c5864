"""One service as a process: its log lines go on with its name in front."""

import asyncio
import signal
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from steelyard_cli.supervisor.plan import ServicePlan

KEPT_LINES = 15
MAX_LINE_BYTES = 1024 * 1024


class Child:
    """Starts a service, and knows how it ended."""

    def __init__(self, plan: ServicePlan, write_line: Callable[[str], None]) -> None:
        self.plan = plan
        self.last_lines: deque[str] = deque(maxlen=KEPT_LINES)
        self._write_line = write_line
        self._process: asyncio.subprocess.Process | None = None

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def run(self) -> str:
        """Start the process, wait until it ends, and return how: `with exit code 1`."""
        self.last_lines.clear()
        process = await asyncio.create_subprocess_exec(
            *self.plan.command,
            env=dict(self.plan.environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            limit=MAX_LINE_BYTES,
            # Ctrl-C goes to the supervisor alone, which stops its children in order.
            start_new_session=True,
        )
        self._process = process
        await self._pump(process.stdout)
        return _ending(await process.wait())

    def terminate(self) -> None:
        """Ask the process to stop."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """Stop the process at once."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.send_signal(number)

    async def _pump(self, stream: asyncio.StreamReader | None) -> None:
        while stream is not None:
            try:
                line = await stream.readline()
            except ValueError:  # longer than the limit: what was read of it is dropped
                continue
            if not line:
                return
            text = line.decode("utf-8", "replace").rstrip()
            self.last_lines.append(text)
            self._write_line(f"{self.plan.name:<8} | {text}")


def _ending(returncode: int) -> str:
    if returncode >= 0:
        return f"with exit code {returncode}"
    return f"killed by {signal.Signals(-returncode).name}"
