"""How far two facts about one offer are apart."""

from math import inf

from steelyard_pricing.domain.components import Component
from steelyard_pricing.domain.rates import STANDARD_TIER, PriceFact

WIDE_FACTOR = 2
AGREEMENT = 0.005
"""Two prices that differ by no more say the same."""
SEED = "seed"
"""Source of the facts that ship with the package: old by nature, so they dispute nothing."""
CURATED = "curated"
"""Source of prices that people looked up: they stand in where no other source has a price."""

_COMPARED = (Component.INPUT_TOKEN, Component.OUTPUT_TOKEN)
_PROMPT_SHARE = 3


def differ_widely(one: PriceFact, other: PriceFact) -> bool:
    """Say whether two sources differ by more than a factor of two on the price of tokens."""
    if SEED in {one.source, other.source}:
        return False
    prices, other_prices = base_prices(one), base_prices(other)
    return any(
        max(prices[component], other_prices[component])
        > WIDE_FACTOR * min(prices[component], other_prices[component])
        for component in _COMPARED
        if component in prices and component in other_prices
    )


def largest_ratio(one: PriceFact, other: PriceFact) -> float:
    """Return how far two facts are apart: the largest ratio between two rates, at least 1.

    Only what both publish compares; a zero beside a price counts as infinitely far.
    """
    prices = {rate.key: rate.picodollars for rate in one.rates}
    largest = 1.0
    for rate in other.rates:
        price = prices.get(rate.key)
        if price is None or price == rate.picodollars:
            continue
        smaller, larger = sorted((price, rate.picodollars))
        largest = max(largest, larger / smaller if smaller else inf)
    return largest


def confirms(witness: PriceFact, new: PriceFact, last_good: PriceFact | None) -> bool:
    """Say whether another source has all that is new about a fact, within 0.5 %.

    Args:
        witness: What the other source says.
        new: The fact in doubt.
        last_good: What it would replace; None when everything is new. A price that would be gone
            is confirmed by a witness that has none either.
    """
    said, now = _by_key(witness), _by_key(new)
    before = _by_key(last_good) if last_good is not None else {}
    moved = [key for key in now.keys() | before.keys() if now.get(key) != before.get(key)]
    return (
        bool(moved)
        and witness.is_priced
        and witness.is_free == new.is_free
        and all(_is_same(said.get(key), now.get(key)) for key in moved)
    )


def _by_key(fact: PriceFact) -> dict[object, int]:
    return {rate.key: rate.picodollars for rate in fact.rates}


def _is_same(one: int | None, other: int | None) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) <= AGREEMENT * max(one, other)


def dearness(fact: PriceFact) -> int:
    """Return what three prompt tokens and one of completion cost at base rates."""
    prices = base_prices(fact)
    return _PROMPT_SHARE * prices.get(Component.INPUT_TOKEN, 0) + prices.get(
        Component.OUTPUT_TOKEN, 0
    )


def base_prices(fact: PriceFact) -> dict[Component, int]:
    """Return the standard rates for short prompts at any time."""
    return {
        rate.component: rate.picodollars
        for rate in fact.rates
        if rate.service_tier == STANDARD_TIER and not rate.above_prompt_tokens and not rate.windows
    }
