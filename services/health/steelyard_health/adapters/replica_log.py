"""What replicas tell each other: an append-only log in which each reads what the others wrote.

Nobody waits for it. A replica that is alone, or whose Redis is away, goes on with what it knows
itself; when Redis is back, what was appended meanwhile is written, and what others wrote is read.
"""

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import Callable

import structlog
from opentelemetry.metrics import Meter

from steelyard_common.clock import Clock
from steelyard_common.redis_link import RedisAwayError, RedisGarbageError
from steelyard_health.adapters.replica_outbox import MAX_PAYLOAD_BYTES, ReplicaOutbox, Waiting
from steelyard_health.adapters.replica_stream import (
    MAX_AGE_SECONDS,
    START,
    Batch,
    Incoming,
    Outgoing,
    ReplicaStream,
    id_order,
    rewound,
)

WRITE_PAUSE_SECONDS = 0.1
AWAY_PAUSE_SECONDS = 0.5
BLOCK_SECONDS = 1.0
COMPLAINT_PAUSE_SECONDS = 60.0
MAX_SENDERS = 1024

OnEntry = Callable[[bytes, float], None]

logger = structlog.get_logger(__name__)


class ReplicaLog:
    """Appends to the log without waiting, and hands over what other replicas appended."""

    def __init__(
        self,
        stream: ReplicaStream,
        on_entry: OnEntry,
        *,
        clock: Clock,
        meter: Meter,
        outbox: ReplicaOutbox | None = None,
    ) -> None:
        """Read and write nothing yet.

        Args:
            stream: Where the log is.
            on_entry: Gets each payload of another replica, in the order of that replica, and how
                many seconds ago it was appended. It is called in the event loop and must not wait.
            clock: For ages and pauses.
            meter: Counts entries by what became of them.
            outbox: For other bounds than the usual ones.
        """
        self._stream = stream
        self._on_entry = on_entry
        self._clock = clock
        self._outbox = ReplicaOutbox() if outbox is None else outbox
        self._replica_id = secrets.token_hex(8)
        self._waiting = asyncio.Event()
        self._caught_up = asyncio.Event()
        self._position = START
        self._seen: OrderedDict[bytes, int] = OrderedDict()
        self._complained: dict[str, float] = {}
        self._entries = meter.create_counter(
            "steelyard.health.replica_log.entries",
            unit="{entry}",
            description="Entries of the log that replicas share, by what became of them.",
        )

    @property
    def caught_up(self) -> asyncio.Event:
        """Set once everything of the last five minutes was handed over, or Redis was away."""
        return self._caught_up

    def append(self, payload: bytes) -> None:
        """Queue a payload of at most 256 KiB for the other replicas; never waits, never raises.

        When the queue is full, the oldest payloads in it are dropped.
        """
        if len(payload) > MAX_PAYLOAD_BYTES:
            self._count("too_large", 1)
            self._complain("a payload is too large for other replicas", size=len(payload))
            return
        self._count("dropped", self._outbox.put(payload, self._clock.monotonic()))
        self._waiting.set()

    async def run(self) -> None:
        """Write and read as long as the process; whatever Redis does is no error."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._write_all())
            group.create_task(self._read_all())

    async def flush(self) -> None:
        """Write what waits, once, within 50 ms a batch: for the end of a process."""
        try:
            while await self._write():
                pass
        except (RedisAwayError, RedisGarbageError):
            self._count("lost_at_end", len(self._outbox))

    async def _write_all(self) -> None:
        while True:
            await self._waiting.wait()
            pause = WRITE_PAUSE_SECONDS
            try:
                await self._write()
            except RedisAwayError:
                pause = AWAY_PAUSE_SECONDS
            except RedisGarbageError:
                self._complain("the log of replicas cannot be written")
                pause = AWAY_PAUSE_SECONDS
            await self._clock.sleep(pause)

    async def _write(self) -> bool:
        """Write one batch; return whether more waits."""
        now = self._clock.monotonic()
        self._count("expired", self._outbox.drop_before(now - MAX_AGE_SECONDS))
        batch = self._outbox.batch()
        if batch:
            outgoing = (_outgoing(item, now) for item in batch)
            if await self._stream.append(self._replica_id, outgoing):
                self._complain_of_removal()
            self._outbox.written(batch)
            self._count("written", len(batch))
        if not self._outbox:
            self._waiting.clear()
        return bool(self._outbox)

    async def _read_all(self) -> None:
        while True:
            try:
                await self._follow()
            except RedisAwayError:
                logger.debug("the log of replicas is not read")
            except RedisGarbageError:
                self._complain("the log of replicas cannot be read")
            self._caught_up.set()
            await self._clock.sleep(AWAY_PAUSE_SECONDS)

    async def _follow(self) -> None:
        await self._check_position()
        # It may be another server than before, whose ids come from a clock that is behind.
        self._position = rewound(self._position)
        block_seconds = 0.0
        while True:
            batch = await self._stream.read(self._position, block_seconds)
            await self._hand_over(batch)
            if batch.is_full:
                continue
            self._caught_up.set()
            if block_seconds and not batch.entries:
                await self._check_position()
            block_seconds = BLOCK_SECONDS

    async def _check_position(self) -> None:
        """Start over when the stream ends before what was read: it was flushed or failed over."""
        end = await self._stream.end()
        if end.was_removed:
            self._complain_of_removal()
        if id_order(end.last_id) < id_order(self._position):
            self._position = START

    async def _hand_over(self, batch: Batch) -> None:
        self._count("malformed", batch.malformed_count)
        for entry in batch.entries:
            if self._is_news(entry):
                self._deliver(entry)
                # A replica that starts reads a lot, and has calls to answer meanwhile.
                await asyncio.sleep(0)
        self._position = batch.position

    def _is_news(self, entry: Incoming) -> bool:
        """Whether it is of another replica, recent, and was not handed over before.

        A write that was answered too late is written again, and whoever starts over reads again.
        """
        if entry.sender == self._replica_id.encode() or entry.age_seconds > MAX_AGE_SECONDS:
            return False
        if entry.number <= self._seen.get(entry.sender, 0):
            return False
        self._seen[entry.sender] = entry.number
        self._seen.move_to_end(entry.sender)
        if len(self._seen) > MAX_SENDERS:
            self._seen.popitem(last=False)
        return True

    def _deliver(self, entry: Incoming) -> None:
        try:
            self._on_entry(entry.payload, entry.age_seconds)
        except Exception as error:  # noqa: BLE001 - one entry must not stop the others
            self._count("refused", 1)
            self._complain("an entry of another replica is refused", problem=type(error).__name__)
        else:
            self._count("read", 1)

    def _count(self, result: str, number: int) -> None:
        if number:
            self._entries.add(number, {"result": result})

    def _complain_of_removal(self) -> None:
        self._count("removed_key", 1)
        self._complain("something else stood where replicas write, and is removed")

    def _complain(self, sentence: str, **details: object) -> None:
        """Log a sentence, once a minute at most."""
        now = self._clock.monotonic()
        if now >= self._complained.get(sentence, now):
            self._complained[sentence] = now + COMPLAINT_PAUSE_SECONDS
            logger.warning(sentence, **details)


def _outgoing(item: Waiting, now: float) -> Outgoing:
    return Outgoing(item.number, max(0.0, now - item.since), item.payload)
