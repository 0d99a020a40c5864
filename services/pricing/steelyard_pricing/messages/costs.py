"""Costs and quotes."""

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial

from steelyard.common.v1 import cost_pb2
from steelyard.pricing.v1 import pricing_service_pb2 as pb
from steelyard_pricing.domain.price_view import NegotiatedPrice, PriceView
from steelyard_pricing.domain.quote import AppliedRate, Parts, UsageLines, applied_rates, cost_parts
from steelyard_pricing.domain.snapshot import Listing, Snapshot
from steelyard_pricing.domain.week import minute_of_week

MAX_SHOWN_NAME = 512


def write_cost(cost: cost_pb2.CostBreakdown, parts: Parts) -> None:
    """Fill a cost in place: assigning is several times cheaper than making a message."""
    prompt, cache_read, cache_write, output, reasoning, media, request, total = parts
    cost.total_picodollars = total
    if not total:
        # All zeros are a cost too: that of a free offer.
        cost.SetInParent()
        return
    if prompt:
        cost.input_picodollars = prompt
    if cache_read:
        cost.cache_read_picodollars = cache_read
    if cache_write:
        cost.cache_write_picodollars = cache_write
    if output:
        cost.output_picodollars = output
    if reasoning:
        cost.reasoning_picodollars = reasoning
    if media:
        cost.media_picodollars = media
    if request:
        cost.request_picodollars = request


def to_rates(rates: Iterable[AppliedRate]) -> list[cost_pb2.Rate]:
    """Return what was charged for each class of a usage; what nobody charges for is left out."""
    return [
        cost_pb2.Rate(
            usage_class=rate.usage_class,
            priced_as=rate.priced_as.name.lower(),
            quantity=rate.quantity,
            unit_picodollars=rate.picodollars,
            cost_picodollars=rate.cost_picodollars,
        )
        for rate in rates
    ]


class QuoteWriter:
    """Writes the quotes of one request: the hot path, so nothing is made that is not sent."""

    def __init__(
        self,
        snapshot: Snapshot,
        usage: UsageLines,
        *,
        service_tier: str,
        time: datetime,
        include_rates: bool,
    ) -> None:
        """Take what all quotes of the request share.

        Args:
            snapshot: All quotes come from it.
            usage: What is priced.
            service_tier: Tier to price at; empty for `standard`.
            time: When it is used.
            include_rates: Also write the rate of each class.
        """
        self._snapshot = snapshot
        self._usage = usage
        self._service_tier = service_tier
        self._time = time
        self._minute_of_week: Callable[[], int] = partial(minute_of_week, time)
        self._include_rates = include_rates

    def write(
        self, response: pb.QuoteResponse, names: Iterable[str], view: PriceView | None = None
    ) -> None:
        """Add one quote for each name, in order.

        Args:
            response: Where quotes are added.
            names: Offer ids or names of models.
            view: What the tenant is charged where that is not the list price.
        """
        add, listings, find = response.quotes.add, self._snapshot.listings, self._snapshot.find
        for name in names:
            quote = add()
            listing = listings.get(name) or find(name)
            if listing is None:
                quote.offer = name[:MAX_SHOWN_NAME]
                quote.failure = pb.QUOTE_FAILURE_UNKNOWN_OFFER
            else:
                quote.offer = listing.offer
                own = None if view is None else view.find(listing, self._time)
                self._write_quote(quote, listing, own)

    def _write_quote(self, quote: pb.Quote, listing: Listing, own: NegotiatedPrice | None) -> None:
        usage = self._usage
        if listing.is_disputed:
            quote.disputed = True
        card = listing.card if own is None else own.card
        if card is None:
            quote.failure = pb.QUOTE_FAILURE_UNPRICED
            return
        prices = card.prices(self._service_tier, self._minute_of_week)
        index = prices.band_index(usage.prompt_tokens)
        parts = cost_parts(usage, prices.bands[index])
        if parts is None:
            quote.failure = pb.QUOTE_FAILURE_UNPRICED
            return
        write_cost(quote.cost, parts)
        if listing.is_estimated and not (own and own.agreement.is_of_own_rates):
            quote.estimated = True
        if own is not None:
            quote.negotiated = True
            quote.margin_picodollars = own.margin(
                parts, usage, self._service_tier, self._minute_of_week
            )
        if prices.service_tier:
            quote.service_tier = prices.service_tier
        if index:
            quote.above_prompt_token_count = prices.above(index)
        if self._include_rates:
            quote.rates.extend(to_rates(applied_rates(usage, prices.bands[index])))
