"""Prices: quotes for each request, and a copy of all rate cards for when there is no answer."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Final, NamedTuple

import grpc
import structlog

from steelyard.common.v1.usage_pb2 import Usage as UsageProto
from steelyard.pricing.v1 import pricing_service_pb2 as pb
from steelyard.pricing.v1 import pricing_service_pb2_grpc as pb_grpc
from steelyard.pricing.v1 import rate_card_pb2
from steelyard_common.clock import Clock
from steelyard_router.adapters.dependency import Dependency
from steelyard_router.adapters.gather import Gatherer
from steelyard_router.adapters.snapshot_files import SnapshotFiles
from steelyard_router.domain.rates import Cost, RateBand, RateCard
from steelyard_router.domain.usage import Usage
from steelyard_router.ports import Ask, PriceQuote, Quotes, RateBook

MAX_GATHERED: Final = 64
"""Quotes that pricing takes in one call."""
SNAPSHOT = "rate-cards"
FETCH_SECONDS = 10.0
POLL_SECONDS = 60.0
MIN_INTERVAL_SECONDS = 1.0
"""Replicas of pricing may differ for a while; following each of them at once helps nobody."""
FIRST_RETRY_SECONDS = 0.25
MAX_RETRY_SECONDS = 10.0

logger = structlog.get_logger(__name__)


class _Question(NamedTuple):
    request: pb.QuoteRequest
    offers: Sequence[str]


class _QuoteBatch:
    """One BatchQuote; each answer is read when it is asked for."""

    def __init__(
        self,
        stub: pb_grpc.PricingServiceStub,
        read: Callable[[Sequence[str], pb.QuoteResponse], Quotes],
    ) -> None:
        self._stub = stub
        self._read = read
        self._questions: list[_Question] = []

    def add(self, question: _Question) -> bool:
        if len(self._questions) == MAX_GATHERED:
            return False
        self._questions.append(question)
        return True

    def start(self, timeout_seconds: float) -> Awaitable[Any]:
        requests = [question.request for question in self._questions]
        return self._stub.BatchQuote(
            pb.BatchQuoteRequest(requests=requests), timeout=timeout_seconds
        )

    def read(self, position: int, response: pb.BatchQuoteResponse) -> Quotes | None:
        if position >= len(response.responses):
            return None
        return self._read(self._questions[position].offers, response.responses[position])


class PricingClient:
    """Asks pricing, and keeps what it needs to do without."""

    def __init__(self, channel: grpc.aio.Channel, files: SnapshotFiles, clock: Clock) -> None:
        self._stub = pb_grpc.PricingServiceStub(channel)
        self._files = files
        self._clock = clock
        self._dependency = Dependency("pricing")
        self._book: RateBook | None = None
        self._is_outdated = asyncio.Event()
        self.gatherer: Gatherer[_Question, Quotes] = Gatherer(
            self._dependency, lambda: _QuoteBatch(self._stub, self._read)
        )

    @property
    def book(self) -> RateBook | None:
        # Pricing without any price has only just started: not the same as everything unpriced.
        return self._book if self._book is not None and self._book.cards else None

    def refresh_soon(self) -> None:
        self._is_outdated.set()

    def ask(
        self, usage: Usage, offers: Sequence[str], service_tier: str, timeout_seconds: float
    ) -> Ask[Quotes]:
        request = pb.QuoteRequest(
            usage=UsageProto(
                uncached_input_token_count=usage.input_tokens,
                output_token_count=usage.output_tokens,
                image_input_token_count=usage.image_tokens,
                audio_input_token_count=usage.audio_tokens,
                video_input_token_count=usage.video_tokens,
            ),
            offers=offers,
            service_tier=service_tier,
        )
        return self.gatherer.ask(_Question(request, offers), timeout_seconds)

    def _read(self, offers: Sequence[str], response: pb.QuoteResponse) -> Quotes:
        if self._book is None or response.snapshot_version != self._book.version:
            self._is_outdated.set()
        by_offer = {
            offer: PriceQuote(_cost(quote), quote.estimated)
            for offer, quote in zip(offers, response.quotes, strict=False)
        }
        return Quotes(by_offer, response.snapshot_version, response.stale)

    async def load(self) -> None:
        """Start with the rate cards that were kept on disk."""
        kept = pb.ListRateCardsResponse()
        if self._book is None and await self._files.load(SNAPSHOT, kept):
            self._book = await asyncio.to_thread(_rate_book, kept)

    async def first(self, timeout_seconds: float) -> bool:
        """Fetch the rate cards before they are followed; False when they do not come in time."""
        deadline = self._clock.monotonic() + timeout_seconds
        while not await self.refresh(max(0.001, deadline - self._clock.monotonic())):
            if self._clock.monotonic() + FIRST_RETRY_SECONDS >= deadline:
                return False
            await self._clock.sleep(FIRST_RETRY_SECONDS)
        return True

    async def refresh(self, timeout_seconds: float = FETCH_SECONDS) -> bool:
        """Fetch the rate cards if pricing has others; False when it does not answer."""
        known = self._book.version if self._book is not None else 0
        self._is_outdated.clear()
        try:
            response = await self._stub.ListRateCards(
                pb.ListRateCardsRequest(known_version=known), timeout=timeout_seconds
            )
        except grpc.aio.AioRpcError as error:
            self._dependency.failed(error)
            return False
        self._dependency.answered()
        if self._book is None or response.snapshot_version != known:
            self._book = await asyncio.to_thread(_rate_book, response)
            logger.info("rate cards", version=self._book.version, cards=len(self._book.cards))
            await self._files.keep(SNAPSHOT, response.SerializeToString())
        return True

    async def keep_current(self) -> None:
        """Follow pricing for ever: soon when a quote names another snapshot, else each minute."""
        retry_seconds = FIRST_RETRY_SECONDS
        while True:
            if await self.refresh():
                retry_seconds = FIRST_RETRY_SECONDS
                await self._clock.sleep(MIN_INTERVAL_SECONDS)
                await self._until_outdated()
            else:
                await self._clock.sleep(retry_seconds)
                retry_seconds = min(retry_seconds * 2, MAX_RETRY_SECONDS)

    async def _until_outdated(self) -> None:
        outdated = asyncio.ensure_future(self._is_outdated.wait())
        slept = asyncio.ensure_future(self._clock.sleep(POLL_SECONDS))
        try:
            await asyncio.wait({outdated, slept}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            outdated.cancel()
            slept.cancel()


def _cost(quote: pb.Quote) -> Cost | None:
    """Return the cost of a quote; a negative one would be nonsense and counts as none."""
    cost = quote.cost
    total, plain = cost.total_picodollars, cost.input_picodollars
    if quote.failure or not quote.HasField("cost") or total < 0:
        return None
    output = cost.output_picodollars
    if total == plain + output:  # the others are 0, which is most often so
        return Cost(total, plain, output=output)
    return Cost(
        total,
        plain,
        cost.cache_read_picodollars,
        cost.cache_write_picodollars,
        output,
        cost.reasoning_picodollars,
        cost.media_picodollars,
        cost.request_picodollars,
    )


def _rate_book(response: pb.ListRateCardsResponse) -> RateBook:
    return RateBook(
        {card.offer: _card(card) for card in response.rate_cards if card.bands},
        response.snapshot_version,
    )


def _card(card: rate_card_pb2.RateCard) -> RateCard:
    return RateCard(tuple(_bands(card.bands)), card.request_picodollars, card.estimated)


def _bands(bands: Iterable[rate_card_pb2.RateBand]) -> Iterable[RateBand]:
    for band in bands:
        yield RateBand(
            band.above_prompt_token_count, band.input_picodollars, band.output_picodollars
        )
