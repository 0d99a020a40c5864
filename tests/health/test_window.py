"""The sliding window against a model that keeps everything and counts it anew."""

import gc
import tracemalloc
from collections import Counter
from dataclasses import dataclass
from math import ceil, isclose

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from steelyard_health.domain.outcome import PROVIDER_FAILURES, WINDOW_SECONDS, Outcome, Result
from steelyard_health.domain.subject import Subject
from steelyard_health.domain.track import Report, Track
from steelyard_health.domain.view import Figures
from steelyard_health.domain.window import (
    MAX_SLOT_BIN,
    SLOT_COUNT,
    SLOT_SECONDS,
    Sample,
    Tally,
    Window,
    slot_of,
)
from tests.health.outcomes import OFFER, TENANT, an_outcome

PRECISION = 1 / 32
SECONDS = st.none() | st.floats(0.01, 400)


@st.composite
def outcomes(draw: st.DrawFn) -> Outcome:
    first_token, rest = draw(SECONDS), draw(SECONDS)
    return an_outcome(
        draw(st.sampled_from(Result)),
        age=draw(st.floats(0, WINDOW_SECONDS)),
        latency=None if rest is None else (first_token or 0.0) + rest,
        first_token=first_token,
        tokens=draw(st.integers(0, 2000)),
    )


@dataclass(frozen=True)
class Entry:
    """What the model keeps of an outcome."""

    outcome: Outcome
    slot: int

    @property
    def is_answer(self) -> bool:
        return self.outcome.result is Result.SUCCESS

    @property
    def is_counted(self) -> bool:
        return self.is_answer or self.outcome.result in PROVIDER_FAILURES

    @property
    def speed(self) -> float | None:
        latency, first_token = self.outcome.latency_seconds, self.outcome.first_token_seconds
        if latency is None or first_token is None or latency - first_token < 0.01:
            return None
        if self.outcome.output_token_count < 2:
            return None
        return (self.outcome.output_token_count - 1) / (latency - first_token)


def rank(values: list[float], share: float) -> float:
    return sorted(values)[ceil(share * len(values)) - 1]


def is_near(found: float | None, values: list[float | None], share: float) -> bool:
    known = [value for value in values if value is not None]
    if found is None or not known:
        return found is None and not known
    exact = min(max(rank(known, share), 1.0 / 256), 2048.0)
    return abs(found - exact) <= exact * PRECISION


class WindowAgainstModel(RuleBasedStateMachine):
    """Reports, waits, and compares every figure after each step."""

    def __init__(self) -> None:
        super().__init__()
        self.window = Window()
        self.entries: list[Entry] = []
        self.now = -25.0

    @rule(outcome=outcomes(), times=st.integers(1, 30))
    def report(self, outcome: Outcome, times: int) -> None:
        ended_slot = int((self.now - outcome.age_seconds) // SLOT_SECONDS)
        oldest_slot = int(self.now // SLOT_SECONDS) - SLOT_COUNT + 1
        for _ in range(times):
            self.window.add(Sample.of(outcome, self.now), int(self.now // SLOT_SECONDS))
            self.entries.append(Entry(outcome, max(ended_slot, oldest_slot)))

    @rule(seconds=st.floats(0, 40) | st.floats(0, 400))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @invariant()
    def figures_are_those_of_the_model(self) -> None:
        now_slot = int(self.now // SLOT_SECONDS)
        present = [each for each in self.entries if each.slot > now_slot - SLOT_COUNT]
        entries = [each for each in present if each.is_counted]
        answers = [each for each in entries if each.is_answer]
        tally = self.window.total(now_slot)
        figures = Figures.of(tally)

        assert figures.results == Counter(each.outcome.result for each in present)
        assert tally.successes == len(answers)
        assert tally.failures == len(entries) - len(answers)
        calls = [each.outcome.latency_seconds for each in entries]
        timed = [seconds for seconds in calls if seconds is not None]
        assert tally.call_count == len(timed)
        assert isclose(tally.call_micros, sum(timed) * 1e6, abs_tol=len(timed))
        latencies = [each.outcome.latency_seconds for each in answers]
        first_tokens = [each.outcome.first_token_seconds for each in answers]
        p50, p95, p99 = figures.latency or (None, None, None)
        assert is_near(p50, latencies, 0.5)
        assert is_near(p95, latencies, 0.95)
        assert is_near(p99, latencies, 0.99)
        p50, p95 = figures.first_token or (None, None)
        assert is_near(p50, first_tokens, 0.5)
        assert is_near(p95, first_tokens, 0.95)

    @invariant()
    def speed_is_that_of_the_model(self) -> None:
        now_slot = int(self.now // SLOT_SECONDS)
        found = Figures.of(self.window.total(now_slot)).tokens_per_second
        speeds = [
            max(each.speed, 1.0)
            for each in self.entries
            if each.is_answer and each.slot > now_slot - SLOT_COUNT and each.speed is not None
        ]
        assert is_near(found, list(speeds), 0.5)


WindowAgainstModel.TestCase.settings = settings(
    max_examples=60, stateful_step_count=30, deadline=None
)
TestWindowAgainstModel = WindowAgainstModel.TestCase


def a_window(*outcomes: Outcome, now: float) -> Window:
    window = Window()
    for outcome in outcomes:
        window.add(Sample.of(outcome, now), int(now // SLOT_SECONDS))
    return window


def total_at(window: Window, now: float) -> Tally:
    return window.total(int(now // SLOT_SECONDS))


@pytest.mark.parametrize(
    ("waited", "samples"), [(0.0, 1), (289.9, 1), (299.9, 1), (300.0, 0), (10_000.0, 0)]
)
def test_an_outcome_at_the_start_of_a_slot_counts_for_five_minutes(
    waited: float, samples: int
) -> None:
    window = a_window(an_outcome(latency=1.0), now=600.0)

    assert total_at(window, 600.0 + waited).sample_count == samples


def test_an_outcome_never_counts_for_longer_than_five_minutes() -> None:
    window = a_window(an_outcome(latency=1.0), now=609.9)

    assert total_at(window, 899.9).sample_count == 1
    assert total_at(window, 900.0).sample_count == 0


def test_an_outcome_reported_late_leaves_the_window_when_it_ended_not_when_it_came() -> None:
    window = a_window(an_outcome(age=200.0), now=600.0)

    assert total_at(window, 699.0).sample_count == 1
    assert total_at(window, 700.0).sample_count == 0


def test_an_outcome_reported_as_late_as_can_be_counts_in_the_oldest_slot() -> None:
    window = a_window(an_outcome(age=300.0), an_outcome(), now=605.0)

    assert total_at(window, 605.0).sample_count == 2
    assert total_at(window, 610.0).sample_count == 1


def test_a_slot_that_is_full_still_leaves_without_residue() -> None:
    outcome = an_outcome(latency=1.0)
    window = a_window(*[outcome] * (MAX_SLOT_BIN + 5), now=0.0)
    window.add(Sample.of(an_outcome(latency=4.0), 20.0), 2)

    assert total_at(window, 20.0).successes == MAX_SLOT_BIN + 6
    left = Figures.of(total_at(window, 300.0))

    assert left.sample_count == 1
    assert left.latency == pytest.approx((4.0, 4.0, 4.0), rel=PRECISION)


def test_the_mean_of_calls_counts_failures_and_that_of_answers_does_not() -> None:
    window = a_window(an_outcome(latency=1.0), an_outcome(Result.TIMEOUT, latency=30.0), now=0.0)

    tally = total_at(window, 0.0)

    assert (tally.call_micros, tally.call_count) == (31_000_000, 2)
    assert Figures.of(tally).mean_latency == 1.0


def test_h8_a_busy_track_stays_below_its_documented_size_however_much_is_reported() -> None:
    track = Track(Subject.of(OFFER, TENANT))
    tracemalloc.start()
    for number in range(SLOT_COUNT * 40):
        now = number * SLOT_SECONDS / 4
        outcome = an_outcome(latency=0.01 + number % 97, first_token=0.01, tokens=number)
        report = Report(TENANT, outcome, Sample.of(outcome, now), now, slot_of(now))
        track.record(report)
        track.view(now)
    gc.collect()  # CPython keeps freed tuples at hand, which is no memory of the track
    snapshot = tracemalloc.take_snapshot().filter_traces(
        [tracemalloc.Filter(True, "*/steelyard_health/domain/*")]
    )
    tracemalloc.stop()

    assert 16 * 1024 < sum(trace.size for trace in snapshot.traces) <= 68 * 1024
