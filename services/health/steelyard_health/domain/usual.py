"""What is usual for an offer over a day: against it a sudden slowness stands out."""

from array import array

from steelyard_health.domain.histogram import FIRST_TOKEN, STEPS
from steelyard_health.domain.window import Sample

HOUR_SECONDS = 3600.0
FADING = 0.5 ** (1 / 8)
"""Per hour: after eight hours a call counts half, after a day an eighth."""
MIN_WEIGHT = 100.0
SHARE = 0.95
SLOW_FACTOR = 3.0
"""So many times the usual 95th percentile is slow."""


class UsualFirstToken:
    """A fading histogram of times to the first token, read once an hour.

    So the calls that are judged have not moved what they are held against.
    """

    __slots__ = ("_next_at", "_weights", "p95_seconds")

    def __init__(self) -> None:
        self._weights = array("f", bytes(FIRST_TOKEN.octaves * STEPS * 4))
        self._next_at = 0.0
        self.p95_seconds: float | None = None
        """None until a hundred calls were timed."""

    def add(self, sample: Sample, now: float) -> bool | None:
        """Count a call that was timed and say whether it was slow; None when nobody knows."""
        verdict = None if self.p95_seconds is None else self.is_slow(sample)
        self._weights[sample.first_token_bin - FIRST_TOKEN.offset] += 1.0
        if now >= self._next_at:
            self._settle(now)
        return verdict

    def is_slow(self, sample: Sample) -> bool:
        """Say whether a call was slow to begin, by what was usual until now."""
        usual, seconds = self.p95_seconds, sample.first_token_seconds
        return usual is not None and seconds is not None and seconds > SLOW_FACTOR * usual

    def _settle(self, now: float) -> None:
        total = sum(self._weights)
        if total < MIN_WEIGHT:
            return
        self.p95_seconds = self._quantile(total)
        self._weights = array("f", (weight * FADING for weight in self._weights))
        self._next_at = now + HOUR_SECONDS

    def _quantile(self, total: float) -> float:
        running = 0.0
        for place, weight in enumerate(self._weights):
            running += weight
            if running >= SHARE * total:
                return FIRST_TOKEN.value_of(FIRST_TOKEN.offset + place)
        return FIRST_TOKEN.value_of(FIRST_TOKEN.end - 1)
