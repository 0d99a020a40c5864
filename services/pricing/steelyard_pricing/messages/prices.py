"""Prices, rate cards and rankings."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import cast

from steelyard.common.v1 import model_traits_pb2
from steelyard.pricing.v1 import price_pb2, rate_card_pb2
from steelyard.pricing.v1 import pricing_service_pb2 as pb
from steelyard_catalog.names import aliases
from steelyard_common.message_times import to_date
from steelyard_pricing.domain.cache_policy import CachePolicy
from steelyard_pricing.domain.catalogue import FRESH_CONFIDENCE, Catalogue
from steelyard_pricing.domain.comparison import CURATED, dearness
from steelyard_pricing.domain.components import Component
from steelyard_pricing.domain.price_view import NegotiatedPrice, PriceView
from steelyard_pricing.domain.ranking import RankedListing, SellerSummary
from steelyard_pricing.domain.rate_card import Band
from steelyard_pricing.domain.rates import STANDARD_TIER, PriceFact, Rate, TimeWindow
from steelyard_pricing.domain.snapshot import Listing, ObservedFact, Resolution, Snapshot
from steelyard_pricing.messages.costs import write_cost


class PriceWriter:
    """Writes the prices of one snapshot as they are at one moment."""

    def __init__(
        self,
        catalogue: Catalogue,
        snapshot: Snapshot,
        now: datetime,
        *,
        view: PriceView | None = None,
        priced_time: datetime | None = None,
    ) -> None:
        """Take what all prices share.

        Args:
            catalogue: Says how old they are.
            snapshot: All prices come from it.
            now: The present.
            view: What a tenant is charged where that is not the list price.
            priced_time: When it is charged; None is now.
        """
        self._catalogue = catalogue
        self._snapshot = snapshot
        self._now = now
        self._view = view
        self._priced_time = priced_time or now

    def served(self, listing: Listing) -> price_pb2.Price:
        """Return the price that is served for an offer."""
        price = self.fact(listing.served)
        price.confidence = self._catalogue.confidence(listing, self._now)
        price.aliases.extend(self._aliases(listing))
        own = self._negotiated(listing)
        if own is not None:
            _charge(price, own)
        return price

    def fact(self, observed: ObservedFact) -> price_pb2.Price:
        """Return what one source says."""
        fact = observed.fact
        price = price_pb2.Price(
            offer=fact.offer,
            provider=fact.name.provider,
            model=fact.name.provider_model,
            mode=cast("model_traits_pb2.Mode.ValueType", fact.mode),
            rates=map(to_rate, fact.rates),
            free=fact.is_free,
            estimated=fact.source == CURATED,
            stale=self._catalogue.is_source_stale(fact.source, self._now),
            source=fact.source,
            source_uri=fact.source_uri,
            cache_min_token_count=fact.cache_min_tokens,
            max_input_token_count=fact.max_input_tokens,
            max_output_token_count=fact.max_output_tokens,
            deprecation_date=to_date(fact.deprecation_date),
        )
        price.effective_time.FromDatetime(observed.applies_from)
        price.observed_time.FromDatetime(observed.observed_time)
        return price

    def alternatives(self, listing: Listing) -> list[price_pb2.Price]:
        """Return what other sources and other sellers charge, cheapest first."""
        sellers = self._snapshot.sellers_of[listing.fact.name.model]
        found = [
            *((other.fact, self.fact(other)) for other in listing.others),
            *(
                (self._charged(other), self.served(other))
                for other in sellers
                if other is not listing
            ),
        ]
        priced = [pair for pair in found if pair[0].is_priced]
        priced.sort(key=lambda pair: (dearness(pair[0]), pair[0].offer))
        return [price for _, price in priced]

    def ranked(self, entry: RankedListing) -> pb.RankedOffer:
        """Return an offer with the cost of a usage, unset when it is unpriced."""
        ranked = pb.RankedOffer(price=self.served(entry.listing))
        if entry.parts is not None:
            write_cost(ranked.cost, entry.parts)
        return ranked

    def _negotiated(self, listing: Listing) -> NegotiatedPrice | None:
        return None if self._view is None else self._view.find(listing, self._priced_time)

    def _charged(self, listing: Listing) -> PriceFact:
        own = self._negotiated(listing)
        return listing.fact if own is None else own.fact

    def _aliases(self, listing: Listing) -> Iterator[str]:
        """Return the other names that lead to this offer and to no other."""
        candidates = (*aliases(listing.fact.name), *listing.fact.aliases)
        return (
            name
            for name in dict.fromkeys(candidates)
            if self._snapshot.find(name) is listing and name != listing.offer
        )


def _charge(price: price_pb2.Price, own: NegotiatedPrice) -> None:
    """Put what a tenant is charged in the place of the list price."""
    override = own.agreement.override
    del price.rates[:]
    price.rates.extend(map(to_rate, own.fact.rates))
    price.free = own.fact.is_free
    if override is not None:
        price.source = own.fact.source
        price.source_uri = ""
        price.effective_time.FromDatetime(override.start)
    if own.agreement.is_of_own_rates:
        price.confidence, price.stale, price.estimated = FRESH_CONFIDENCE, False, False


def to_comparison(seller: SellerSummary) -> pb.ProviderComparison:
    """Return the summary of one seller."""
    comparison = pb.ProviderComparison(
        provider=seller.provider,
        offer_count=seller.offer_count,
        priced_count=len(seller.costs),
        free_count=seller.free_count,
    )
    if seller.costs:
        comparison.min_picodollars, comparison.cheapest_offer = min(seller.costs)
        comparison.mean_picodollars = seller.mean
        comparison.max_picodollars = max(seller.costs)[0]
    return comparison


def to_cache_policy(offer: str, policy: CachePolicy) -> pb.GetCachePolicyResponse:
    """Return the policy of an offer."""
    return pb.GetCachePolicyResponse(
        offer=offer,
        supported=policy.is_supported,
        min_token_count=policy.min_tokens,
        read_picodollars=policy.read,
        write_picodollars=policy.write,
        write_1h_picodollars=policy.write_1h,
        supported_source=policy.supported_source,
        min_token_source=policy.min_tokens_source,
    )


def to_match(found: Resolution) -> "pb.NameMatch.ValueType":
    """Return how a name was resolved."""
    return cast("pb.NameMatch.ValueType", found.match)


def write_rate_cards(response: pb.ListRateCardsResponse, listings: Iterable[Listing]) -> None:
    """Add the cards of offers that sell text tokens, at `standard` and at the full price.

    A price that is lower at some hours is left out: who decides on kept cards may not know the
    time that counts.
    """
    for listing in listings:
        if listing.card is None:
            continue
        prices = listing.card.tiers[STANDARD_TIER]
        can_write = listing.fact.mode.writes_text
        if not all(_is_complete(band, can_write=can_write) for band in prices.bands):
            continue
        card = response.rate_cards.add(
            offer=listing.offer,
            request_picodollars=prices.bands[0].prices[Component.REQUEST] or 0,
            free=listing.fact.is_free,
            estimated=listing.is_estimated,
        )
        for index, band in enumerate(prices.bands):
            _write_band(card.bands.add(above_prompt_token_count=prices.above(index)), band)


def _is_complete(band: Band, *, can_write: bool) -> bool:
    has_output = band.prices[Component.OUTPUT_TOKEN] is not None or not can_write
    return band.prices[Component.INPUT_TOKEN] is not None and has_output


def _write_band(message: rate_card_pb2.RateBand, band: Band) -> None:
    prices = band.prices
    message.input_picodollars = prices[Component.INPUT_TOKEN] or 0
    message.cache_read_picodollars = prices[Component.CACHE_READ_TOKEN] or 0
    message.cache_write_picodollars = prices[Component.CACHE_WRITE_TOKEN] or 0
    message.cache_write_1h_picodollars = prices[Component.CACHE_WRITE_1H_TOKEN] or 0
    message.output_picodollars = prices[Component.OUTPUT_TOKEN] or 0
    message.reasoning_picodollars = prices[Component.REASONING_TOKEN] or 0


def to_rate(rate: Rate) -> price_pb2.PriceRate:
    """Return the message of a rate."""
    return price_pb2.PriceRate(
        component=cast("price_pb2.PriceComponent.ValueType", rate.component),
        picodollars=rate.picodollars,
        service_tier=rate.service_tier,
        above_prompt_token_count=rate.above_prompt_tokens,
        windows=map(_to_window, rate.windows),
    )


def _to_window(window: TimeWindow) -> price_pb2.TimeWindow:
    return price_pb2.TimeWindow(
        weekdays=window.weekdays, start_minute=window.start_minute, end_minute=window.end_minute
    )
