"""Changes of states and circuits, as they are told to people and programs."""

from dataclasses import dataclass
from datetime import datetime

from steelyard_health.domain.circuit import CircuitState
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
