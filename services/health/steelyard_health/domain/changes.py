"""Changes of states and circuits, as they are told to people and programs."""

from dataclasses import dataclass
from datetime import datetime

from steelyard_health.domain.circuit import CircuitState
from steelyard_health.domain.observer import Observed
from steelyard_health.domain.state import HealthState
from steelyard_health.domain.subject import Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class StateChange:
    """One change of the state or the circuit of one subject."""

    subject: Subject
    before: HealthState
    after: HealthState
    circuit_before: CircuitState
    circuit_after: CircuitState
    time: datetime
    evidence: str
    """The figures that led to it, in one sentence."""
    version: int
    """Strictly increases, also over restarts."""

    @classmethod
    def of(cls, observed: Observed, time: datetime, version: int) -> "StateChange":
        """Return what was observed at a time, under a number."""
        return cls(
            subject=observed.subject,
            before=observed.before,
            after=observed.after,
            circuit_before=observed.circuit_before,
            circuit_after=observed.circuit_after,
            time=time,
            evidence=observed.evidence,
            version=version,
        )
