"""Everything that is remembered of one offer or one provider."""

from steelyard_health.domain.outcome import Outcome, Result
from steelyard_health.domain.state import HealthState, StateMachine, wait_seconds
from steelyard_health.domain.view import Figures, HealthView, Standing, blended
from steelyard_health.domain.window import (
    Sample,
    Tally,
    Window,
    forgotten_at,
    slot_end,
    slot_of,
)


class Track:
    """A window and a state machine, and the view of them while nothing changes."""

    __slots__ = (
        "_blend",
        "_changed_at",
        "_last_outcome_at",
        "_machine",
        "_seen_state",
        "_view",
        "_view_until",
        "_window",
    )

    def __init__(self) -> None:
        self._window = Window()
        self._machine = StateMachine()
        self._seen_state = HealthState.UNKNOWN
        self._changed_at: float | None = None
        self._last_outcome_at: float | None = None
        self._view: HealthView | None = None
        self._view_until = 0.0
        self._blend: tuple[HealthView, HealthView, HealthView] | None = None

    def record(self, outcome: Outcome, sample: Sample | None, now: float) -> None:
        """Take in an outcome that ended within the window."""
        slot = slot_of(now)
        tally = self._window.total(slot)
        if sample is not None:
            self._note(sample, tally)
            self._window.add(sample, slot)
        elif outcome.result is Result.RATE_LIMITED:
            wait = wait_seconds(outcome.retry_after_seconds)
            self._machine.limit(now - outcome.age_seconds + wait)
        self._last_outcome_at = now
        self._view = None
        self._observe(now, tally)

    def view(self, now: float) -> HealthView:
        """Return the health now; the same object for as long as it stands."""
        if self._view is None or now >= self._view_until:
            tally = self.total(now)
            self._observe(now, tally)
            self._view = HealthView(self._standing(now, tally), Figures.of(tally))
            limited_until = self._machine.limited_until
            self._view_until = min(
                slot_end(slot_of(now)), limited_until if limited_until > now else float("inf")
            )
        return self._view

    def total(self, now: float) -> Tally:
        """Return the sums of the window. Only good until the next call."""
        return self._window.total(slot_of(now))

    def view_with(self, shared: "Track", now: float) -> HealthView:
        """Return the health by the outcomes of both; the same object for as long as it stands."""
        mine, theirs = self.view(now), shared.view(now)
        if self._blend is None or self._blend[0] is not mine or self._blend[1] is not theirs:
            both = self.total(now).plus(shared.total(now))
            self._blend = mine, theirs, blended(mine, theirs, both)
        return self._blend[2]

    def _note(self, sample: Sample, tally: Tally) -> None:
        if sample.has_failed:
            self._machine.fail(
                failures_before=tally.failures, forgotten_at=forgotten_at(sample.slot)
            )
        else:
            self._machine.succeed(successes_before=tally.successes)

    def _observe(self, now: float, tally: Tally) -> None:
        state = self._machine.state(now, successes=tally.successes, failures=tally.failures)
        if state is not self._seen_state:
            self._seen_state, self._changed_at = state, now

    def _standing(self, now: float, tally: Tally) -> Standing:
        machine = self._machine
        return Standing(
            state=self._seen_state,
            state_apart_from_limits=machine.state_apart_from_limits(
                now, successes=tally.successes, failures=tally.failures
            ),
            failures_in_row=machine.failures_in_row(tally.failures),
            successes_in_row=machine.successes_in_row(tally.successes),
            retry_at=machine.limited_until if machine.is_limited(now) else None,
            last_outcome_at=self._last_outcome_at,
            changed_at=self._changed_at,
        )
