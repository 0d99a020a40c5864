"""What one replica has to tell the others and has not told yet."""

from collections import deque
from dataclasses import dataclass
from itertools import takewhile

MAX_PAYLOAD_BYTES = 256 * 1024
MAX_WAITING_BYTES = 4 * 1024 * 1024
MAX_WAITING = 1024
MAX_BATCH_BYTES = 256 * 1024
MAX_BATCH = 64


@dataclass(frozen=True, slots=True)
class Waiting:
    """One payload, numbered in the order of arrival."""

    number: int
    payload: bytes
    since: float
    """Monotonic seconds."""


class ReplicaOutbox:
    """A queue with bounds; when it is full, the oldest go."""

    def __init__(
        self, *, max_entries: int = MAX_WAITING, max_bytes: int = MAX_WAITING_BYTES
    ) -> None:
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._queue: deque[Waiting] = deque()
        self._bytes = 0
        self._last_number = 0

    def __len__(self) -> int:
        return len(self._queue)

    def put(self, payload: bytes, since: float) -> int:
        """Queue a payload; return how many older ones had to go for it."""
        self._last_number += 1
        self._queue.append(Waiting(self._last_number, payload, since))
        self._bytes += len(payload)
        dropped = 0
        while len(self._queue) > self._max_entries or self._bytes > self._max_bytes:
            self._pop()
            dropped += 1
        return dropped

    def drop_before(self, since: float) -> int:
        """Drop what has waited since an earlier time; return how many that were."""
        dropped = 0
        while self._queue and self._queue[0].since < since:
            self._pop()
            dropped += 1
        return dropped

    def batch(self) -> list[Waiting]:
        """Return the oldest ones, as many as are written at once; they stay queued."""
        total = 0

        def fits(item: Waiting) -> bool:
            nonlocal total
            total += len(item.payload)
            return total <= MAX_BATCH_BYTES

        first = [self._queue[n] for n in range(min(MAX_BATCH, len(self._queue)))]
        return list(takewhile(fits, first))

    def written(self, batch: list[Waiting]) -> None:
        """Forget a batch; some of it may have been dropped meanwhile."""
        while self._queue and self._queue[0].number <= batch[-1].number:
            self._pop()

    def _pop(self) -> None:
        self._bytes -= len(self._queue.popleft().payload)
