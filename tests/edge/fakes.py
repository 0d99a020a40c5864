"""Services with state behind the edge: they remember what they were asked, and fail on demand."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from steelyard.common.v1.cost_pb2 import CostBreakdown, Rate
from steelyard.common.v1.model_traits_pb2 import MODE_CHAT
from steelyard.common.v1.page_info_pb2 import PageInfo
from steelyard.common.v1.usage_pb2 import Usage
from steelyard.pricing.v1 import price_pb2
from steelyard.pricing.v1 import pricing_service_pb2 as pricing_pb
from steelyard.pricing.v1 import pricing_service_pb2_grpc as pricing_grpc
from steelyard.router.v1 import decision_pb2
from steelyard.router.v1 import key_service_pb2 as key_pb
from steelyard.router.v1 import key_service_pb2_grpc as key_grpc
from steelyard.router.v1 import routing_service_pb2 as router_pb
from steelyard.router.v1 import routing_service_pb2_grpc as router_grpc
from steelyard_common.errors import ModelNotFoundError
from tests.edge.failing import Failing
from tests.edge.fake_history import FakeHistory
from tests.edge.fake_negotiation import FakeNegotiation

OBSERVED = datetime(2026, 11, 1, 12, tzinfo=UTC)
GPT_4O = "openai/gpt-4o"
INPUT_PICODOLLARS = 2_500_000
OUTPUT_PICODOLLARS = 10_000_000


def timestamp(moment: datetime = OBSERVED) -> Timestamp:
    message = Timestamp()
    message.FromDatetime(moment)
    return message


def a_rate(component: int, picodollars: int, **more: Any) -> price_pb2.PriceRate:
    return price_pb2.PriceRate(component=component, picodollars=picodollars, **more)  # type: ignore[arg-type]


def a_price(offer: str = GPT_4O, *rates: price_pb2.PriceRate, **more: Any) -> price_pb2.Price:
    provider, _, model = offer.partition("/")
    plain = (
        a_rate(price_pb2.PRICE_COMPONENT_INPUT_TOKEN, INPUT_PICODOLLARS),
        a_rate(price_pb2.PRICE_COMPONENT_OUTPUT_TOKEN, OUTPUT_PICODOLLARS),
    )
    return price_pb2.Price(
        offer=offer,
        provider=provider,
        model=model,
        mode=MODE_CHAT,
        rates=rates or plain,
        source="litellm",
        observed_time=timestamp(),
        effective_time=timestamp(),
        confidence=1.0,
        **more,
    )


class FakePricing(FakeHistory, FakeNegotiation, pricing_grpc.PricingServiceServicer):
    """A price list of a few offers."""

    def reset(self) -> None:
        super().reset()
        self.prices = {GPT_4O: a_price()}
        self.report = pricing_pb.RefreshReport(model_count=1, fetched_count=1)
        self.status = pricing_pb.GetCatalogStatusResponse(model_count=1)
        self.cheapest = pricing_pb.ListCheapestResponse()
        self.comparison = pricing_pb.CompareProvidersResponse()
        self.cache_policies: dict[str, pricing_pb.GetCachePolicyResponse] = {}

    async def GetPrice(
        self, request: pricing_pb.GetPriceRequest, context: Any
    ) -> pricing_pb.GetPriceResponse:
        await self.asked(request, context)
        if request.name not in self.prices:
            raise ModelNotFoundError(request.name, ["gpt-4o", "gpt-4o-mini"])
        alternatives = [price for offer, price in self.prices.items() if offer != request.name]
        return pricing_pb.GetPriceResponse(
            price=self.prices[request.name],
            alternatives=alternatives,
            match=pricing_pb.NAME_MATCH_EXACT,
            snapshot_version=7,
        )

    async def ListPrices(
        self, request: pricing_pb.ListPricesRequest, context: Any
    ) -> pricing_pb.ListPricesResponse:
        await self.asked(request, context)
        matching = [each for each in self.prices.values() if each.provider == request.provider]
        return pricing_pb.ListPricesResponse(
            prices=matching[: request.page_size], page_info=PageInfo(total_count=len(matching))
        )

    async def EstimateCost(
        self, request: pricing_pb.EstimateCostRequest, context: Any
    ) -> pricing_pb.EstimateCostResponse:
        await self.asked(request, context)
        usage = (
            request.usage
            if request.HasField("usage")
            else Usage(
                uncached_input_token_count=len(request.prompt) // 4,
                output_token_count=request.expected_output_token_count,
            )
        )
        input_cost = usage.uncached_input_token_count * INPUT_PICODOLLARS
        output_cost = usage.output_token_count * OUTPUT_PICODOLLARS
        return pricing_pb.EstimateCostResponse(
            offer=f"openai/{request.model}",
            cost=CostBreakdown(
                total_picodollars=input_cost + output_cost,
                input_picodollars=input_cost,
                output_picodollars=output_cost,
            ),
            usage=usage,
            rates=[
                Rate(
                    usage_class="uncached_input_token",
                    priced_as="input_token",
                    quantity=usage.uncached_input_token_count,
                    unit_picodollars=INPUT_PICODOLLARS,
                    cost_picodollars=input_cost,
                )
            ],
            tokens_estimated=not request.HasField("usage"),
            estimated=not request.HasField("usage"),
            confidence=1.0,
            source="litellm",
        )

    async def RefreshPrices(
        self, request: pricing_pb.RefreshPricesRequest, context: Any
    ) -> AsyncIterator[pricing_pb.RefreshPricesResponse]:
        await self.asked(request, context)
        yield pricing_pb.RefreshPricesResponse(
            progress=pricing_pb.RefreshProgress(
                source="litellm", phase=pricing_pb.REFRESH_PHASE_DOWNLOADING
            )
        )
        yield pricing_pb.RefreshPricesResponse(report=self.report)

    async def GetCatalogStatus(
        self, request: pricing_pb.GetCatalogStatusRequest, context: Any
    ) -> pricing_pb.GetCatalogStatusResponse:
        await self.asked(request, context)
        return self.status

    async def ListCheapest(
        self, request: pricing_pb.ListCheapestRequest, context: Any
    ) -> pricing_pb.ListCheapestResponse:
        await self.asked(request, context)
        return self.cheapest

    async def CompareProviders(
        self, request: pricing_pb.CompareProvidersRequest, context: Any
    ) -> pricing_pb.CompareProvidersResponse:
        await self.asked(request, context)
        return self.comparison

    async def GetCachePolicy(
        self, request: pricing_pb.GetCachePolicyRequest, context: Any
    ) -> pricing_pb.GetCachePolicyResponse:
        await self.asked(request, context)
        if request.model not in self.cache_policies:
            raise ModelNotFoundError(request.model, ["gpt-4o"])
        return self.cache_policies[request.model]


def a_candidate(offer: str, picodollars: int | None) -> decision_pb2.Candidate:
    provider, _, model = offer.partition("/")
    candidate = decision_pb2.Candidate(
        offer=offer, model=model, provider=provider, utility=0.5, quality=88.5, health=0.99
    )
    if picodollars is not None:
        candidate.expected_cost.total_picodollars = picodollars
        candidate.expected_cost.output_picodollars = picodollars
        candidate.expected_cost_p90_picodollars = 2 * picodollars
    return candidate


def a_decision() -> decision_pb2.Decision:
    chosen = a_candidate(GPT_4O, 7_500_000_000)
    fallback = a_candidate("groq/llama-3.3-70b-versatile", 1)
    unpriced = a_candidate("openrouter/auto", None)
    return decision_pb2.Decision(
        decision_id="dec_01jd0000000000000000000000",
        create_time=timestamp(),
        chosen=chosen,
        fallbacks=[fallback],
        candidates=[chosen, fallback, unpriced],
        rejected=[
            decision_pb2.RejectedCandidate(
                offer="mistral/ministral-3b",
                reason=decision_pb2.REJECTION_REASON_QUALITY_TOO_LOW,
                detail="quality 61 is below 86",
            )
        ],
        tier=decision_pb2.TIER_VERSATILE,
        complexity_score=6,
        versions=decision_pb2.DataVersions(prices=3, catalog=4, health=5, policy="v1"),
        stale_health=True,
        reason="Cheapest of three that reach the tier.",
    )


class FakeRouter(Failing, router_grpc.RoutingServiceServicer):
    """Always makes the same decision."""

    def reset(self) -> None:
        super().reset()
        self.decision = a_decision()

    async def Route(self, request: router_pb.RouteRequest, context: Any) -> router_pb.RouteResponse:
        await self.asked(request, context)
        return router_pb.RouteResponse(decision=self.decision)


class FakeKeys(Failing, key_grpc.KeyServiceServicer):
    """Says whose keys there are."""

    def reset(self) -> None:
        super().reset()
        self.sources: dict[str, key_pb.KeySource.ValueType] = {}

    async def ListProviderAccess(
        self, request: key_pb.ListProviderAccessRequest, context: Any
    ) -> key_pb.ListProviderAccessResponse:
        await self.asked(request, context)
        return key_pb.ListProviderAccessResponse(
            providers=[
                key_pb.ProviderAccess(provider=provider, key_source=source)
                for provider, source in sorted(self.sources.items())
            ]
        )
