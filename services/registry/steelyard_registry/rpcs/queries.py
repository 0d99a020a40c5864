"""Questions about models, sellers and quality, answered from the catalogue of the moment."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeAlias

import grpc

from steelyard.common.v1.page_info_pb2 import PageInfo
from steelyard.registry.v1 import registry_service_pb2 as pb
from steelyard_catalog.nearest import nearest
from steelyard_common.clock import Clock
from steelyard_common.deadlines import remaining
from steelyard_common.errors import (
    PricingUnavailableError,
    ProviderNotFoundError,
)
from steelyard_common.page_tokens import from_text_page_token, to_page_token
from steelyard_registry.domain import unjoined
from steelyard_registry.domain.catalogue import Catalogue
from steelyard_registry.domain.frontier import frontier
from steelyard_registry.domain.grading import UnjoinedName
from steelyard_registry.domain.listing import Field, Market, ModelFilter, Order, select
from steelyard_registry.domain.live import LiveCatalogue
from steelyard_registry.domain.models import Model
from steelyard_registry.domain.modes import Mode
from steelyard_registry.domain.prices import OfferPrices, Prices
from steelyard_registry.domain.providers import ProviderHealth
from steelyard_registry.domain.tier_bands import tier_bands
from steelyard_registry.messages.answers import (
    ModelMessages,
    to_frontier_model,
    to_provider,
    to_quality,
    to_score,
    to_tier_band,
    to_unjoined,
)
from steelyard_registry.messages.page_tokens import from_place_token, question_of
from steelyard_registry.messages.questions import (
    from_filter,
    from_frontier_filter,
    from_limit,
    from_order_by,
    from_quality_range,
    from_task,
)
from steelyard_registry.rpcs.names import found

DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE = 50, 1000
DEFAULT_SEARCH_LIMIT, MAX_SEARCH_LIMIT = 20, 200
DEFAULT_EXAMPLE_COUNT, MAX_EXAMPLE_COUNT = 3, 10
HEALTH_TIMEOUT_SECONDS = 0.1
PRICES_TIMEOUT_SECONDS = 4.0
PATIENCE = 0.8
"""Part of a call's time that is spent on waiting for prices; older ones can follow in the rest."""
NOTHING_KNOWN = ProviderHealth(score=1.0, state="UNKNOWN", sample_count=0)
_UNPRICED = OfferPrices(version=0, blended={})

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class ProviderHealthReader(Protocol):
    """Says how providers are."""

    async def provider_health(self, timeout: float) -> Mapping[str, ProviderHealth] | None:  # noqa: ASYNC109
        """Return the health of providers that were reported on; None when that is not known."""


class NoPrices:
    """The prices of a registry that knows no pricing service."""

    async def current(self, timeout_seconds: float) -> OfferPrices:
        """Raise PricingUnavailableError."""
        raise PricingUnavailableError


class QueryCalls:
    """Finds, lists and compares models, and shows sellers and names."""

    _live: LiveCatalogue
    _health: ProviderHealthReader
    _prices: Prices
    _messages: ModelMessages
    _clock: Clock

    async def GetModel(self, request: pb.GetModelRequest, context: Context) -> pb.GetModelResponse:
        model, version = self._find(request.model)
        return pb.GetModelResponse(model=self._messages.of(model), catalog_version=version)

    async def GetQuality(
        self, request: pb.GetQualityRequest, context: Context
    ) -> pb.GetQualityResponse:
        model, _ = self._find(request.model)
        today = self._clock.now().date()
        return pb.GetQualityResponse(
            quality=None if model.quality is None else to_quality(model.quality),
            scores=[to_score(each, today) for each in self._live.current.scores(model)],
        )

    async def ListModels(
        self, request: pb.ListModelsRequest, context: Context
    ) -> pb.ListModelsResponse:
        condition = from_filter(request.filter)
        order = from_order_by(request.order_by, task=condition.task)
        size = from_limit(
            "page_size", request.page_size, default=DEFAULT_PAGE_SIZE, maximum=MAX_PAGE_SIZE
        )
        question = question_of(request)
        place = from_place_token(request.page_token, question) if request.page_token else None
        catalogue, market = await self._market(condition, context)
        named = catalogue.search.find(condition.words)
        left = found = order.sorted(select(named, condition, market))
        if place is not None:
            left = order.after(found, place)
        page = left[:size]
        return pb.ListModelsResponse(
            models=map(self._messages.of, page),
            page_info=PageInfo(
                total_count=len(found),
                next_page_token=(
                    to_page_token(question, *order.place(page[-1])) if len(left) > size else ""
                ),
            ),
            catalog_version=catalogue.edition.version,
        )

    async def SearchModels(
        self, request: pb.SearchModelsRequest, context: Context
    ) -> pb.SearchModelsResponse:
        condition = from_filter(request.filter, words=request.query)
        limit = from_limit(
            "limit", request.limit, default=DEFAULT_SEARCH_LIMIT, maximum=MAX_SEARCH_LIMIT
        )
        catalogue, market = await self._market(condition, context)
        names = catalogue.search
        found = select(names.search(condition.words), condition, market)
        best = names.best(found, condition.words, condition.task, limit)
        return pb.SearchModelsResponse(models=map(self._messages.of, best), total_count=len(found))

    async def ListModelsByQuality(
        self, request: pb.ListModelsByQualityRequest, context: Context
    ) -> pb.ListModelsByQualityResponse:
        condition = from_quality_range(request)
        limit = from_limit("limit", request.limit, default=DEFAULT_PAGE_SIZE, maximum=MAX_PAGE_SIZE)
        order = Order(Field.QUALITY, is_descending=True, task=condition.task)
        catalogue, market = await self._market(condition, context)
        found = select(catalogue.edition.models.values(), condition, market)
        best = order.sorted(found)[:limit]
        return pb.ListModelsByQualityResponse(
            models=map(self._messages.of, best), total_count=len(found)
        )

    async def ListFrontier(
        self, request: pb.ListFrontierRequest, context: Context
    ) -> pb.ListFrontierResponse:
        condition = from_frontier_filter(request.filter)
        task = from_task("task", request.task)
        prices = await self._current_prices(context)
        catalogue = self._live.current
        market = _market_of(catalogue, prices)
        named = catalogue.search.find(condition.words)
        found = frontier(select(named, condition, market), condition, market, task)
        return pb.ListFrontierResponse(
            models=[to_frontier_model(each, self._messages) for each in found],
            price_snapshot_version=prices.version,
        )

    async def ListTierBands(
        self, request: pb.ListTierBandsRequest, context: Context
    ) -> pb.ListTierBandsResponse:
        count = from_limit(
            "example_count",
            request.example_count,
            default=DEFAULT_EXAMPLE_COUNT,
            maximum=MAX_EXAMPLE_COUNT,
        )
        condition = ModelFilter(mode=Mode.CHAT, routable_only=True, scored_only=True)
        catalogue, market = await self._market(condition, context)
        found = select(catalogue.edition.models.values(), condition, market)
        return pb.ListTierBandsResponse(
            bands=[to_tier_band(band, self._messages, count) for band in tier_bands(found)]
        )

    async def ListUnjoinedNames(
        self, request: pb.ListUnjoinedNamesRequest, context: Context
    ) -> pb.ListUnjoinedNamesResponse:
        size = from_limit(
            "page_size", request.page_size, default=DEFAULT_PAGE_SIZE, maximum=MAX_PAGE_SIZE
        )
        question = question_of(request)
        catalogue = self._live.current
        found = unjoined.names_of(catalogue.unjoined, request.source)
        left: Sequence[UnjoinedName] = found
        if request.page_token:
            place = from_text_page_token(request.page_token, question)
            left = unjoined.after(found, place)
        page = left[:size]
        # Most of a millisecond for each name: other calls are answered meanwhile.
        names = await asyncio.to_thread(_with_nearest, page, catalogue)
        return pb.ListUnjoinedNamesResponse(
            names=names,
            page_info=PageInfo(
                total_count=len(found),
                next_page_token=(
                    to_page_token(question, unjoined.place_of(page[-1])) if len(left) > size else ""
                ),
            ),
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

    def _find(self, name: str) -> tuple[Model, int]:
        catalogue = self._live.current
        return found(catalogue, name), catalogue.edition.version

    async def _market(self, condition: ModelFilter, context: Context) -> tuple[Catalogue, Market]:
        """Return the catalogue, with prices only when the condition needs them."""
        prices = _UNPRICED
        if condition.max_blended is not None:
            prices = await self._current_prices(context)
        catalogue = self._live.current  # of now, not of before the wait
        return catalogue, _market_of(catalogue, prices)

    async def _current_prices(self, context: Context) -> OfferPrices:
        return await self._prices.current(PATIENCE * remaining(context, PRICES_TIMEOUT_SECONDS))


def _with_nearest(names: Iterable[UnjoinedName], catalogue: Catalogue) -> list[pb.UnjoinedName]:
    return [
        to_unjoined(name, catalogue.nearest(name.canonical_name or name.source_model))
        for name in names
    ]


def _market_of(catalogue: Catalogue, prices: OfferPrices) -> Market:
    return Market({each.provider: each for each in catalogue.edition.providers}, prices.blended)
