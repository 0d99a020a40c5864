"""Rates with every fallback applied once, so that pricing a usage is one look-up per class.

Where an offer publishes no price for a class at a service tier in a context band, the first of
these that exists is taken:

1. the class in that band: at the tier, else at `standard`;
2. the class in the next lower band, at the tier, else at `standard`, down to the base rate;
3. the same for the class that stands in for it (cache read -> input, one-hour write -> five-minute
   write -> input, audio, image and video tokens -> input or output tokens).

A band so outranks a tier: a discount that is published for short prompts alone is not taken for
long ones. Reasoning is the exception: it is billed like output, so a price of output that is for
the very tier and band outranks a price of reasoning that is not.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from steelyard_pricing.domain import week
from steelyard_pricing.domain.components import COMPONENT_SLOTS, FALLBACKS, Component
from steelyard_pricing.domain.rates import STANDARD_TIER, PriceFact, Rate, TimeWindow

_Published = dict[tuple[Component, str, int], int]


@dataclass(frozen=True, slots=True)
class Band:
    """Prices for one range of prompt sizes; both are indexed by component."""

    prices: tuple[int | None, ...]
    """Picodollars per unit; None is unpriced."""
    priced_as: tuple[Component | None, ...]
    """The component whose price was taken."""


@dataclass(frozen=True, slots=True)
class TierPrices:
    """The prices of one offer at one tier, by prompt size."""

    service_tier: str
    """Empty for `standard`."""
    thresholds: tuple[int, ...]
    """Ascending; band n applies above threshold n - 1."""
    bands: tuple[Band, ...]

    def band_index(self, prompt_tokens: int) -> int:
        """Return the band of a prompt: a threshold itself still belongs to the band below."""
        return bisect_left(self.thresholds, prompt_tokens)

    def above(self, band: int) -> int:
        """Return the threshold of a band, 0 for the base band."""
        return self.thresholds[band - 1] if band else 0


@dataclass(frozen=True, slots=True)
class WindowedPrices:
    """Prices that replace the others inside parts of the week."""

    windows: tuple[TimeWindow, ...]
    tiers: dict[str, TierPrices]


@dataclass(frozen=True, slots=True)
class RateCard:
    """The resolved prices of one priced offer."""

    tiers: dict[str, TierPrices]
    windowed: tuple[WindowedPrices, ...] = ()

    def prices(self, service_tier: str, minute_of_week: Callable[[], int]) -> TierPrices:
        """Return the prices of a tier, of `standard` where the offer has no such tier."""
        tiers = self.tiers
        if self.windowed:
            minute = minute_of_week()
            for windowed in self.windowed:
                if week.contains(windowed.windows, minute):
                    tiers = windowed.tiers
                    break
        return tiers.get(service_tier) or tiers[STANDARD_TIER]


class CardCompiler:
    """Makes rate cards; offers with the same rates share one."""

    def __init__(self) -> None:
        self._cards: dict[tuple[Rate, ...], RateCard] = {}

    def compile(self, fact: PriceFact) -> RateCard:
        """Resolve all rates of a priced fact."""
        card = self._cards.get(fact.rates)
        if card is None:
            card = self._cards[fact.rates] = _compiled_card(fact.rates)
        return card


def _compiled_card(rates: tuple[Rate, ...]) -> RateCard:
    always = [rate for rate in rates if not rate.windows]
    window_sets = dict.fromkeys(rate.windows for rate in rates if rate.windows)
    return RateCard(
        tiers=_compiled_tiers(always),
        windowed=tuple(
            WindowedPrices(
                windows,
                _compiled_tiers([*always, *(rate for rate in rates if rate.windows == windows)]),
            )
            for windows in window_sets
        ),
    )


def _compiled_tiers(rates: Iterable[Rate]) -> dict[str, TierPrices]:
    published: _Published = {
        # Of two rates for the same thing the later counts: windows come after the base.
        (rate.component, rate.service_tier, rate.above_prompt_tokens): rate.picodollars
        for rate in rates
    }
    tiers = dict.fromkeys((STANDARD_TIER, *(tier for _, tier, _ in published)))
    return {tier: _tier_prices(published, tier) for tier in tiers}


def _tier_prices(published: _Published, tier: str) -> TierPrices:
    ascending = sorted(
        {0} | {above for _, published_at, above in published if published_at in {tier, ""}}
    )
    return TierPrices(
        tier,
        tuple(ascending[1:]),
        tuple(_band(published, tier, ascending[index::-1]) for index in range(len(ascending))),
    )


def _band(published: _Published, tier: str, descending: list[int]) -> Band:
    """Resolve one band; `descending` are the thresholds from its own down to 0."""
    prices: list[int | None] = [None] * COMPONENT_SLOTS
    priced_as: list[Component | None] = [None] * COMPONENT_SLOTS
    for component in dict.fromkeys(component for component, _, _ in published):
        for key in _keys(component, tier, descending):
            if key in published:
                prices[component], priced_as[component] = published[key], key[0]
                break
    # In the order of declaration, so that what stands in is resolved before it is needed.
    for component, substitute in FALLBACKS.items():
        if prices[component] is None:
            prices[component], priced_as[component] = prices[substitute], priced_as[substitute]
    # Hardly anybody charges per request: no price for it means that it costs nothing.
    prices[Component.REQUEST] = prices[Component.REQUEST] or 0
    return Band(tuple(prices), tuple(priced_as))


def _keys(
    component: Component, tier: str, descending: list[int]
) -> Iterable[tuple[Component, str, int]]:
    """Return where a price may be published, the most specific place first."""
    is_reasoning = component is Component.REASONING_TOKEN
    candidates = (component, Component.OUTPUT_TOKEN) if is_reasoning else (component,)
    return (
        (candidate, published_at, above)
        for above in descending
        for published_at in dict.fromkeys((tier, STANDARD_TIER))
        for candidate in candidates
    )
