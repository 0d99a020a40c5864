"""gRPC face of the pricing service."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Any, TypeAlias

import grpc

from steelyard.pricing.v1 import pricing_service_pb2 as pb
from steelyard.pricing.v1 import pricing_service_pb2_grpc
from steelyard_common.clock import Clock
from steelyard_common.errors import InvalidFieldError, ModelNotFoundError, PriceNotFoundError
from steelyard_common.tenant import current_tenant
from steelyard_pricing.domain import ranking
from steelyard_pricing.domain.cache_policy import cache_policy
from steelyard_pricing.domain.catalogue import FRESH_CONFIDENCE, Catalogue
from steelyard_pricing.domain.changes import PriceChange
from steelyard_pricing.domain.history import in_force_at, listing_at
from steelyard_pricing.domain.margin_watch import MarginWatch
from steelyard_pricing.domain.modes import Mode
from steelyard_pricing.domain.negotiations import Negotiations
from steelyard_pricing.domain.price_list import InvalidTokenError, page_of
from steelyard_pricing.domain.price_view import PriceView
from steelyard_pricing.domain.prompt_usage import usage_of_prompt
from steelyard_pricing.domain.quote import UsageLines, applied_rates, cost_parts
from steelyard_pricing.domain.ranking import Pricer
from steelyard_pricing.domain.refresh import Refresher
from steelyard_pricing.domain.snapshot import Listing, Resolution, Snapshot
from steelyard_pricing.domain.week import minute_of_week
from steelyard_pricing.messages import requests
from steelyard_pricing.messages.costs import QuoteWriter, to_rates, write_cost
from steelyard_pricing.messages.prices import (
    PriceWriter,
    to_cache_policy,
    to_comparison,
    to_match,
    write_rate_cards,
)
from steelyard_pricing.messages.refreshes import to_event, to_status
from steelyard_pricing.messages.usages import from_usage, to_usage, usage_lines
from steelyard_pricing.rpcs.archive import Archive
from steelyard_pricing.rpcs.findings import FindingCalls
from steelyard_pricing.rpcs.history import HistoryCalls
from steelyard_pricing.rpcs.margins import MarginCalls
from steelyard_pricing.rpcs.overrides import OverrideCalls
from steelyard_pricing.rpcs.quarantine import QuarantineCalls

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class PricingServicer(
    HistoryCalls,
    QuarantineCalls,
    FindingCalls,
    OverrideCalls,
    MarginCalls,
    pricing_service_pb2_grpc.PricingServiceServicer,
):
    """Answers from the snapshot that is current when a call begins.

    What looks at every offer or writes hundreds of prices does so in a thread: a snapshot never
    changes, and quotes are answered meanwhile.
    """

    def __init__(  # noqa: PLR0913 - one for each kind of call
        self,
        catalogue: Catalogue,
        refresher: Refresher,
        clock: Clock,
        *,
        negotiations: Negotiations,
        margins: MarginWatch,
        archive: Archive,
    ) -> None:
        self._catalogue = catalogue
        self._refresher = refresher
        self._clock = clock
        self._negotiations = negotiations
        self._margins = margins
        self._archive = archive

    async def GetPrice(self, request: pb.GetPriceRequest, context: Context) -> pb.GetPriceResponse:
        snapshot, now = self._catalogue.snapshot, self._clock.now()
        found = _resolved(snapshot, requests.read_name(request.name, "name"))
        listing = found.listing
        view = self._view(snapshot, wants_list=request.view == pb.PRICE_VIEW_LIST)
        at_time = requests.read_time(request, "at_time")
        if at_time is not None and at_time < now:
            history = await self._history_of(listing.offer)
            if in_force_at(history, at_time) is not (history[-1] if history else None):
                return self._past_price(found, history, at_time, view)
        own = None if view is None else view.find(listing, at_time or now)
        if not (listing.fact.is_priced or own):
            raise PriceNotFoundError(listing.offer)
        prices = PriceWriter(self._catalogue, snapshot, now, view=view, priced_time=at_time)
        return pb.GetPriceResponse(
            price=prices.served(listing),
            alternatives=prices.alternatives(listing),
            match=to_match(found),
            snapshot_version=snapshot.version,
        )

    async def _history_of(self, offer: str) -> list[PriceChange]:
        return (await self._archive.history.of_offers([offer], None)).get(offer, [])

    def _past_price(
        self,
        found: Resolution,
        history: Sequence[PriceChange],
        at_time: datetime,
        view: PriceView | None,
    ) -> pb.GetPriceResponse:
        """Return what an offer cost before the price that it has now; alternatives are of now."""
        snapshot, offer = self._catalogue.snapshot, found.listing.offer
        listing = listing_at(history, at_time)
        own_view = None if view is None else PriceView(view.terms, snapshot.version)
        if listing is None and own_view is not None and own_view.find(found.listing, at_time):
            listing = found.listing  # priced by what the tenant has agreed alone
        if listing is None:
            raise PriceNotFoundError(offer)
        prices = PriceWriter(
            self._catalogue, snapshot, self._clock.now(), view=own_view, priced_time=at_time
        )
        return pb.GetPriceResponse(
            price=prices.served(listing),
            match=to_match(found),
            snapshot_version=snapshot.version,
        )

    async def ListPrices(
        self, request: pb.ListPricesRequest, context: Context
    ) -> pb.ListPricesResponse:
        return await asyncio.to_thread(self._list_prices, request)

    def _list_prices(self, request: pb.ListPricesRequest) -> pb.ListPricesResponse:
        snapshot = self._catalogue.snapshot
        size = requests.read_size(request.page_size, "page_size", default=requests.DEFAULT_PAGE)
        query = requests.read_query(request)
        try:
            page = page_of(
                snapshot.listings.values(), query, page_size=size, page_token=request.page_token
            )
        except InvalidTokenError as error:
            raise InvalidFieldError("page_token", str(error)) from error
        prices = PriceWriter(self._catalogue, snapshot, self._clock.now())
        response = pb.ListPricesResponse(
            prices=map(prices.served, page.listings), snapshot_version=snapshot.version
        )
        response.page_info.next_page_token = page.next_token
        response.page_info.total_count = page.total_count
        return response

    async def Quote(self, request: pb.QuoteRequest, context: Context) -> pb.QuoteResponse:
        response = pb.QuoteResponse()
        self._quote(request, response, self._catalogue.snapshot, self._clock.now())
        return response

    async def BatchQuote(
        self, request: pb.BatchQuoteRequest, context: Context
    ) -> pb.BatchQuoteResponse:
        snapshot, now = self._catalogue.snapshot, self._clock.now()
        response = pb.BatchQuoteResponse()
        for position, each in enumerate(requests.read_batch(request.requests)):
            try:
                self._quote(each, response.responses.add(), snapshot, now)
            except InvalidFieldError as error:
                raise requests.below(f"requests[{position}]", error) from error
        return response

    def _quote(
        self,
        request: pb.QuoteRequest,
        response: pb.QuoteResponse,
        snapshot: Snapshot,
        now: datetime,
    ) -> None:
        options = request.options
        time = requests.read_time(options, "at_time", "options.") or now
        writer = QuoteWriter(
            snapshot,
            usage_lines(request.usage),
            service_tier=requests.read_tier(request.service_tier),
            time=time,
            include_rates=options.include_rates,
        )
        response.snapshot_version = snapshot.version
        response.stale = self._catalogue.is_stale(now)
        view = self._view(snapshot, wants_list=options.list_prices)
        writer.write(response, requests.read_offers(request.offers), view)

    async def EstimateCost(
        self, request: pb.EstimateCostRequest, context: Context
    ) -> pb.EstimateCostResponse:
        snapshot, now = self._catalogue.snapshot, self._clock.now()
        listing = _resolved(snapshot, requests.read_name(request.model, "model")).listing
        counts = await _counts(request, listing.fact.mode)
        usage = UsageLines.of(counts)
        view = self._view(snapshot)
        own = None if view is None else view.find(listing, now)
        card = listing.card if own is None else own.card
        if card is None:
            raise PriceNotFoundError(listing.offer)
        tier = requests.read_tier(request.service_tier)
        prices = card.prices(tier, _minute(now))
        index = prices.band_index(usage.prompt_tokens)
        parts = cost_parts(usage, prices.bands[index])
        if parts is None:
            raise PriceNotFoundError(listing.offer)
        is_guess = not request.HasField("usage")
        response = pb.EstimateCostResponse(
            offer=listing.offer,
            usage=to_usage(counts),
            rates=to_rates(applied_rates(usage, prices.bands[index])),
            estimated=is_guess or listing.is_estimated,
            tokens_estimated=is_guess,
            margin_picodollars=own.margin(parts, usage, tier, _minute(now)) if own else 0,
            confidence=self._catalogue.confidence(listing, now),
            stale=self._catalogue.is_source_stale(listing.fact.source, now),
            source=own.fact.source if own else listing.fact.source,
            service_tier=prices.service_tier,
            above_prompt_token_count=prices.above(index),
            snapshot_version=snapshot.version,
        )
        if own is not None and own.agreement.is_of_own_rates:
            response.confidence, response.stale = FRESH_CONFIDENCE, False
            response.estimated = is_guess
        write_cost(response.cost, parts)
        return response

    def _view(self, snapshot: Snapshot, *, wants_list: bool = False) -> PriceView | None:
        """Return what the caller's tenant negotiated, None where it pays list prices."""
        if wants_list:
            return None
        return self._negotiations.view(current_tenant().tenant_id, snapshot)

    async def RefreshPrices(
        self, request: pb.RefreshPricesRequest, context: Context
    ) -> AsyncIterator[pb.RefreshPricesResponse]:
        known = {source.name for source in self._catalogue.sources}
        if not known.issuperset(request.sources):
            raise InvalidFieldError("sources", f"must be among {', '.join(sorted(known))}")
        run = await self._refresher.follow(request.sources or known, force=request.force)
        async for event in run.events():
            yield to_event(event)

    async def GetCatalogStatus(
        self, request: pb.GetCatalogStatusRequest, context: Context
    ) -> pb.GetCatalogStatusResponse:
        return to_status(self._catalogue, self._clock.now())

    async def ListRateCards(
        self, request: pb.ListRateCardsRequest, context: Context
    ) -> pb.ListRateCardsResponse:
        snapshot = self._catalogue.snapshot
        response = pb.ListRateCardsResponse(
            snapshot_version=snapshot.version, stale=self._catalogue.is_stale(self._clock.now())
        )
        if request.known_version != snapshot.version:
            mode = requests.read_mode(request.mode) or Mode.CHAT
            await asyncio.to_thread(write_rate_cards, response, snapshot.of_mode(mode))
        return response

    async def ListCheapest(
        self, request: pb.ListCheapestRequest, context: Context
    ) -> pb.ListCheapestResponse:
        return await asyncio.to_thread(self._rank, request)

    def _rank(self, request: pb.ListCheapestRequest) -> pb.ListCheapestResponse:
        snapshot, now = self._catalogue.snapshot, self._clock.now()
        needed = requests.read_capabilities(request.capabilities)
        limit = requests.read_size(request.limit, "limit", default=requests.DEFAULT_LIMIT)
        wanted = [
            listing
            for listing in _served(snapshot, request.mode, now)
            if request.provider in {"", listing.fact.name.provider}
            and needed <= listing.fact.capabilities
        ]
        result = ranking.rank(wanted, _pricer(request, now), limit=limit)
        prices = PriceWriter(self._catalogue, snapshot, now)
        return pb.ListCheapestResponse(
            offers=map(prices.ranked, result.ranked),
            free_count=result.free_count,
            unpriced_count=result.unpriced_count,
            snapshot_version=snapshot.version,
        )

    async def CompareProviders(
        self, request: pb.CompareProvidersRequest, context: Context
    ) -> pb.CompareProvidersResponse:
        return await asyncio.to_thread(self._compare, request)

    def _compare(self, request: pb.CompareProvidersRequest) -> pb.CompareProvidersResponse:
        snapshot, now = self._catalogue.snapshot, self._clock.now()
        pricer = _pricer(request, now)
        prices = PriceWriter(self._catalogue, snapshot, now)
        if not request.model:
            compared = list(_served(snapshot, request.mode, now))
            offers: list[ranking.RankedListing] = []
        else:
            named = _resolved(snapshot, requests.read_name(request.model, "model")).listing
            compared = list(snapshot.sellers_of[named.fact.name.model])
            offers = ranking.at_each_seller(compared, pricer)
        return pb.CompareProvidersResponse(
            providers=map(to_comparison, ranking.compare_sellers(compared, pricer)),
            offers=map(prices.ranked, offers),
            snapshot_version=snapshot.version,
        )

    async def GetCachePolicy(
        self, request: pb.GetCachePolicyRequest, context: Context
    ) -> pb.GetCachePolicyResponse:
        name = requests.read_name(request.model, "model")
        listing = _resolved(self._catalogue.snapshot, name).listing
        return to_cache_policy(listing.offer, cache_policy(listing.fact))


def _served(snapshot: Snapshot, mode: int, now: datetime) -> Iterator[Listing]:
    """Return the offers of a mode, chat by default, that their sellers still serve."""
    listings = snapshot.of_mode(requests.read_mode(mode) or Mode.CHAT)
    return (listing for listing in listings if ranking.is_served(listing, now.date()))


def _resolved(snapshot: Snapshot, name: str) -> Resolution:
    found = snapshot.resolve(name)
    if found is None:
        raise ModelNotFoundError(name, snapshot.nearest(name))
    return found


def _minute(time: datetime) -> Callable[[], int]:
    """Return a function for the few offers whose price depends on the time."""
    return partial(minute_of_week, time)


def _pricer(request: pb.ListCheapestRequest | pb.CompareProvidersRequest, now: datetime) -> Pricer:
    counts = from_usage(request.usage) if request.HasField("usage") else ranking.DEFAULT_MIX
    return Pricer(UsageLines.of(counts), _minute(now))


async def _counts(request: pb.EstimateCostRequest, mode: Mode) -> tuple[int, ...]:
    """Return the usage to price: the caller's, else what the prompt comes to."""
    if request.HasField("usage"):
        return from_usage(request.usage)
    if not request.prompt:
        raise InvalidFieldError("usage", "is required where there is no prompt")
    output_tokens = requests.read_output_tokens(request)
    # A prompt may have megabytes.
    return await asyncio.to_thread(usage_of_prompt, request.prompt, mode, output_tokens)
