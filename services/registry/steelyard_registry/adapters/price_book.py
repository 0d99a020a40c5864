"""The list prices of all offers, copied from the pricing service when it has new ones."""

import asyncio
from collections.abc import Iterable

import grpc
import structlog

from steelyard.common.v1 import model_traits_pb2 as traits
from steelyard.pricing.v1 import pricing_service_pb2 as pb
from steelyard.pricing.v1 import pricing_service_pb2_grpc as pb_grpc
from steelyard_common.clock import Clock
from steelyard_common.errors import PricingUnavailableError
from steelyard_registry.domain.prices import OfferPrices, blended

READ_SECONDS = 5.0
"""For each of the two rounds of calls that reading takes at most."""
MAX_AGE_SECONDS = 3600.0
"""For so long prices count that pricing does not confirm because it is away."""

_FIRST_MODE = traits.MODE_CHAT
_OTHER_MODES = tuple(
    mode for mode in traits.Mode.values() if mode not in {traits.MODE_UNSPECIFIED, _FIRST_MODE}
)

logger = structlog.get_logger(__name__)


class PriceBook:
    """Asks for each question whether prices have changed; callers at the same time ask once.

    It reads rate cards, not prices: they are a tenth of the size, have every fallback applied, and
    the question for them answers at once whether there are new ones. Offers of which the sources
    do not say what they do have none.
    """

    def __init__(self, channel: grpc.aio.Channel, clock: Clock) -> None:
        self._stub = pb_grpc.PricingServiceStub(channel)
        self._clock = clock
        self._known: OfferPrices | None = None
        self._confirmed_seconds = 0.0
        self._reading: asyncio.Task[bool] | None = None

    async def current(self, timeout_seconds: float) -> OfferPrices:
        """Return the prices of now, or those that were known when pricing was last there.

        Args:
            timeout_seconds: How long to wait; what is read goes on for later callers.

        Raises:
            PricingUnavailableError: Pricing does not answer, and nothing is known that was
                confirmed within an hour.
        """
        if await self._is_confirmed(timeout_seconds) and self._known is not None:
            return self._known
        age_seconds = self._clock.monotonic() - self._confirmed_seconds
        if self._known is None or age_seconds >= MAX_AGE_SECONDS:
            raise PricingUnavailableError
        return self._known

    async def _is_confirmed(self, timeout_seconds: float) -> bool:
        if self._reading is None:
            self._reading = asyncio.create_task(self._read())
            self._reading.add_done_callback(self._forget)
        try:
            async with asyncio.timeout(timeout_seconds):
                return await asyncio.shield(self._reading)
        except TimeoutError:
            return False

    def _forget(self, reading: asyncio.Task[bool]) -> None:
        self._reading = None

    async def _read(self) -> bool:
        """Take over the prices if there are others; False when pricing does not answer."""
        known_version = 0 if self._known is None else self._known.version
        asked_seconds = self._clock.monotonic()
        try:
            first = await self._rate_cards(_FIRST_MODE, known_version)
            if self._known is None or first.snapshot_version != known_version:
                others = await asyncio.gather(*(self._rate_cards(mode) for mode in _OTHER_MODES))
                self._known = await asyncio.to_thread(_prices, [first, *others])
                logger.info("prices", version=self._known.version, offers=len(self._known.blended))
        except grpc.aio.AioRpcError as error:
            logger.warning("pricing did not answer", code=error.code().name)
            return False
        self._confirmed_seconds = asked_seconds
        return True

    async def _rate_cards(
        self, mode: "traits.Mode.ValueType", known_version: int = 0
    ) -> pb.ListRateCardsResponse:
        request = pb.ListRateCardsRequest(mode=mode, known_version=known_version)
        answer: pb.ListRateCardsResponse = await self._stub.ListRateCards(
            request, timeout=READ_SECONDS
        )
        return answer


def _prices(answers: Iterable[pb.ListRateCardsResponse]) -> OfferPrices:
    """Join the cards of all modes.

    When prices change between two calls, the older version is noted: the next question then finds
    another one and reads again.
    """
    answers = tuple(answers)
    prices: dict[str, int] = {}
    for answer in answers:
        for card in answer.rate_cards:
            if card.free:
                prices[card.offer] = 0
            elif card.bands:
                base = card.bands[0]
                price = blended(base.input_picodollars, base.output_picodollars)
                # Tokens cost nothing, yet the offer is not free: it charges for other things.
                if price > 0:
                    prices[card.offer] = price
    return OfferPrices(min(answer.snapshot_version for answer in answers), prices)
