"""Changes of states and circuits as messages."""

from typing import cast

from steelyard.health.v1 import health_pb2
from steelyard.health.v1 import health_service_pb2 as pb
from steelyard_common.message_times import to_timestamp
from steelyard_health.domain.change_log import Told
from steelyard_health.domain.changes import StateChange
from steelyard_health.domain.circuit import CircuitState
from steelyard_health.domain.state import HealthState
from steelyard_health.domain.subject import EVERYBODY


def to_state(state: HealthState) -> "health_pb2.HealthState.ValueType":
    return cast("health_pb2.HealthState.ValueType", state)


def to_told(told: Told) -> pb.WatchHealthResponse:
    change = None if told.change is None else to_change(told.change)
    return pb.WatchHealthResponse(change=change, present=told.is_present)


def to_change(change: StateChange) -> health_pb2.StateChange:
    return health_pb2.StateChange(
        provider=change.subject.provider,
        offer=change.subject.offer,
        before=to_state(change.before),
        after=to_state(change.after),
        circuit_before=_circuit(change.circuit_before),
        circuit_after=_circuit(change.circuit_after),
        time=to_timestamp(change.time),
        evidence=change.evidence,
        version=change.version,
        platform_wide=change.subject.tenant_id == EVERYBODY,
    )


def _circuit(state: CircuitState) -> "health_pb2.CircuitState.ValueType":
    return cast("health_pb2.CircuitState.ValueType", state)
