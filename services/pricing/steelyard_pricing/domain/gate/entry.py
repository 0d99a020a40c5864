"""Whether what a source says of one offer now can be true, given what it said before."""

from decimal import Decimal

from steelyard_pricing.domain.comparison import base_prices
from steelyard_pricing.domain.components import Component
from steelyard_pricing.domain.gate.finding import Finding
from steelyard_pricing.domain.rate_card import CardCompiler
from steelyard_pricing.domain.rates import STANDARD_TIER, PriceFact, Rate

MAX_FACTOR = 10
"""A price that moves by more is held until something confirms it."""
DOUBTFUL_TOKEN_PRICE = 10**9
"""0.001 USD per token: above it live unit errors, and nothing that anybody sells."""
DOUBTFUL_UNIT_PRICE = 5 * 10**12
"""5 USD for a request, a query, an image or a second at an offer that writes text."""
MAX_CACHE_DISCOUNT = 200
"""A cache read costs a tenth of a prompt token mostly, and 1/120 at the most generous seller."""
MIN_OUTPUT_RATIO = Decimal("0.02")
MAX_OUTPUT_RATIO = 150

_CORE = (
    Component.INPUT_TOKEN,
    Component.CACHE_READ_TOKEN,
    Component.CACHE_WRITE_TOKEN,
    Component.OUTPUT_TOKEN,
)
"""Classes whose price does not go away quietly. Others come and go in every edition."""


def examine(new: PriceFact, last_good: PriceFact | None) -> Finding | None:
    """Return what is wrong with a new fact, None when nothing is.

    Args:
        new: What the source says now.
        last_good: What is served of this source; None for an offer that is new.
    """
    if last_good is not None and _same_price(new, last_good):
        return None
    # What cannot be at all comes first: it is never believed for being repeated.
    finding = _by_itself(new)
    if finding is None and last_good is not None:
        finding = _compared(new, last_good)
    return finding


def _same_price(new: PriceFact, last_good: PriceFact) -> bool:
    return new.rates == last_good.rates and new.is_free == last_good.is_free


def _by_itself(fact: PriceFact) -> Finding | None:
    for rate in fact.rates:
        if rate.component.is_token and rate.picodollars > DOUBTFUL_TOKEN_PRICE:
            return Finding("bounds", f"{_named(rate)} is {_per_million(rate)} USD per million")
    if not fact.mode.writes_text:
        return None
    for rate in fact.rates:
        if not rate.component.is_token and rate.picodollars > DOUBTFUL_UNIT_PRICE:
            return Finding("bounds", f"{_named(rate)} is {rate.picodollars // 10**12} USD")
    prices = base_prices(fact)
    prompt, completion = prices.get(Component.INPUT_TOKEN), prices.get(Component.OUTPUT_TOKEN)
    if prompt and completion:
        ratio = Decimal(completion) / prompt
        if not MIN_OUTPUT_RATIO <= ratio <= MAX_OUTPUT_RATIO:
            return Finding("ratio", f"a completion token costs {ratio:.3g} prompt tokens")
    return None


def _compared(new: PriceFact, last_good: PriceFact) -> Finding | None:
    if new.is_free and not last_good.is_free and last_good.is_priced:
        return Finding("zeroed", "what was charged for would be free")
    return _lost(new, last_good) or _moved(new, last_good) or _swapped(new, last_good)


def _lost(new: PriceFact, last_good: PriceFact) -> Finding | None:
    if last_good.is_priced and not new.is_priced:
        return Finding("lost_price", "the offer would have no price any more")
    prices, prices_before = base_prices(new), base_prices(last_good)
    lost = [
        component.name.lower()
        for component in _CORE
        if component in prices_before and component not in prices
    ]
    return Finding("lost_price", f"the price of {', '.join(lost)} would be gone") if lost else None


def _moved(new: PriceFact, last_good: PriceFact) -> Finding | None:
    before = {rate.key: rate for rate in last_good.rates}
    for rate in new.rates:
        old = before.get(rate.key)
        if old is None:
            if (finding := _added(rate, last_good)) is not None:
                return finding
            continue
        if not old.picodollars:
            continue
        if not rate.picodollars:
            return Finding("zeroed", f"{_named(rate)} would go from {_per_million(old)} USD to 0")
        larger, smaller = sorted((rate.picodollars, old.picodollars), reverse=True)
        if larger > MAX_FACTOR * smaller:
            way = f"from {_per_million(old)} to {_per_million(rate)} USD per million"
            return Finding("entry_delta", f"{_named(rate)} would go {way}")
    return None


def _added(rate: Rate, last_good: PriceFact) -> Finding | None:
    """Compare a rate for a tier, band, hour or class that had none with what stood in for it."""
    stood_in = _stand_in(rate, last_good)
    if stood_in is None or not rate.component.is_token:
        return None
    is_cache_read = rate.component is Component.CACHE_READ_TOKEN
    max_discount = MAX_CACHE_DISCOUNT if is_cache_read else MAX_FACTOR
    if rate.picodollars > MAX_FACTOR * stood_in or rate.picodollars * max_discount < stood_in:
        charged = f"what costs {_per_million(rate._replace(picodollars=stood_in))} USD per million"
        return Finding("entry_delta", f"{_named(rate)} would be {_per_million(rate)}, {charged}")
    return None


def _stand_in(rate: Rate, last_good: PriceFact) -> int | None:
    """Return what the fallbacks charged for it, None when nothing did."""
    if not last_good.is_priced or last_good.is_free:
        return None
    tiers = CardCompiler().compile(last_good).tiers
    prices = tiers.get(rate.service_tier) or tiers[STANDARD_TIER]
    band = prices.bands[prices.band_index(rate.above_prompt_tokens + 1)]
    return band.prices[rate.component]


def _swapped(new: PriceFact, last_good: PriceFact) -> Finding | None:
    prices, before = base_prices(new), base_prices(last_good)
    prompt, completion = Component.INPUT_TOKEN, Component.OUTPUT_TOKEN
    if not {prompt, completion} <= prices.keys() & before.keys():
        return None
    is_swapped = (
        before[prompt] != before[completion]
        and prices[prompt] == before[completion]
        and prices[completion] == before[prompt]
    )
    return Finding("swapped", "prompt and completion would change places") if is_swapped else None


def _named(rate: Rate) -> str:
    parts = [rate.component.name.lower()]
    if rate.service_tier:
        parts.append(f"at {rate.service_tier}")
    if rate.above_prompt_tokens:
        parts.append(f"above {rate.above_prompt_tokens:,} tokens")
    return " ".join(parts)


def _per_million(rate: Rate) -> str:
    return f"{(Decimal(rate.picodollars) / 10**6).normalize():f}"
