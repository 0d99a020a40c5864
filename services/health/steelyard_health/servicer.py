"""gRPC face of the health service."""

from steelyard.health.v1 import health_service_pb2_grpc
from steelyard_common.clock import Clock
from steelyard_health.domain.ports import HealthStore
from steelyard_health.rpcs.outcomes import OutcomeCalls
from steelyard_health.rpcs.providers import ProviderCalls


class HealthServicer(OutcomeCalls, ProviderCalls, health_service_pb2_grpc.HealthServiceServicer):
    """Answers from a store, each caller as its tenant."""

    def __init__(self, store: HealthStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
