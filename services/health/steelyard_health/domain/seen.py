"""Which outcomes were reported already, in bounded memory."""

from collections import deque
from collections.abc import Hashable

from steelyard_health.domain.outcome import WINDOW_SECONDS

GENERATIONS = 6


class SeenOutcomes:
    """Remembers ids for at least the window, unless more than `capacity` come within it.

    Ids are kept as 64-bit hashes in generations, the oldest of which is dropped whole; a new one
    begins each fifth of the window, or earlier when it is full. At the capacity of a million, a
    new id is taken for a known one with a probability of 1 in 10^13.
    """

    def __init__(self, capacity: int) -> None:
        self._generation_capacity = max(1, capacity // GENERATIONS)
        self._generations: deque[set[int]] = deque([set()], maxlen=GENERATIONS)
        self._began = 0.0

    def __len__(self) -> int:
        return sum(map(len, self._generations))

    def add(self, identity: Hashable, now: float) -> bool:
        """Remember `identity` and say whether it is new."""
        key = hash(identity)
        for generation in self._generations:
            if key in generation:
                return False
        current = self._generations[-1]
        if len(current) >= self._generation_capacity or self._is_over(now):
            current = set()
            self._generations.append(current)
            self._began = now
        current.add(key)
        return True

    def _is_over(self, now: float) -> bool:
        return now - self._began >= WINDOW_SECONDS / (GENERATIONS - 1)
