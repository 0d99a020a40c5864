"""A router that calls offers as their health allows, on a clock that the simulation moves."""

from collections.abc import Callable
from random import Random

from steelyard_health.domain.circuit import NEW_CIRCUIT, Circuit, CircuitState
from steelyard_health.domain.outcome import Result
from steelyard_health.domain.subject import Subject
from tests.health.outcomes import OFFER, TENANT, Reports, an_outcome

Verdict = Callable[[float], Result]
"""How a call that ends at a time ends."""


class Traffic:
    """Calls one offer at an even rate, with probes when a permit is given."""

    def __init__(self, reports: Reports, seed: int = 5, *, offer: str = OFFER) -> None:
        self.reports = reports
        self.random = Random(seed)  # noqa: S311 - figures, not secrets
        self.offer = offer
        self.calls: list[float] = []
        """When calls were sent, probes among them."""
        self.probes: list[float] = []
        self.opened_at: list[float] = []
        self._was_closed = True

    def run(self, seconds: float, per_second: float, verdict: Verdict) -> None:
        """Call for some time."""
        end = self.reports.now + seconds
        while self.reports.now < end:
            self.reports.now += 1 / per_second
            self.call(verdict)

    def call(self, verdict: Verdict) -> None:
        """Look, and call if that is allowed."""
        permit = self._permit()
        if permit is None:
            return
        now = self.reports.now
        self.calls.append(now)
        if permit:
            self.probes.append(now)
        latency = self.random.lognormvariate(0.0, 0.5)
        outcome = an_outcome(verdict(now), offer=self.offer, latency=latency, permit=permit)
        self.reports.report(outcome, tenant=TENANT)
        self._note()

    def failing(self, share: float) -> Verdict:
        """Return what fails that share of calls, at random."""
        return lambda _: Result.SERVER_ERROR if self.random.random() < share else Result.SUCCESS

    @property
    def circuit(self) -> CircuitState:
        """The state now; looking at it takes no permit."""
        return self._circuit().state_at(self.reports.now)

    def _circuit(self) -> Circuit:
        track = self.reports.board.track_of(Subject.of(self.offer, TENANT))
        return NEW_CIRCUIT if track is None else track.breaker.circuit

    def _permit(self) -> str | None:
        """Return with what permit a call may be sent, none in most cases; None when it may not."""
        circuit, now = self._circuit(), self.reports.now
        self._note()
        if circuit.state_at(now) is CircuitState.CLOSED:
            return "" if self.random.random() < circuit.share_at(now) else None
        if circuit.state_at(now) is CircuitState.OPEN:
            return None
        return self.reports.permit(self.offer) or None

    def _note(self) -> None:
        is_closed = not self._circuit().is_open
        if self._was_closed and not is_closed:
            self.opened_at.append(self.reports.now)
        self._was_closed = is_closed
