"""gRPC face of the health service."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol, TypeAlias

import grpc

from steelyard.health.v1 import health_pb2, health_service_pb2_grpc
from steelyard.health.v1 import health_service_pb2 as pb
from steelyard_common.clock import Clock
from steelyard_common.errors import FieldViolation, InvalidFieldError
from steelyard_common.tenant import current_tenant
from steelyard_health.domain.derived import Derived
from steelyard_health.domain.outcome import Outcome, UnusableOutcomeError, is_offer, is_provider
from steelyard_health.domain.view import HealthView
from steelyard_health.messages import Instants, from_outcome, to_offer_health, to_provider_health

MAX_OFFERS = 100
MAX_OUTCOMES = 1000
MAX_PROVIDERS = 200
MAX_KEPT_PARTS = 4096
OUTCOMES_PER_TURN = 100
"""So that a full batch holds up other calls for about two milliseconds at a time."""

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class HealthStore(Protocol):
    """Where outcomes go and views come from.

    Promises: an outcome is in every later view of the same process; recording is idempotent by
    tenant and outcome id over the window; what a tenant's own keys met is in no other tenant's
    views; a view is the same object while it stands, and its instants are on this process's
    monotonic clock. Nothing is promised across a restart.
    """

    @property
    def version(self) -> int:
        """Outcomes taken in so far."""

    async def record(self, tenant_id: str, outcomes: Sequence[Outcome]) -> int:
        """Take in outcomes and return how many were new."""

    async def offers(self, tenant_id: str, offers: Sequence[str]) -> Sequence[HealthView]:
        """Return the health of each offer, by its provider's figures where it has too few."""

    async def offers_of(self, tenant_id: str, provider: str) -> Sequence[tuple[str, HealthView]]:
        """Return a provider's offers that were reported on, by id, each by its own figures."""

    async def provider(self, tenant_id: str, provider: str) -> HealthView:
        """Return the health of a provider over all its offers."""

    async def providers(self, tenant_id: str) -> Sequence[str]:
        """Return the providers that were reported on, by id."""


class HealthServicer(health_service_pb2_grpc.HealthServiceServicer):
    """Answers from a store, each caller as its tenant."""

    def __init__(self, store: HealthStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._kept: Derived[str, HealthView, bytes] = Derived(
            self._to_part, capacity=MAX_KEPT_PARTS
        )

    async def CheckOffers(
        self, request: pb.CheckOffersRequest, context: Context
    ) -> pb.CheckOffersResponse:
        offers = list(request.offers)
        # Only good ids are kept; to read them again would double the time.
        if len(offers) > MAX_OFFERS or not self._kept.has_all(offers):
            _check_ids("offers", offers, MAX_OFFERS, is_offer, "must look like provider/model")
        views = await self._store.offers(current_tenant().tenant_id, offers)
        # Protobuf merges what is concatenated; copying the messages would take four times as long.
        parts = b"".join(map(self._kept.get, offers, views))
        response = pb.CheckOffersResponse.FromString(parts)
        response.health_version = self._store.version
        return response

    async def ReportOutcomes(
        self, request: pb.ReportOutcomesRequest, context: Context
    ) -> pb.ReportOutcomesResponse:
        if len(request.outcomes) > MAX_OUTCOMES:
            raise InvalidFieldError("outcomes", f"must be 1 to {MAX_OUTCOMES} outcomes")
        tenant_id = current_tenant().tenant_id
        response = pb.ReportOutcomesResponse()
        for start in range(0, len(request.outcomes), OUTCOMES_PER_TURN):
            batch = request.outcomes[start : start + OUTCOMES_PER_TURN]
            usable = self._usable(start, batch, response)
            accepted = await self._store.record(tenant_id, usable)
            response.accepted_count += accepted
            response.duplicate_count += len(usable) - accepted
            await asyncio.sleep(0)
        return response

    async def GetProviderHealth(
        self, request: pb.GetProviderHealthRequest, context: Context
    ) -> pb.GetProviderHealthResponse:
        _check_ids("provider", [request.provider], 1, is_provider, "must be the id of a provider")
        offers = await self._store.offers_of(current_tenant().tenant_id, request.provider)
        return pb.GetProviderHealthResponse(
            provider=await self._provider(request.provider),
            offers=[self._to_message(offer, view) for offer, view in offers],
        )

    async def ListProviderHealth(
        self, request: pb.ListProviderHealthRequest, context: Context
    ) -> pb.ListProviderHealthResponse:
        _check_ids(
            "providers",
            request.providers,
            MAX_PROVIDERS,
            is_provider,
            "must be the id of a provider",
        )
        names = request.providers or await self._store.providers(current_tenant().tenant_id)
        return pb.ListProviderHealthResponse(
            providers=[await self._provider(name) for name in names]
        )

    async def _provider(self, provider: str) -> health_pb2.ProviderHealth:
        view = await self._store.provider(current_tenant().tenant_id, provider)
        return to_provider_health(provider, view, Instants.of(self._clock))

    def _usable(
        self,
        start: int,
        messages: Iterable[health_pb2.Outcome],
        response: pb.ReportOutcomesResponse,
    ) -> list[Outcome]:
        """Return the outcomes that can be used and name the others in `response`."""
        now = self._clock.now()
        outcomes = []
        for index, message in enumerate(messages, start):
            try:
                outcomes.append(from_outcome(message, now))
            except UnusableOutcomeError as error:
                response.refused.add(index=index, problem=str(error))
        return outcomes

    def _to_part(self, offer: str, view: HealthView) -> bytes:
        """Return the bytes of a response about one offer."""
        response = pb.CheckOffersResponse(offers=[self._to_message(offer, view)])
        return response.SerializeToString()

    def _to_message(self, offer: str, view: HealthView) -> health_pb2.OfferHealth:
        return to_offer_health(offer, view, Instants.of(self._clock))


def _check_ids(
    field: str, ids: Sequence[str], maximum: int, is_valid: Callable[[str], bool], problem: str
) -> None:
    """Raise InvalidFieldError when there are too many ids, or naming every wrong one."""
    if len(ids) > maximum:
        raise InvalidFieldError(field, f"must name at most {maximum}")
    if not all(map(is_valid, ids)):
        raise InvalidFieldError.of(
            [
                FieldViolation(f"{field}[{index}]" if maximum > 1 else field, problem)
                for index, each in enumerate(ids)
                if not is_valid(each)
            ]
        )
