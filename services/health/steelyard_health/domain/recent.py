"""The last thirty seconds in ten slots: what a circuit looks at."""

SLOT_COUNT = 10
SLOT_SECONDS = 3.0

MIN_CALLS = 20
FAILING_PERCENT = 50
SLOW_PERCENT = 80


class RecentCalls:
    """Counts of calls, failures, timed and slow ones."""

    __slots__ = ("_ends_at", "_newest", "_place", "_slots", "calls", "failures", "slow", "timed")

    def __init__(self) -> None:
        self._newest = -SLOT_COUNT
        self._ends_at = 0.0
        self._place = 0
        # Calls, failures, timed, slow; four to a slot.
        self._slots = [0] * (SLOT_COUNT * 4)
        self.calls = 0
        self.failures = 0
        self.timed = 0
        self.slow = 0

    def add(self, now: float, *, is_failure: bool, is_slow: bool | None) -> bool:
        """Count one call and say whether the circuit must open.

        Args:
            now: The instant.
            is_failure: Through the provider's fault.
            is_slow: To the first token; None when nobody knows.
        """
        if now >= self._ends_at:
            self.advance(now)
        place = self._place
        slots = self._slots
        slots[place] += 1
        self.calls += 1
        if is_failure:
            slots[place + 1] += 1
            self.failures += 1
        if is_slow is not None:
            slots[place + 2] += 1
            self.timed += 1
            if is_slow:
                slots[place + 3] += 1
                self.slow += 1
        return (
            self.calls >= MIN_CALLS and self.failures * 100 >= FAILING_PERCENT * self.calls
        ) or (self.timed >= MIN_CALLS and self.slow * 100 >= SLOW_PERCENT * self.timed)

    def advance(self, now: float) -> None:
        """Forget what is too old."""
        slot = int(now // SLOT_SECONDS)
        if slot <= self._newest:
            return
        slots = self._slots
        for old in range(max(self._newest + 1, slot - SLOT_COUNT + 1), slot + 1):
            place = old % SLOT_COUNT * 4
            if slots[place]:
                self.calls -= slots[place]
                self.failures -= slots[place + 1]
                self.timed -= slots[place + 2]
                self.slow -= slots[place + 3]
                slots[place : place + 4] = (0, 0, 0, 0)
        self._newest = slot
        self._ends_at = (slot + 1) * SLOT_SECONDS
        self._place = slot % SLOT_COUNT * 4
