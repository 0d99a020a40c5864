"""`/api/ai/pricing*`: what models cost."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Body, Path, Query, Request
from starlette.responses import Response

from steelyard.pricing.v1 import pricing_service_pb2 as pb
from steelyard.pricing.v1.pricing_service_pb2_grpc import PricingServiceStub
from steelyard_common.clock import Clock
from steelyard_common.errors import ProviderNotFoundError
from steelyard_edge import schemas
from steelyard_edge.answer import enveloped
from steelyard_edge.backends import Backend
from steelyard_edge.documented import answers
from steelyard_edge.inputs.enum_names import VIEWS
from steelyard_edge.inputs.estimate_body import EstimateBody
from steelyard_edge.inputs.moments import to_timestamp
from steelyard_edge.inputs.query import Limit, Time
from steelyard_edge.raw_path import decoded_tail
from steelyard_edge.routes.pricing_router import PRICING_PREFIX, pricing_router
from steelyard_edge.views import catalog, estimate, price

CHEAPEST_COUNT = 5
MODEL_PREFIX = f"{PRICING_PREFIX}/model/"

Force = Annotated[bool, Query(description="Read sources even when their prices are fresh.")]
ModelName = Annotated[str, Path(description="Model name or offer id; may have slashes.")]
View = Annotated[
    str | None,
    Query(
        description="`list`: what the seller publishes; `effective`, the default: what the "
        "caller's tenant pays.",
        json_schema_extra=VIEWS.schema,
    ),
]
At = Annotated[Time | None, Query(description="Instant to price at; now by default.")]
ProviderId = Annotated[str, Path(description="Seller, e.g. `openai`.", max_length=128)]


class PricingRoutes:
    """Asks the pricing service."""

    def __init__(
        self, pricing: Backend[PricingServiceStub], *, clock: Clock, refresh_timeout_seconds: float
    ) -> None:
        self._pricing = pricing
        self._clock = clock
        self._refresh_timeout_seconds = refresh_timeout_seconds

    def router(self) -> APIRouter:
        """Return the routes."""
        router = pricing_router()
        add = router.add_api_route
        add("", self.overview, responses=answers(schemas.Overview, "State of the catalogue."))
        add(
            "/refresh",
            self.refresh,
            methods=["POST"],
            responses=answers(schemas.Refreshed, "What the refresh brought.", 409, 422),
        )
        add(
            "/model/{model:path}",
            self.model,
            responses=answers(schemas.ModelPrice, "The price in force.", 404, 422),
        )
        add(
            "/provider/{provider}",
            self.provider,
            responses=answers(schemas.ProviderPrices, "Prices of one seller.", 404, 422),
        )
        add(
            "/estimate",
            self.estimate,
            methods=["POST"],
            responses=answers(schemas.Estimate, "The cost.", 400, 404, 413, 415, 422),
        )
        return router

    async def overview(self) -> Response:
        """How many prices there are, how fresh they are, and where models are cheapest."""
        stub = self._pricing.stub
        status, cheapest, comparison = await asyncio.gather(
            self._pricing.ask(stub.GetCatalogStatus, pb.GetCatalogStatusRequest()),
            self._pricing.ask(stub.ListCheapest, pb.ListCheapestRequest(limit=CHEAPEST_COUNT)),
            self._pricing.ask(stub.CompareProviders, pb.CompareProvidersRequest()),
        )
        return self._enveloped(catalog.overview(status, cheapest, comparison))

    async def refresh(self, *, force: Force = False) -> Response:
        """Read every price source now. A source that fails keeps its last good prices."""
        event = await self._pricing.last(
            self._pricing.stub.RefreshPrices,
            pb.RefreshPricesRequest(force=force),
            timeout_seconds=self._refresh_timeout_seconds,
        )
        return self._enveloped(catalog.refreshed(event.report))

    async def model(
        self, request: Request, model: ModelName, view: View = None, at: At = None
    ) -> Response:
        """Return the price of one model or offer, and what it costs elsewhere."""
        # The decoded path cannot tell a name with a slash from one with %2F.
        name = decoded_tail(request.scope, MODEL_PREFIX) or model
        answer = await self._pricing.ask(
            self._pricing.stub.GetPrice,
            pb.GetPriceRequest(
                name=name, view=VIEWS.number(view, "view"), at_time=to_timestamp(at, "at")
            ),
        )
        return self._enveloped(price.model_price(answer))

    async def provider(self, provider: ProviderId, limit: Limit = 50) -> Response:
        """Return the prices of one seller."""
        answer = await self._pricing.ask(
            self._pricing.stub.ListPrices,
            pb.ListPricesRequest(provider=provider, page_size=limit, include_unpriced=True),
        )
        if not answer.page_info.total_count:
            raise ProviderNotFoundError(provider)
        return self._enveloped(price.provider_prices(provider, answer))

    async def estimate(self, body: Annotated[EstimateBody, Body()]) -> Response:
        """Return what a usage, or a prompt, costs on one model."""
        answer = await self._pricing.ask(self._pricing.stub.EstimateCost, body.to_request())
        return self._enveloped(estimate.estimate(body.model, answer))

    def _enveloped(self, data: Any) -> Response:
        return enveloped(data, now=self._clock.now())
