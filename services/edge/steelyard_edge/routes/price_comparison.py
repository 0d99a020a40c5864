"""`/api/ai/pricing`: where models are cheapest, which of them are cached, which of them end."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from steelyard.pricing.v1 import pricing_service_pb2 as pb
from steelyard.pricing.v1.pricing_service_pb2_grpc import PricingServiceStub
from steelyard_common.clock import Clock
from steelyard_common.message_times import to_date
from steelyard_edge import schemas_comparison as schemas
from steelyard_edge.answer import enveloped
from steelyard_edge.backends import Backend
from steelyard_edge.documented import answers
from steelyard_edge.inputs.cheapest_query import CheapestQuery
from steelyard_edge.inputs.enum_names import MODES
from steelyard_edge.inputs.query import (
    Day,
    Mode,
    PageSize,
    PageToken,
    Provider,
    Tokens,
    to_mix,
)
from steelyard_edge.raw_path import decoded_tail
from steelyard_edge.routes.pricing_router import PRICING_PREFIX, pricing_router
from steelyard_edge.views import comparison

CACHE_POLICY_PREFIX = f"{PRICING_PREFIX}/cache-policy/"

ModelName = Annotated[str, Path(description="Model name or offer id; may have slashes.")]
Model = Annotated[str, Query(max_length=512, description="Compare the sellers of this model.")]
Until = Annotated[Day | None, Query(description="Only offers that end on or before this day.")]
IncludePast = Annotated[bool, Query(description="Also offers whose day has passed.")]


class PriceComparisonRoutes:
    """Asks the pricing service to rank offers."""

    def __init__(self, pricing: Backend[PricingServiceStub], *, clock: Clock) -> None:
        self._pricing = pricing
        self._clock = clock

    def router(self) -> APIRouter:
        """Return the routes."""
        router = pricing_router()
        add = router.add_api_route
        add("/cheapest", self.cheapest, responses=answers(schemas.Cheapest, "The ranking.", 422))
        add(
            "/compare",
            self.compare,
            responses=answers(schemas.Comparison, "The comparison.", 404, 422),
        )
        add(
            "/cache-policy/{model:path}",
            self.cache_policy,
            responses=answers(schemas.CachePolicy, "What is known of it.", 404, 422),
        )
        add(
            "/deprecations",
            self.deprecations,
            responses=answers(schemas.Deprecations, "One page of them.", 422),
        )
        return router

    async def cheapest(self, query: Annotated[CheapestQuery, Query()]) -> Response:
        """Rank offers by what a mix of tokens costs on them."""
        answer = await self._pricing.ask(self._pricing.stub.ListCheapest, query.to_request())
        return self._enveloped(comparison.cheapest(answer))

    async def compare(
        self,
        model: Model = "",
        mode: Mode = None,
        input_tokens: Tokens = None,
        output_tokens: Tokens = None,
    ) -> Response:
        """Compare sellers by what a mix of tokens costs there, of one model or of all."""
        answer = await self._pricing.ask(
            self._pricing.stub.CompareProviders,
            pb.CompareProvidersRequest(
                model=model,
                mode=MODES.number(mode, "mode"),
                usage=to_mix(input_tokens, output_tokens),
            ),
        )
        return self._enveloped(comparison.comparison(model, answer))

    async def cache_policy(self, request: Request, model: ModelName) -> Response:
        """Say whether, and from which size on, prompts of a model are cached."""
        name = decoded_tail(request.scope, CACHE_POLICY_PREFIX) or model
        answer = await self._pricing.ask(
            self._pricing.stub.GetCachePolicy, pb.GetCachePolicyRequest(model=name)
        )
        return self._enveloped(comparison.cache_policy(name, answer))

    async def deprecations(
        self,
        *,
        provider: Provider = "",
        until: Until = None,
        include_past: IncludePast = False,
        page_size: PageSize = 50,
        page_token: PageToken = "",
    ) -> Response:
        """List offers that their sellers stop serving, with what may replace them."""
        answer = await self._pricing.ask(
            self._pricing.stub.ListDeprecations,
            pb.ListDeprecationsRequest(
                provider=provider,
                until_date=to_date(until),
                include_past=include_past,
                page_size=page_size,
                page_token=page_token,
            ),
        )
        return self._enveloped(comparison.deprecations(answer))

    def _enveloped(self, data: Any) -> Response:
        return enveloped(data, now=self._clock.now())
