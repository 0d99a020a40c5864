"""How providers are."""

from abc import ABC, abstractmethod
from typing import Any, TypeAlias

import grpc

from steelyard.health.v1 import health_pb2
from steelyard.health.v1 import health_service_pb2 as pb
from steelyard_common.clock import Clock
from steelyard_common.tenant import current_tenant
from steelyard_health.domain.outcome import is_provider
from steelyard_health.domain.ports import HealthStore
from steelyard_health.messages.health import Instants, to_offer_health
from steelyard_health.rpcs.ids import check_ids

MAX_PROVIDERS = 200
NO_PROVIDER = "must be the id of a provider"

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class ProviderCalls(ABC):
    """Answers from the store, the status pages and the planned absences."""

    _store: HealthStore
    _clock: Clock

    async def GetProviderHealth(
        self, request: pb.GetProviderHealthRequest, context: Context
    ) -> pb.GetProviderHealthResponse:
        check_ids("provider", [request.provider], 1, is_provider, NO_PROVIDER)
        offers = await self._store.offers_of(current_tenant().tenant_id, request.provider)
        instants = Instants.of(self._clock)
        return pb.GetProviderHealthResponse(
            provider=await self._provider_message(request.provider),
            offers=[
                to_offer_health(offer, view, instants, with_results=True) for offer, view in offers
            ],
        )

    async def ListProviderHealth(
        self, request: pb.ListProviderHealthRequest, context: Context
    ) -> pb.ListProviderHealthResponse:
        check_ids("providers", request.providers, MAX_PROVIDERS, is_provider, NO_PROVIDER)
        names = request.providers or await self._store.providers(current_tenant().tenant_id)
        return pb.ListProviderHealthResponse(
            providers=[await self._provider_message(name) for name in names]
        )

    @abstractmethod
    async def _provider_message(self, provider: str) -> health_pb2.ProviderHealth:
        """Return the health of a provider as the caller sees it."""
