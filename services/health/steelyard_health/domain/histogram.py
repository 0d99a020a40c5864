"""Counts of values in bins whose width grows with the value, so that percentiles merge by adding.

Every power of two is cut into 16 equal steps: a value is known to within 3.2 % at any scale, at a
fixed size. The histograms of one tally lie side by side in one array, followed by the sums of each
16 steps, so that a percentile is found by reading a few dozen numbers.
"""

from array import array
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from math import ceil, frexp, ldexp

STEPS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Where values of one kind are counted; what lies outside counts in the outermost bins."""

    offset: int
    """Index of the first bin."""
    lowest_exponent: int
    """The first bin starts at two to this power."""
    octaves: int
    end: int = field(init=False)
    """Index after the last bin."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "end", self.offset + self.octaves * STEPS)

    def bin_of(self, value: float) -> int:
        """Return the index of the bin that counts `value`, which is above 0."""
        mantissa, exponent = frexp(value)  # mantissa lies in [0.5, 1)
        step = (exponent - 1 - self.lowest_exponent) * STEPS + int(mantissa * 2 * STEPS) - STEPS
        if step < 0:
            return self.offset
        index = self.offset + step
        return index if index < self.end else self.end - 1

    def value_of(self, index: int) -> float:
        """Return the middle of a bin."""
        octave, step = divmod(index - self.offset, STEPS)
        return ldexp(1 + (step + 0.5) / STEPS, self.lowest_exponent + octave)

    def quantiles(self, bins: Sequence[int], shares: Sequence[float]) -> tuple[float, ...] | None:
        """Return the values below which `shares` of all lie (nearest rank), None without any."""
        octaves = slice(octave_of(self.offset), octave_of(self.end))
        running = list(accumulate(bins[octaves]))
        if not running[-1]:
            return None
        return tuple(self._ranked(bins, running, ceil(share * running[-1])) for share in shares)

    def _ranked(self, bins: Sequence[int], running: list[int], rank: int) -> float:
        octave = bisect_left(running, rank)
        first = self.offset + octave * STEPS
        below = running[octave - 1] if octave else 0
        steps = list(accumulate(bins[first : first + STEPS]))
        return self.value_of(first + bisect_left(steps, rank - below))


LATENCY = Scale(offset=0, lowest_exponent=-8, octaves=18)
"""Seconds to the whole answer, from 4 ms to 1024 s."""

FIRST_TOKEN = Scale(offset=LATENCY.end, lowest_exponent=-8, octaves=17)
"""Seconds to the first token, from 4 ms to 512 s."""

SPEED = Scale(offset=FIRST_TOKEN.end, lowest_exponent=0, octaves=11)
"""Output tokens per second, from 1 to 2048."""

VALUE_BIN_COUNT = SPEED.end
"""Bins of values; after them come the sums of each octave."""
BIN_COUNT = VALUE_BIN_COUNT + VALUE_BIN_COUNT // STEPS
NO_BINS: Sequence[int] = array("I", bytes(BIN_COUNT * 4))


def octave_of(index: int) -> int:
    """Return the index of the sum that a bin belongs to."""
    return VALUE_BIN_COUNT + index // STEPS


def octave_sums(bins: Sequence[int]) -> "array[int]":
    """Return the sums of each octave, in order."""
    return array(
        "I", [sum(bins[start : start + STEPS]) for start in range(0, VALUE_BIN_COUNT, STEPS)]
    )
