"""A registry of a few models behind the edge, with state."""

from collections.abc import AsyncIterator
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date

from steelyard.common.v1 import model_traits_pb2 as traits
from steelyard.registry.v1 import model_pb2, quality_pb2
from steelyard.registry.v1 import registry_service_pb2 as pb
from steelyard.registry.v1 import registry_service_pb2_grpc as registry_grpc
from steelyard_common.errors import InvalidFieldError, ModelNotFoundError
from tests.edge.failing import Failing, paged

OBSERVED = Timestamp(seconds=1_793_534_400)
"""2026-11-01T12:00:00Z."""

GPT_4O_MINI = "gpt-4o-mini"


def an_offer(provider: str, model: str, **more: Any) -> model_pb2.Offer:
    facts: dict[str, Any] = {
        "capabilities": [traits.CAPABILITY_TOOLS],
        "max_input_token_count": 128_000,
        "state": model_pb2.LIFECYCLE_STATE_ACTIVE,
        "source": "litellm",
        "sources": ["litellm", "openrouter"],
        "observed_time": OBSERVED,
    }
    return model_pb2.Offer(
        offer=f"{provider}/{model}",
        provider=provider,
        provider_model=model,
        model=model,
        mode=traits.MODE_CHAT,
        **(facts | more),
    )


def a_quality(score: float, **more: Any) -> quality_pb2.Quality:
    facts: dict[str, Any] = {
        "uncertainty": 2.5,
        "basis": quality_pb2.QUALITY_BASIS_MEASURED,
        "source": "arena",
        "sources": ["arena", "llm-stats"],
        "edition_date": Date(year=2025, month=12, day=11),
    }
    return quality_pb2.Quality(score=score, **(facts | more))


def a_model(model: str, score: float, **more: Any) -> model_pb2.Model:
    facts: dict[str, Any] = {
        "maker": "openai",
        "offers": [an_offer("openai", model), an_offer("azure", model)],
        "capabilities": [traits.CAPABILITY_TOOLS],
        "context_window_token_count": 128_000,
        "max_output_token_count": 16_384,
        "state": model_pb2.LIFECYCLE_STATE_ACTIVE,
        "quality": a_quality(score),
    }
    return model_pb2.Model(model=model, mode=traits.MODE_CHAT, **(facts | more))


class FakeRegistry(Failing, registry_grpc.RegistryServiceServicer):
    """Knows what the test puts in, and finds it by words and by quality."""

    def reset(self) -> None:
        super().reset()
        self.models = {each.model: each for each in (a_model("gpt-4o", 86), a_model("o3", 92))}
        self.scores: list[quality_pb2.QualityScore] = []
        self.providers = [
            model_pb2.Provider(
                provider="openai",
                display_name="OpenAI",
                wire_format=model_pb2.WIRE_FORMAT_OPENAI,
                auth_style=model_pb2.AUTH_STYLE_BEARER,
                status_page_url="https://status.openai.com",
                offer_count=2,
                routable=True,
            ),
            model_pb2.Provider(provider="azure", offer_count=2),
        ]
        self.last_health: dict[str, model_pb2.ProviderHealthSummary] = {}
        self.report: pb.SyncReport | None = pb.SyncReport(updated_count=1)
        self.frontier = pb.ListFrontierResponse()
        self.bands = pb.ListTierBandsResponse()
        self.status = pb.GetRegistryStatusResponse()
        self.unjoined: list[pb.UnjoinedName] = []
        self.events: list[pb.CatalogEvent] = []

    def found(self, name: str) -> model_pb2.Model:
        for model in self.models.values():
            if name in {model.model, *model.aliases, *(each.offer for each in model.offers)}:
                return model
        raise ModelNotFoundError(name, sorted(self.models))

    async def GetModel(self, request: pb.GetModelRequest, context: Any) -> pb.GetModelResponse:
        await self.asked(request, context)
        return pb.GetModelResponse(model=self.found(request.model), catalog_version=7)

    async def ListModels(
        self, request: pb.ListModelsRequest, context: Any
    ) -> pb.ListModelsResponse:
        await self.asked(request, context)
        models, page_info = paged(self._matching(request.filter), request)
        return pb.ListModelsResponse(models=models, page_info=page_info, catalog_version=7)

    async def SearchModels(
        self, request: pb.SearchModelsRequest, context: Any
    ) -> pb.SearchModelsResponse:
        await self.asked(request, context)
        matching = [each for each in self._matching(request.filter) if request.query in each.model]
        return pb.SearchModelsResponse(
            models=matching[: request.limit or 20], total_count=len(matching)
        )

    async def ListModelsByQuality(
        self, request: pb.ListModelsByQualityRequest, context: Any
    ) -> pb.ListModelsByQualityResponse:
        await self.asked(request, context)
        if request.min_quality > request.max_quality:
            raise InvalidFieldError("min_quality", "must not be above max_quality")
        matching = [
            each
            for each in sorted(self.models.values(), key=_score, reverse=True)
            if request.min_quality <= _score(each) <= request.max_quality
            and set(request.capabilities) <= set(each.capabilities)
        ]
        return pb.ListModelsByQualityResponse(
            models=matching[: request.limit], total_count=len(matching)
        )

    async def GetQuality(
        self, request: pb.GetQualityRequest, context: Any
    ) -> pb.GetQualityResponse:
        await self.asked(request, context)
        model = self.found(request.model)
        quality = model.quality if model.HasField("quality") else None
        return pb.GetQualityResponse(quality=quality, scores=self.scores)

    async def ListFrontier(
        self, request: pb.ListFrontierRequest, context: Any
    ) -> pb.ListFrontierResponse:
        await self.asked(request, context)
        return self.frontier

    async def ListTierBands(
        self, request: pb.ListTierBandsRequest, context: Any
    ) -> pb.ListTierBandsResponse:
        await self.asked(request, context)
        return self.bands

    async def ListProviders(
        self, request: pb.ListProvidersRequest, context: Any
    ) -> pb.ListProvidersResponse:
        await self.asked(request, context)
        answer = pb.ListProvidersResponse()
        for each in self.providers:
            if each.routable or not request.routable_only:
                provider = answer.providers.add()
                provider.CopyFrom(each)
                if request.include_health and each.provider in self.last_health:
                    provider.health.CopyFrom(self.last_health[each.provider])
        return answer

    async def SyncModels(
        self, request: pb.SyncModelsRequest, context: Any
    ) -> AsyncIterator[pb.SyncModelsResponse]:
        await self.asked(request, context)
        yield pb.SyncModelsResponse(progress=a_progress("litellm"))
        if self.report is not None:
            yield pb.SyncModelsResponse(report=self.report)

    async def SyncQuality(
        self, request: pb.SyncQualityRequest, context: Any
    ) -> AsyncIterator[pb.SyncQualityResponse]:
        await self.asked(request, context)
        yield pb.SyncQualityResponse(progress=a_progress("arena"))
        if self.report is not None:
            yield pb.SyncQualityResponse(report=self.report)

    async def GetRegistryStatus(
        self, request: pb.GetRegistryStatusRequest, context: Any
    ) -> pb.GetRegistryStatusResponse:
        await self.asked(request, context)
        return self.status

    async def ListUnjoinedNames(
        self, request: pb.ListUnjoinedNamesRequest, context: Any
    ) -> pb.ListUnjoinedNamesResponse:
        await self.asked(request, context)
        matching = [each for each in self.unjoined if request.source in {"", each.source}]
        names, page_info = paged(matching, request)
        return pb.ListUnjoinedNamesResponse(names=names, page_info=page_info)

    async def ListCatalogEvents(
        self, request: pb.ListCatalogEventsRequest, context: Any
    ) -> pb.ListCatalogEventsResponse:
        await self.asked(request, context)
        matching = [
            each
            for each in self.events
            if request.model in {"", each.model, each.offer} and request.kind in {0, each.kind}
        ]
        events, page_info = paged(matching, request)
        return pb.ListCatalogEventsResponse(events=events, page_info=page_info)

    def _matching(self, condition: pb.ModelFilter) -> list[model_pb2.Model]:
        if condition.HasField("max_quality") and condition.max_quality < condition.min_quality:
            raise InvalidFieldError("filter.min_quality", "must not be above max_quality")
        return [
            each
            for each in self.models.values()
            if _score(each) >= condition.min_quality
            and condition.provider in {"", *(offer.provider for offer in each.offers)}
            and set(condition.capabilities) <= set(each.capabilities)
        ]


def a_progress(source: str) -> pb.SyncProgress:
    return pb.SyncProgress(source=source, done_count=1, total_count=2, message="Reading.")


def _score(model: model_pb2.Model) -> float:
    return model.quality.score
