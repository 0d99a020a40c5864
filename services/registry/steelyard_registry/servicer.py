"""gRPC face of the registry."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from typing import Any, Protocol, TypeAlias

import grpc

from steelyard.common.v1.page_info_pb2 import PageInfo
from steelyard.registry.v1 import registry_service_pb2 as pb
from steelyard.registry.v1 import registry_service_pb2_grpc as pb_grpc
from steelyard_catalog.nearest import nearest
from steelyard_common.clock import Clock
from steelyard_common.deadlines import remaining
from steelyard_common.errors import ModelNotFoundError, ProviderNotFoundError
from steelyard_registry.domain.listing import (
    Field,
    ModelFilter,
    Order,
    ranked_by_words,
    select,
)
from steelyard_registry.domain.live import LiveCatalogue
from steelyard_registry.domain.models import Model
from steelyard_registry.domain.providers import ProviderHealth
from steelyard_registry.messages.answers import ModelMessages, to_provider, to_quality, to_score
from steelyard_registry.messages.page_tokens import from_page_token, question_of, to_page_token
from steelyard_registry.messages.parts import to_parts
from steelyard_registry.messages.questions import (
    from_filter,
    from_limit,
    from_order_by,
    from_quality_range,
)

DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE = 50, 1000
DEFAULT_SEARCH_LIMIT, MAX_SEARCH_LIMIT = 20, 200
HEALTH_TIMEOUT_SECONDS = 0.1
NOTHING_KNOWN = ProviderHealth(score=1.0, state="UNKNOWN", sample_count=0)

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class ProviderHealthReader(Protocol):
    """Says how providers are."""

    async def provider_health(self, timeout: float) -> Mapping[str, ProviderHealth] | None:  # noqa: ASYNC109
        """Return the health of providers that were reported on; None when that is not known."""


class RegistryServicer(pb_grpc.RegistryServiceServicer):
    """Answers from the catalogue of the moment."""

    def __init__(
        self,
        live: LiveCatalogue,
        health: ProviderHealthReader,
        clock: Clock,
        draining: asyncio.Event,
    ) -> None:
        """Keep what answers are made of.

        Args:
            live: The catalogue.
            health: Of providers.
            clock: Decides which scores are stale.
            draining: When set, streams end.
        """
        self._live = live
        self._health = health
        self._clock = clock
        self._draining = draining
        self._messages = ModelMessages()

    async def GetModel(self, request: pb.GetModelRequest, context: Context) -> pb.GetModelResponse:
        model, version = self._find(request.model)
        return pb.GetModelResponse(model=self._messages.of(model), catalog_version=version)

    async def ListModels(
        self, request: pb.ListModelsRequest, context: Context
    ) -> pb.ListModelsResponse:
        order = from_order_by(request.order_by)
        size = from_limit(
            "page_size", request.page_size, default=DEFAULT_PAGE_SIZE, maximum=MAX_PAGE_SIZE
        )
        question = question_of(request)
        version, found = self._select(from_filter(request.filter))
        left = found = order.sorted(found)
        if request.page_token:
            left = order.after(found, from_page_token(request.page_token, question))
        page = left[:size]
        return pb.ListModelsResponse(
            models=map(self._messages.of, page),
            page_info=PageInfo(
                total_count=len(found),
                next_page_token=(
                    to_page_token(question, order.place(page[-1])) if len(left) > size else ""
                ),
            ),
            catalog_version=version,
        )

    async def SearchModels(
        self, request: pb.SearchModelsRequest, context: Context
    ) -> pb.SearchModelsResponse:
        condition = from_filter(request.filter, words=request.query)
        limit = from_limit(
            "limit", request.limit, default=DEFAULT_SEARCH_LIMIT, maximum=MAX_SEARCH_LIMIT
        )
        _, found = self._select(condition)
        best = ranked_by_words(found, condition.words)[:limit]
        return pb.SearchModelsResponse(models=map(self._messages.of, best), total_count=len(found))

    async def ListModelsByQuality(
        self, request: pb.ListModelsByQualityRequest, context: Context
    ) -> pb.ListModelsByQualityResponse:
        condition = from_quality_range(request)
        limit = from_limit("limit", request.limit, default=DEFAULT_PAGE_SIZE, maximum=MAX_PAGE_SIZE)
        order = Order(Field.QUALITY, is_descending=True, task=condition.task)
        _, found = self._select(condition)
        best = order.sorted(found)[:limit]
        return pb.ListModelsByQualityResponse(
            models=map(self._messages.of, best), total_count=len(found)
        )

    async def ListProviders(
        self, request: pb.ListProvidersRequest, context: Context
    ) -> pb.ListProvidersResponse:
        known = None
        if request.include_health:
            limit = remaining(context, HEALTH_TIMEOUT_SECONDS)
            known = await self._health.provider_health(limit)
        return pb.ListProvidersResponse(
            providers=[
                to_provider(
                    each, None if known is None else known.get(each.provider, NOTHING_KNOWN)
                )
                for each in self._live.current.edition.providers
                if each.is_routable or not request.routable_only
            ]
        )

    async def GetProvider(
        self, request: pb.GetProviderRequest, context: Context
    ) -> pb.GetProviderResponse:
        catalogue = self._live.current
        provider = catalogue.provider(request.provider)
        if provider is None:
            known = (each.provider for each in catalogue.edition.providers)
            raise ProviderNotFoundError(request.provider, nearest(request.provider, known))
        return pb.GetProviderResponse(provider=to_provider(provider))

    async def GetQuality(
        self, request: pb.GetQualityRequest, context: Context
    ) -> pb.GetQualityResponse:
        model, _ = self._find(request.model)
        today = self._clock.now().date()
        return pb.GetQualityResponse(
            quality=None if model.quality is None else to_quality(model.quality),
            scores=[to_score(each, today) for each in self._live.current.scores(model)],
        )

    async def WatchCatalog(
        self, request: pb.WatchCatalogRequest, context: Context
    ) -> AsyncIterator[pb.WatchCatalogResponse]:
        updates = self._live.updates(request.from_version, self._draining)
        async with aclosing(updates):
            async for update in updates:
                for part in to_parts(update, self._messages):
                    yield part

    def _find(self, name: str) -> tuple[Model, int]:
        catalogue = self._live.current
        model = catalogue.find(name)
        if model is None:
            raise ModelNotFoundError(name, catalogue.nearest(name))
        return model, catalogue.edition.version

    def _select(self, condition: ModelFilter) -> tuple[int, list[Model]]:
        edition = self._live.current.edition
        providers = {each.provider: each for each in edition.providers}
        return edition.version, select(edition.models.values(), condition, providers)
