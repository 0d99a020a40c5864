"""Asks the health service how providers are."""

from collections.abc import Mapping
from dataclasses import replace

import grpc
import structlog

from steelyard.health.v1 import health_pb2
from steelyard.health.v1 import health_service_pb2 as pb
from steelyard.health.v1 import health_service_pb2_grpc as pb_grpc
from steelyard_registry.domain.providers import ProviderHealth

_PREFIX = "HEALTH_STATE_"

logger = structlog.get_logger(__name__)


class HealthClient:
    """Reads health over gRPC; an answer that does not come is no error."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = pb_grpc.HealthServiceStub(channel)
        self._known: Mapping[str, ProviderHealth] | None = None

    async def provider_health(self, timeout: float) -> Mapping[str, ProviderHealth] | None:  # noqa: ASYNC109
        """Return the health of every provider that was reported on.

        Without an answer it is what was known last, marked stale; None when nothing is.
        """
        try:
            answer = await self._stub.ListProviderHealth(
                pb.ListProviderHealthRequest(), timeout=timeout
            )
        except grpc.aio.AioRpcError as error:
            logger.info("health did not answer", code=error.code().name)
            return self._stale()
        self._known = {each.provider: _health(each) for each in answer.providers}
        return self._known

    def _stale(self) -> Mapping[str, ProviderHealth] | None:
        if self._known is None:
            return None
        return {name: replace(each, is_stale=True) for name, each in self._known.items()}


def _health(message: health_pb2.ProviderHealth) -> ProviderHealth:
    return ProviderHealth(
        score=message.score,
        state=health_pb2.HealthState.Name(message.state).removeprefix(_PREFIX),
        sample_count=message.sample_count,
    )
