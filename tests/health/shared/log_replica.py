"""A replica that does nothing but talk to the others through the log."""

import asyncio
from collections.abc import Callable
from typing import Any

from steelyard_common.clock import Clock
from steelyard_common.telemetry import Telemetry
from steelyard_health.adapters.replica_log import ReplicaLog
from steelyard_health.adapters.replica_outbox import ReplicaOutbox
from steelyard_health.adapters.replica_stream import DEFAULT_KEY, ReplicaStream
from tests.valkey import Valkey

PATIENCE_SECONDS = 20


class Replica:
    """One replica: its log, and what it was told."""

    def __init__(
        self,
        stream: ReplicaStream,
        clock: Clock,
        telemetry: Telemetry,
        outbox: ReplicaOutbox | None,
    ) -> None:
        self.heard: list[bytes] = []
        self.ages: list[float] = []
        self.refuses: set[bytes] = set()
        self._news = asyncio.Condition()
        self._tellers: set[asyncio.Task[None]] = set()
        self.log = ReplicaLog(stream, self._hear, clock=clock, meter=telemetry.meter, outbox=outbox)
        self.task: asyncio.Task[None] | None = None

    def _hear(self, payload: bytes, age_seconds: float) -> None:
        if payload in self.refuses:
            raise ValueError("this one is refused")
        self.heard.append(payload)
        self.ages.append(age_seconds)
        teller = asyncio.ensure_future(self._tell())
        self._tellers.add(teller)
        teller.add_done_callback(self._tellers.discard)

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()

    def start(self) -> None:
        self.task = asyncio.create_task(self.log.run())

    async def caught_up(self) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self.log.caught_up.wait()

    async def has_heard(self, *payloads: bytes) -> None:
        """Return once it has heard all of these."""
        wanted = set(payloads)
        async with asyncio.timeout(PATIENCE_SECONDS), self._news:
            await self._news.wait_for(lambda: wanted <= set(self.heard))

    async def stop(self) -> None:
        """Stop like a process that ends; whatever Redis did, the task has not failed."""
        if self.task is not None:
            assert not self.task.done()
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)
            self.task = None


Starter = Callable[..., Replica]


async def add(valkey: Valkey, seconds_ago: float = 0, **fields: bytes) -> None:
    """Write an entry as a replica would have at another time."""
    entry: dict[Any, Any] = {"s": b"0" * 16, "n": b"1", "w": b"0", "p": b"payload"} | fields
    async with valkey.client() as client:
        seconds, microseconds = await client.time()
        at = int((seconds - seconds_ago) * 1000 + microseconds / 1000)
        await client.xadd(DEFAULT_KEY, entry, id=f"{at}-*")
