"""Outcomes of the last five minutes, in slots of ten seconds that leave one by one.

Nothing has to run for outcomes to leave: every read and write first drops what is too old. A write
touches one slot and the sum of all slots; dropping a slot costs one pass over its bins, at most
once per ten seconds.
"""

from array import array
from collections.abc import Sequence
from operator import sub
from typing import NamedTuple

from steelyard_health.domain.histogram import (
    BIN_COUNT,
    FIRST_TOKEN,
    LATENCY,
    NO_BINS,
    SPEED,
    STEPS,
    VALUE_BIN_COUNT,
    octave_sums,
)
from steelyard_health.domain.outcome import PROVIDER_FAILURES, WINDOW_SECONDS, Outcome, Result

SLOT_COUNT = 30
SLOT_SECONDS = WINDOW_SECONDS // SLOT_COUNT

MAX_SLOT_BIN = 2**16 - 1
"""A slot counts no more values in a bin: percentiles bear it, memory is halved."""

MICROS = 1_000_000
RESULT_COUNT = max(Result) + 1
_HAS_FAILED = tuple(number in PROVIDER_FAILURES for number in range(RESULT_COUNT))
# Below, the pace says more about buffering on the way than about the provider.
MIN_SPEED_TOKENS = 2
MIN_SPEED_SECONDS = 0.01


def slot_of(instant: float) -> int:
    """Return the number of the slot that `instant` lies in."""
    return int(instant // SLOT_SECONDS)


def slot_for(ended_at: float, now: float) -> int:
    """Return the slot for what ended within the window: at least the oldest that is left."""
    return max(slot_of(ended_at), slot_of(now) - SLOT_COUNT + 1)


def slot_end(slot: int) -> float:
    """Return when a slot is over."""
    return float((slot + 1) * SLOT_SECONDS)


def forgotten_at(slot: int) -> float:
    """Return when a slot leaves the window."""
    return float((slot + SLOT_COUNT) * SLOT_SECONDS)


class Sample(NamedTuple):
    """What one outcome adds to a window; the same for the offer's and the provider's."""

    slot: int
    """When the call ended."""
    result: Result
    is_counted: bool
    """Whether success and error rates count it."""
    has_failed: bool
    """Through the provider's fault."""
    call_micros: int | None
    """Duration of the call, however it ended; None when it was not measured."""
    bins: tuple[tuple[int, int], ...]
    """Where its latency, time to first token and speed are counted, bin and octave of each.

    Only whole answers are.
    """
    ended_at: float
    began_at: float
    """When the call began; when it ended if its duration was not measured."""
    first_token_seconds: float | None
    first_token_bin: int
    """Where it is counted; -1 when it was not measured."""

    @classmethod
    def of(cls, outcome: Outcome, now: float) -> "Sample":
        """Return the sample of an outcome that ended within the window."""
        result, latency = outcome.result, outcome.latency_seconds
        first_token = outcome.first_token_seconds
        ended_at = now - outcome.age_seconds
        is_success = result is Result.SUCCESS
        first_token_bin = FIRST_TOKEN.bin_of(first_token) if first_token else -1
        return cls(
            slot_for(ended_at, now),
            result,
            is_success or _HAS_FAILED[result],
            _HAS_FAILED[result],
            # Zero is what a reporter sends that did not measure.
            round(latency * MICROS) if latency else None,
            _bins_of(outcome, first_token_bin) if is_success else (),
            ended_at,
            ended_at - (latency or 0.0),
            first_token or None,
            first_token_bin,
        )


def _bins_of(outcome: Outcome, first_token_bin: int) -> tuple[tuple[int, int], ...]:
    latency, first_token = outcome.latency_seconds, outcome.first_token_seconds
    bins = []
    if latency:
        bins.append(LATENCY.bin_of(latency))
    if first_token:
        bins.append(first_token_bin)
    if latency and first_token:
        seconds = latency - first_token
        if seconds >= MIN_SPEED_SECONDS and outcome.output_token_count >= MIN_SPEED_TOKENS:
            bins.append(SPEED.bin_of((outcome.output_token_count - 1) / seconds))
    return tuple([(index, VALUE_BIN_COUNT + index // STEPS) for index in bins])


class Tally:
    """Sums over samples. Whole numbers only, so that subtracting leaves no residue."""

    __slots__ = (
        "answer_count",
        "answer_micros",
        "bins",
        "call_count",
        "call_micros",
        "failures",
        "results",
        "successes",
    )

    def __init__(self) -> None:
        self.successes = 0
        self.failures = 0
        self.call_micros = 0
        self.call_count = 0
        self.answer_micros = 0
        """Of whole answers only."""
        self.answer_count = 0
        self.results = [0] * RESULT_COUNT
        """Outcomes by the number of how they ended."""
        self.bins: array[int] | None = None
        """None until something is counted in it."""

    @property
    def sample_count(self) -> int:
        return self.successes + self.failures

    @property
    def counts(self) -> Sequence[int]:
        """The bins to read from."""
        return NO_BINS if self.bins is None else self.bins

    def subtract(self, other: "Tally") -> None:
        """Take out what `other` counted, all of which is in here."""
        self.successes -= other.successes
        self.failures -= other.failures
        self.call_micros -= other.call_micros
        self.call_count -= other.call_count
        self.answer_micros -= other.answer_micros
        self.answer_count -= other.answer_count
        self.results = list(map(sub, self.results, other.results))
        if other.bins is not None and self.bins is not None:
            values = array("I", map(sub, self.bins, other.bins))
            self.bins = values + octave_sums(values)

    def without_failures(self) -> "Tally":
        """Return a tally in which no call failed; the bins are the same ones."""
        clean = Tally()
        clean.successes = self.successes
        clean.call_micros = clean.answer_micros = self.answer_micros
        clean.call_count = clean.answer_count = self.answer_count
        clean.results[Result.SUCCESS] = self.successes
        clean.bins = self.bins
        return clean


class Window:
    """A sliding window of five minutes."""

    __slots__ = ("_newest", "_slots", "_total")

    def __init__(self) -> None:
        self._slots: list[Tally | None] = [None] * SLOT_COUNT
        self._newest: int | None = None
        self._total = Tally()

    def add(self, sample: Sample, now_slot: int) -> None:
        """Count a sample of the window that ends with `now_slot`."""
        if now_slot != self._newest:
            self.total(now_slot)
        index = sample.slot % SLOT_COUNT
        mine, total = self._slots[index], self._total
        if mine is None:
            mine = self._slots[index] = Tally()
        mine.results[sample.result] += 1
        total.results[sample.result] += 1
        if not sample.is_counted:
            return
        if sample.has_failed:
            mine.failures += 1
            total.failures += 1
        else:
            mine.successes += 1
            total.successes += 1
        micros = sample.call_micros
        if micros is not None:
            for tally in (mine, total):  # once per call and kind: a method would take longer
                tally.call_micros += micros
                tally.call_count += 1
                if not sample.has_failed:
                    tally.answer_micros += micros
                    tally.answer_count += 1
        if sample.bins:
            self._count(mine, sample.bins)

    def total(self, slot: int) -> Tally:
        """Return the sums of the window that ends with `slot`. Only good until the next call."""
        newest = self._newest
        if newest is None:
            self._newest = slot
        elif slot > newest:
            self._drop(newest + 1, slot)
            self._newest = slot
        return self._total

    def clear(self) -> None:
        """Forget all."""
        self._slots = [None] * SLOT_COUNT
        self._total = Tally()

    def _drop(self, first: int, last: int) -> None:
        """Make room for the slots `first` to `last`."""
        if last - first + 1 >= SLOT_COUNT:
            self.clear()
            return
        for slot in range(first, last + 1):
            old = self._slots[slot % SLOT_COUNT]
            if old is not None:
                self._total.subtract(old)
                self._slots[slot % SLOT_COUNT] = None

    def _count(self, tally: Tally, bins: tuple[tuple[int, int], ...]) -> None:
        if tally.bins is None:
            tally.bins = array("H", bytes(VALUE_BIN_COUNT * 2))
        if self._total.bins is None:
            self._total.bins = array("I", bytes(BIN_COUNT * 4))
        mine, total = tally.bins, self._total.bins
        for index, octave in bins:
            count = mine[index]
            if count < MAX_SLOT_BIN:
                mine[index] = count + 1
                total[index] += 1
                total[octave] += 1
