"""What a paid probe may cost, as the pricing service tells."""

from collections.abc import Mapping, Sequence
from typing import Final

import grpc
import structlog

from steelyard.common.v1.usage_pb2 import Usage
from steelyard.pricing.v1 import pricing_service_pb2 as pb
from steelyard.pricing.v1 import pricing_service_pb2_grpc as pb_grpc
from steelyard_health.adapters.probe_calls import MAX_OUTPUT_TOKENS

MAX_OFFERS: Final = 100
"""That pricing takes in one call."""
TIMEOUT_SECONDS: Final = 5.0

INPUT_TOKENS: Final = 100
"""The prompt has less than ten; templates that providers put around it have up to seventy."""

logger = structlog.get_logger(__name__)


class ProbePrices:
    """Asks for list prices: the platform pays them, whoever's calls are at stake."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = pb_grpc.PricingServiceStub(channel)
        self._is_silent = False

    async def costs(self, offers: Sequence[str]) -> Mapping[str, int]:
        """Return the most that a probe of each offer costs, in picodollars.

        Offers without a published price are left out, and all while pricing does not answer.

        Args:
            offers: At most MAX_OFFERS; what is beyond is not asked for.
        """
        asked = offers[:MAX_OFFERS]
        if not asked:
            return {}
        request = pb.QuoteRequest(
            usage=Usage(
                uncached_input_token_count=INPUT_TOKENS, output_token_count=MAX_OUTPUT_TOKENS
            ),
            offers=asked,
            options=pb.QuoteOptions(list_prices=True),
        )
        try:
            answer = await self._stub.Quote(request, timeout=TIMEOUT_SECONDS)
        except grpc.aio.AioRpcError as error:
            if not self._is_silent:
                logger.warning("no paid probes: pricing does not answer", code=error.code().name)
            self._is_silent = True
            return {}
        self._is_silent = False
        return {
            offer: quote.cost.total_picodollars
            for offer, quote in zip(asked, answer.quotes, strict=False)
            if _is_published(quote)
        }


def _is_published(quote: pb.Quote) -> bool:
    return (
        quote.HasField("cost")
        and not quote.failure
        and not quote.estimated
        and quote.cost.total_picodollars >= 0
    )
