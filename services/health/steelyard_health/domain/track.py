"""Everything that is remembered of one offer or one provider, of one tenant or of all together."""

from math import inf
from typing import NamedTuple

from steelyard_health.domain.breaker import Breaker
from steelyard_health.domain.circuit import NEW_CIRCUIT, Circuit, CircuitState
from steelyard_health.domain.evidence import Quorum
from steelyard_health.domain.headroom import HeadroomGauge
from steelyard_health.domain.outcome import WINDOW_SECONDS, Outcome, Result
from steelyard_health.domain.state import HealthState, StateMachine, wait_seconds
from steelyard_health.domain.subject import EVERYBODY, Subject
from steelyard_health.domain.view import Figures, HealthView, Percentiles, Standing
from steelyard_health.domain.window import (
    Sample,
    Tally,
    Window,
    forgotten_at,
    slot_end,
    slot_of,
)


class Report(NamedTuple):
    """One outcome on its way into the tracks that it touches."""

    who: str
    """The tenant whose call it was; everybody means a probe of our own."""
    outcome: Outcome
    sample: Sample
    """The same, as windows count it."""
    now: float
    slot: int
    """Of now."""


class Track:
    """A window, a state machine and a breaker, and the view of them while nothing changes."""

    __slots__ = (
        "_changed_at",
        "_headroom",
        "_last_outcome_at",
        "_machine",
        "_percentiles",
        "_percentiles_count",
        "_percentiles_slot",
        "_quorum",
        "_seen_state",
        "_view",
        "_view_until",
        "_window",
        "breaker",
        "is_told_well",
        "subject",
        "told_circuit",
        "told_state",
        "version",
    )

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.version = 0
        """Grows with each outcome."""
        self.breaker = Breaker(is_provider=not subject.offer)
        self.told_state = HealthState.UNKNOWN
        """What people were last told; see `observer.py`."""
        self.told_circuit = CircuitState.CLOSED
        self.is_told_well = False
        """Whether people were last told that all is well."""
        self._quorum = Quorum() if subject.tenant_id == EVERYBODY else None
        self._view: HealthView | None = None
        self._view_until: float = 0.0
        self._percentiles: Percentiles | None = None
        self._percentiles_slot = 0
        self._percentiles_count = 0
        self._last_outcome_at: float | None = None
        self._changed_at: float | None = None
        self._seen_state = HealthState.UNKNOWN
        self._forget_calls()

    def record(self, report: Report, wider: Circuit = NEW_CIRCUIT) -> bool:
        """Take in an outcome that ended within the window; say whether it opens the circuit.

        Args:
            report: The outcome.
            wider: The circuit of all, which comes before a tenant's own: while it is open it alone
                sends probes, and what began before it changed tells of the time before.
        """
        who, outcome, sample, now, slot = report
        tally = self._window.total(slot)
        if self._quorum is not None:
            _testify(self._quorum, sample, who, now)
        if sample.is_counted:
            if sample.has_failed:
                end = forgotten_at(sample.slot)
                self._machine.fail(failures_before=tally.failures, forgotten_at=end)
            else:
                self._machine.succeed(successes_before=tally.successes)
        elif sample.result is Result.RATE_LIMITED:
            wait = wait_seconds(outcome.retry_after_seconds)
            self._machine.limit(now - outcome.age_seconds + wait)
        if outcome.headroom is not None and self._quorum is None:
            limited_until = self._headroom.note(outcome.headroom, now - outcome.age_seconds)
            if limited_until is not None:
                self._machine.limit(limited_until)
        self._window.add(sample, slot)
        if sample.has_failed or self._seen_state is not HealthState.HEALTHY:
            self._see(self._state(now, tally), now)
        self._last_outcome_at = now
        self._view = None
        self.version += 1
        if not sample.is_counted or wider.is_open or sample.began_at < wider.changed_at:
            return False
        # A provider whose list of models cannot be read fails as a whole.
        witnesses = (
            (outcome.offer, outcome.provider) if outcome.is_provider_only else (outcome.offer,)
        )
        return self.breaker.weigh(sample, witnesses, now, self._quorum)

    def view(self, now: float) -> HealthView:
        """Return the health now; the same object for as long as it stands."""
        if self._view is None or now >= self._view_until:
            tally = self._told_tally(now)
            self._view = HealthView(
                self._standing(now, tally),
                Figures.of(tally, self._percentiles_of(tally, slot_of(now))),
                headroom=self._headroom.share_at(now),
            )
            self._view_until = self._stands_until(now)
        return self._view

    def state(self, now: float) -> HealthState:
        """Return the state now, without the figures."""
        return self._state(now, self._told_tally(now))

    def _percentiles_of(self, tally: Tally, slot: int) -> Percentiles:
        """Return them as of at most a fiftieth more answers ago, within a slot."""
        count = tally.successes
        grown = count - self._percentiles_count
        if self._percentiles is None or slot != self._percentiles_slot or grown * 50 > count:
            self._percentiles = Percentiles.of(tally)
            self._percentiles_slot, self._percentiles_count = slot, count
        return self._percentiles

    def until(self) -> float:
        """Return until when the last view stands, if nothing happens."""
        return self._view_until

    def is_told(self, now: float) -> bool:
        """Say whether its figures may be shown at all: not what one or two tenants reported."""
        quorum = self._quorum
        return quorum is None or quorum.vouched_until > now or quorum.reporting.agree(now)

    def sample_count(self, now: float) -> int:
        """Return how many outcomes the window has that count, whoever reported them."""
        return self._window.total(slot_of(now)).sample_count

    def hear(self, who: str, *, called_at: float, failed_at: float) -> None:
        """Take in that somebody called before there was a shared track."""
        if self._quorum is not None:
            self._quorum.reporting.add(who, called_at)
            if failed_at:
                self._quorum.failing.add(who, failed_at)

    def reset(self) -> None:
        """Forget all but the circuit."""
        if self._quorum is not None:
            self._quorum.clear()
        self._forget_calls()
        self.version += 1

    def _forget_calls(self) -> None:
        self._window = Window()
        self._machine = StateMachine()
        self._headroom = HeadroomGauge()
        self._view = None
        self._view_until = 0.0
        self._percentiles = None

    def _told_tally(self, now: float) -> Tally:
        tally = self._window.total(slot_of(now))
        return tally if self._are_failures_told(now) else tally.without_failures()

    def _are_failures_told(self, now: float) -> bool:
        quorum = self._quorum
        return quorum is None or quorum.vouched_until > now or quorum.failing.agree(now)

    def _is_limit_told(self, now: float) -> bool:
        return self._quorum is None or self._quorum.limited.agree(now)

    def _standing(self, now: float, tally: Tally) -> Standing:
        machine = self._machine
        state = self._state(now, tally)
        self._see(state, now)
        return Standing(
            state=state,
            state_apart_from_limits=self._state_apart_from_limits(now, tally),
            failures_in_row=machine.failures_in_row(tally.failures),
            successes_in_row=machine.successes_in_row(tally.successes),
            retry_at=machine.limited_until if state is HealthState.RATE_LIMITED else None,
            last_outcome_at=self._last_outcome_at,
            changed_at=self._changed_at,
        )

    def _see(self, state: HealthState, now: float) -> None:
        if state is not self._seen_state:
            self._seen_state, self._changed_at = state, now

    def _state(self, now: float, tally: Tally) -> HealthState:
        if self._machine.is_limited(now) and self._is_limit_told(now):
            return HealthState.RATE_LIMITED
        return self._state_apart_from_limits(now, tally)

    def _state_apart_from_limits(self, now: float, tally: Tally) -> HealthState:
        if self._are_failures_told(now):
            return self._machine.state_apart_from_limits(
                now, successes=tally.successes, failures=tally.failures
            )
        return HealthState.HEALTHY if tally.successes else HealthState.UNKNOWN

    def _stands_until(self, now: float) -> float:
        limited_until = self._machine.limited_until
        ends = [
            slot_end(slot_of(now)),
            limited_until if limited_until > now else inf,
            self._headroom.until(now),
        ]
        if self._quorum is not None:
            ends += [each for each in self._quorum.ends() if each > now]
        return min(ends)


def _testify(quorum: Quorum, sample: Sample, who: str, now: float) -> None:
    quorum.reporting.add(who, now)
    if sample.has_failed:
        quorum.failing.add(who, now)
        if who == EVERYBODY:
            quorum.vouched_until = now + WINDOW_SECONDS
    elif sample.result is Result.RATE_LIMITED:
        quorum.limited.add(who, now)
