"""What the health service says of sellers, or that it says nothing."""

from collections.abc import Iterator, Mapping, Sequence

from steelyard.common.v1 import error_reason_pb2 as reasons
from steelyard.health.v1 import health_service_pb2 as pb
from steelyard.health.v1.health_pb2 import ProviderHealth
from steelyard.health.v1.health_service_pb2_grpc import HealthServiceStub
from steelyard_common.errors import DeadlineExceededError, HealthUnavailableError
from steelyard_edge.backends import Backend
from steelyard_edge.failure import CallFailedError

HEALTH_SECONDS = 2.0
"""After that the last figures that the registry has seen are better than to wait."""

MAX_NAMED = 200
"""How many providers one call to the health service may name."""

AWAY = frozenset(
    {
        reasons.ERROR_REASON_DEADLINE_EXCEEDED,
        reasons.ERROR_REASON_HEALTH_UNAVAILABLE,
        reasons.ERROR_REASON_OVERLOADED,
    }
)
"""Reasons that mean the same for the caller as no answer at all."""


class MeasuredHealth:
    """Asks the health service for providers."""

    def __init__(self, health: Backend[HealthServiceStub]) -> None:
        self._health = health

    async def reported(self) -> Mapping[str, ProviderHealth] | None:
        """Return all that were reported on, by id; None when nobody answers."""
        return await self._asked([])

    async def of(self, names: Sequence[str]) -> Mapping[str, ProviderHealth]:
        """Return what is said of these, without those that get no answer."""
        measured: dict[str, ProviderHealth] = {}
        for part in _parts(names):
            measured |= await self._asked(part) or {}
        return measured

    async def _asked(self, names: Sequence[str]) -> Mapping[str, ProviderHealth] | None:
        try:
            answer = await self._health.ask(
                self._health.stub.ListProviderHealth,
                pb.ListProviderHealthRequest(providers=names),
                timeout_seconds=HEALTH_SECONDS,
            )
        except (HealthUnavailableError, DeadlineExceededError):
            return None
        except CallFailedError as error:
            if error.failure.reason not in AWAY:
                raise
            return None
        return {each.provider: each for each in answer.providers}


def _parts(names: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(names), MAX_NAMED):
        yield names[start : start + MAX_NAMED]
