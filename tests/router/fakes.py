"""Pricing, health and registry with state, behind real servers; tests script how they behave."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from steelyard.common.v1.cost_pb2 import CostBreakdown
from steelyard.health.v1 import health_pb2, health_service_pb2_grpc
from steelyard.health.v1 import health_service_pb2 as health_service
from steelyard.pricing.v1 import pricing_service_pb2 as pricing_pb
from steelyard.pricing.v1 import pricing_service_pb2_grpc, rate_card_pb2
from steelyard.registry.v1 import model_pb2, registry_service_pb2_grpc
from steelyard.registry.v1 import registry_service_pb2 as registry_pb
from steelyard_common.address import Address
from steelyard_common.errors import InternalError
from steelyard_common.server import Server
from steelyard_common.telemetry import Telemetry

Context = Any


@dataclass
class Behaviour:
    """How a fake answers."""

    hangs: bool = False
    fails: bool = False
    calls: int = 0
    called: asyncio.Event = field(default_factory=asyncio.Event)
    let_go: asyncio.Event | None = None
    """Calls wait for this where it is given."""

    async def act(self) -> None:
        """Count the call, then hang, fail or let it go on."""
        self.calls += 1
        self.called.set()
        if self.hangs:
            await asyncio.Event().wait()
        if self.let_go is not None:
            await self.let_go.wait()
        if self.fails:
            raise InternalError


class FakePricing(pricing_service_pb2_grpc.PricingServiceServicer):
    """Knows one input and output rate per offer, in picodollars per token."""

    def __init__(self, rates: Mapping[str, tuple[int, int]] | None = None) -> None:
        self.rates = dict(rates or {})
        self.version = 7
        self.stale = False
        self.estimated: set[str] = set()
        self.quote = Behaviour()
        self.cards = Behaviour()
        self.quoted: list[pricing_pb.QuoteRequest] = []
        self.served_cards: set[int] = set()

    def set_rate(self, offer: str, input_rate: int, output_rate: int) -> None:
        """Publish a price, in a snapshot of its own."""
        self.rates[offer] = input_rate, output_rate
        self.version += 1

    async def Quote(
        self, request: pricing_pb.QuoteRequest, context: Context
    ) -> pricing_pb.QuoteResponse:
        await self.quote.act()
        return self._response(request)

    async def BatchQuote(
        self, request: pricing_pb.BatchQuoteRequest, context: Context
    ) -> pricing_pb.BatchQuoteResponse:
        await self.quote.act()
        return pricing_pb.BatchQuoteResponse(responses=map(self._response, request.requests))

    def _response(self, request: pricing_pb.QuoteRequest) -> pricing_pb.QuoteResponse:
        self.quoted.append(request)
        return pricing_pb.QuoteResponse(
            quotes=[self._quote(offer, request) for offer in request.offers],
            snapshot_version=self.version,
            stale=self.stale,
        )

    def _quote(self, offer: str, request: pricing_pb.QuoteRequest) -> pricing_pb.Quote:
        if offer not in self.rates:
            return pricing_pb.Quote(offer=offer, failure=pricing_pb.QUOTE_FAILURE_UNPRICED)
        input_rate, output_rate = self.rates[offer]
        cost_in = request.usage.uncached_input_token_count * input_rate
        cost_out = request.usage.output_token_count * output_rate
        return pricing_pb.Quote(
            offer=offer,
            cost=CostBreakdown(
                total_picodollars=cost_in + cost_out,
                input_picodollars=cost_in,
                output_picodollars=cost_out,
            ),
            estimated=offer in self.estimated,
        )

    async def ListRateCards(
        self, request: pricing_pb.ListRateCardsRequest, context: Context
    ) -> pricing_pb.ListRateCardsResponse:
        await self.cards.act()
        self.served_cards.add(self.version)
        response = pricing_pb.ListRateCardsResponse(snapshot_version=self.version)
        if request.known_version != self.version:
            response.rate_cards.extend(
                rate_card_pb2.RateCard(
                    offer=offer,
                    bands=[rate_card_pb2.RateBand(input_picodollars=rate, output_picodollars=out)],
                )
                for offer, (rate, out) in sorted(self.rates.items())
            )
        return response


class FakeHealth(health_service_pb2_grpc.HealthServiceServicer):
    """Knows what the test says; everything else is unknown and well."""

    def __init__(self) -> None:
        self.offers: dict[str, health_pb2.OfferHealth] = {}
        self.version = 3
        self.check = Behaviour()
        self.checked: list[health_service.CheckOffersRequest] = []
        self.reporting = Behaviour()
        self.batches: list[list[health_pb2.Outcome]] = []
        """Of all calls, also of those that failed after they were counted."""
        self.counted: dict[str, health_pb2.Outcome] = {}
        """Outcomes by id: each counts once."""
        self.unusable: set[str] = set()
        """Ids of outcomes to refuse."""
        self.loses_answers = False
        """Count what is reported, and fail all the same."""
        self.permits: dict[str, str] = {}
        """To be given to the first who asks about the offer."""

    def report(self, offer: str, **facts: Any) -> None:
        """Say how an offer does."""
        plain = {"score": 1.0, "success_rate": 1.0, "sample_count": 20}
        self.offers[offer] = health_pb2.OfferHealth(offer=offer, **(plain | facts))
        self.version += 1

    async def CheckOffers(
        self, request: health_service.CheckOffersRequest, context: Context
    ) -> health_service.CheckOffersResponse:
        await self.check.act()
        self.checked.append(request)
        return health_service.CheckOffersResponse(
            offers=map(self._offer, request.offers), health_version=self.version
        )

    def _offer(self, offer: str) -> health_pb2.OfferHealth:
        known = self.offers.get(offer)
        if known is None:
            return health_pb2.OfferHealth(
                offer=offer, score=1.0, success_rate=1.0, state=health_pb2.HEALTH_STATE_UNKNOWN
            )
        answer = health_pb2.OfferHealth()
        answer.CopyFrom(known)
        answer.probe_permit = self.permits.pop(offer, "")
        return answer

    async def ReportOutcomes(
        self, request: health_service.ReportOutcomesRequest, context: Context
    ) -> health_service.ReportOutcomesResponse:
        self.batches.append(list(request.outcomes))
        await self.reporting.act()
        response = health_service.ReportOutcomesResponse()
        for index, outcome in enumerate(request.outcomes):
            if outcome.outcome_id in self.unusable:
                response.refused.add(index=index, problem="offer: must look like provider/model")
            elif outcome.outcome_id in self.counted:
                response.duplicate_count += 1
            else:
                self.counted[outcome.outcome_id] = outcome
                response.accepted_count += 1
        if self.loses_answers:
            raise InternalError
        return response


class FakeRegistry(registry_service_pb2_grpc.RegistryServiceServicer):
    """Sends its models in two parts, then each change as the test makes it."""

    def __init__(
        self,
        models: list[model_pb2.Model] | None = None,
        providers: list[model_pb2.Provider] | None = None,
    ) -> None:
        self.models = {model.model: model for model in models or []}
        self.providers = providers or []
        self.version = 11
        self.stale = False
        self.watched_from: list[int] = []
        self.break_after_parts: int | None = None
        """End the stream with an error after so many messages."""
        self._changes: list[registry_pb.WatchCatalogResponse] = []
        self._changed = asyncio.Event()

    def change(
        self, *models: model_pb2.Model, removed: tuple[str, ...] = (), stale: bool | None = None
    ) -> None:
        """Publish models that are new or different, and the ids of those that are gone."""
        self.models |= {model.model: model for model in models}
        for name in removed:
            del self.models[name]
        self.stale = self.stale if stale is None else stale
        self.version += 1
        self._changes.append(
            registry_pb.WatchCatalogResponse(
                models=models,
                removed_models=removed,
                catalog_version=self.version,
                snapshot_complete=True,
                stale=self.stale,
            )
        )
        self._changed.set()

    async def WatchCatalog(
        self, request: registry_pb.WatchCatalogRequest, context: Context
    ) -> AsyncIterator[registry_pb.WatchCatalogResponse]:
        self.watched_from.append(request.from_version)
        sent = len(self._changes)
        if request.from_version != self.version:
            for number, part in enumerate(self._snapshot()):
                if number == self.break_after_parts:
                    raise InternalError
                yield part
        while True:
            for change in self._changes[sent:]:
                yield change
            sent = len(self._changes)
            self._changed.clear()
            await self._changed.wait()

    def _snapshot(self) -> list[registry_pb.WatchCatalogResponse]:
        models = list(self.models.values())
        half = len(models) // 2
        return [
            registry_pb.WatchCatalogResponse(
                models=models[:half], catalog_version=self.version, snapshot_start=True
            ),
            registry_pb.WatchCatalogResponse(
                models=models[half:],
                providers=self.providers,
                catalog_version=self.version,
                snapshot_complete=True,
                stale=self.stale,
            ),
        ]


@dataclass
class Host:
    """A real server for one fake, that can be stopped and started again on its port."""

    register: Any
    servicer: object
    telemetry: Telemetry
    port: int = 0
    _server: Server | None = field(default=None, repr=False)

    @property
    def address(self) -> Address:
        return Address("127.0.0.1", self.port)

    async def start(self) -> None:
        server = Server(self.address, telemetry=self.telemetry)
        server.add(self.register, self.servicer)
        await server.start()
        await server.set_serving(serving=True)
        self._server, self.port = server, server.port

    async def stop(self) -> None:
        """Cut every call at once, as when the process is killed."""
        if self._server is not None:
            await self._server.stop(0)
            self._server = None


def hosts(
    pricing: FakePricing, health: FakeHealth, registry: FakeRegistry, telemetry: Telemetry
) -> dict[str, Host]:
    """Return a host for each fake, not started."""
    add_pricing = pricing_service_pb2_grpc.add_PricingServiceServicer_to_server
    add_health = health_service_pb2_grpc.add_HealthServiceServicer_to_server
    add_registry = registry_service_pb2_grpc.add_RegistryServiceServicer_to_server
    return {
        "pricing": Host(add_pricing, pricing, telemetry),
        "health": Host(add_health, health, telemetry),
        "registry": Host(add_registry, registry, telemetry),
    }


# The generated bases are abstract to the type checker: what a fake does not define, it refuses.


def a_pricing(rates: Mapping[str, tuple[int, int]] | None = None) -> FakePricing:
    return FakePricing(rates)  # type: ignore[abstract]


def a_health() -> FakeHealth:
    return FakeHealth()  # type: ignore[abstract]


def a_registry(models: list[model_pb2.Model], providers: list[model_pb2.Provider]) -> FakeRegistry:
    return FakeRegistry(models, providers)  # type: ignore[abstract]
