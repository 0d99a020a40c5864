"""Decides when a circuit opens and closes, by the calls of its offer or provider."""

from collections.abc import Iterable
from math import inf

from steelyard_health.domain.circuit import NEW_CIRCUIT, Circuit, CircuitState
from steelyard_health.domain.evidence import OFFERS_TO_AGREE, Evidence, Quorum, Witnesses
from steelyard_health.domain.recent import MIN_CALLS, RecentCalls
from steelyard_health.domain.usual import UsualFirstToken
from steelyard_health.domain.window import Sample

MAX_AGE_SECONDS = 30.0
"""What ended longer ago moves no circuit: it was reported late, or learnt from another replica."""


class Breaker:
    """A circuit, and what moves it."""

    __slots__ = ("_evidence", "_failing_offers", "_recent", "_usual", "circuit", "version")

    def __init__(self, *, is_provider: bool) -> None:
        """Begin closed.

        Args:
            is_provider: Whether it is that of a whole provider: then failures of one offer are not
                enough, and models are too different to have a usual time to the first token.
        """
        self._evidence = Evidence()
        self._recent = RecentCalls()
        self._failing_offers = Witnesses(OFFERS_TO_AGREE) if is_provider else None
        self._usual = None if is_provider else UsualFirstToken()
        self.circuit = NEW_CIRCUIT
        self.version = 0
        """Grows with each change of the circuit."""

    def weigh(
        self, sample: Sample, witnesses: Iterable[str], now: float, quorum: Quorum | None
    ) -> bool:
        """Take in a call and say whether the circuit must open for it.

        Args:
            sample: What happened.
            witnesses: What testifies against a provider: the offer that was called, or more if the
                call says so much.
            now: The instant.
            quorum: Who has to agree; None where one tenant decides for itself.
        """
        is_slow = None
        if self._usual is not None and sample.first_token_seconds is not None:
            is_slow = self._usual.add(sample, now)
        # What began before the circuit changed, or ended long ago, tells of another time; while it
        # is open only probes count.
        is_old = (
            sample.began_at < self.circuit.changed_at or now - sample.ended_at > MAX_AGE_SECONDS
        )
        if self.circuit.is_open or is_old:
            return False
        has_failed = sample.has_failed
        is_enough = self._evidence.add(now, is_failure=has_failed)
        must_open = self._recent.add(now, is_failure=has_failed, is_slow=is_slow)
        if not has_failed and not is_slow:
            return False
        if self._failing_offers is not None:
            for witness in witnesses:
                self._failing_offers.add(witness, now)
        must_open |= is_enough and (self._recent.calls >= MIN_CALLS or self._evidence.is_run)
        return must_open and self._is_agreed(now, quorum)

    def is_good_probe(self, sample: Sample) -> bool:
        """Say whether a probe went well: a whole answer, and begun in a usual time."""
        is_slow = self._usual is not None and self._usual.is_slow(sample)
        return not sample.has_failed and not is_slow

    def move(self, circuit: Circuit) -> bool:
        """Take the next circuit and say whether it is a newer one."""
        if circuit.revision <= self.circuit.revision:
            return False
        self.replace(circuit)
        return True

    def replace(self, circuit: Circuit) -> None:
        """Take another circuit, because replicas agreed on it."""
        if circuit.is_open is not self.circuit.is_open:
            self._forget_calls()
        self.circuit = circuit
        self.version += 1

    def until(self, now: float) -> float:
        """Return until when its state and traffic share stay as they are, if nothing happens."""
        circuit = self.circuit
        if circuit.is_ramping_at(now):
            return now + 1.0
        return circuit.open_until if circuit.state_at(now) is CircuitState.OPEN else inf

    def recent_counts(self, now: float) -> tuple[int, int, int]:
        """Return the calls, failures and slow answers of the last thirty seconds."""
        self._recent.advance(now)
        return self._recent.calls, self._recent.failures, self._recent.slow

    def _is_agreed(self, now: float, quorum: Quorum | None) -> bool:
        if self._failing_offers is not None and not self._failing_offers.agree(now):
            return False
        return quorum is None or quorum.vouched_until > now or quorum.failing.agree(now)

    def _forget_calls(self) -> None:
        self._evidence.clear()
        self._recent = RecentCalls()
        if self._failing_offers is not None:
            self._failing_offers.clear()
