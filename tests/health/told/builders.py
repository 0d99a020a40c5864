"""Changes and alerts of the tests."""

from datetime import datetime

from steelyard_health.domain.changes import StateChange
from steelyard_health.domain.circuit import CircuitState
from steelyard_health.domain.state import HealthState
from steelyard_health.domain.subject import EVERYBODY, Subject
from tests.fakes import START

UNKNOWN, HEALTHY = HealthState.UNKNOWN, HealthState.HEALTHY
DEGRADED, UNHEALTHY = HealthState.DEGRADED, HealthState.UNHEALTHY
RATE_LIMITED, MAINTENANCE = HealthState.RATE_LIMITED, HealthState.MAINTENANCE
CLOSED, OPEN = CircuitState.CLOSED, CircuitState.OPEN

OFFER = "openai/gpt-4o"


class Story:
    """Tells one change after another, each with the next version."""

    def __init__(self, version: int = 0) -> None:
        self._version = version

    def __call__(  # noqa: PLR0913 - what tests care about of a change
        self,
        after: HealthState,
        name: str = OFFER,
        *,
        tenant_id: str = EVERYBODY,
        time: datetime = START,
        evidence: str = "5 failures in a row",
        circuit: CircuitState = CLOSED,
    ) -> StateChange:
        """Return the next change."""
        self._version += 1
        return StateChange(
            subject=Subject.of(name, tenant_id),
            before=HEALTHY,
            after=after,
            circuit_before=CLOSED,
            circuit_after=circuit,
            time=time,
            evidence=evidence,
            version=self._version,
        )
