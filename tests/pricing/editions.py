"""Editions of a feed whose every price tells which edition it is of."""

from collections.abc import Iterable
from decimal import Decimal

from steelyard_pricing.domain.components import Component
from steelyard_pricing.domain.rates import PriceFact
from tests.pricing.builders import litellm_body

OFFERS = 600
FIRST_PRICE = 100_000
"""Picodollars that a cached token costs in edition 0. Prompts and completions stay as they are:
a body that moves them all at once would be held."""
STEP = 1_000
"""One percent of it: what a cached token costs more in each edition."""


def edition_body(edition: int) -> bytes:
    """Return a map of OFFERS offers, and of one that is in this edition alone."""
    price = float(Decimal(FIRST_PRICE + STEP * edition) / 10**12)
    entry = {
        "litellm_provider": "acme",
        "mode": "chat",
        "input_cost_per_token": 1e-06,
        "output_cost_per_token": 2e-06,
        "cache_read_input_token_cost": price,
    }
    names = [*(f"acme/model-{number}" for number in range(OFFERS)), _only_in(edition)]
    return litellm_body(dict.fromkeys(names, entry))


def edition_of(prices: Iterable[tuple[str, int]]) -> int:
    """Return the edition that all prices of a snapshot are of, which has to be one whole edition.

    Args:
        prices: Offers and what a cached token of each costs, in picodollars.
    """
    found = dict(prices)
    (price,) = set(found.values())
    edition, rest = divmod(price - FIRST_PRICE, STEP)
    assert rest == 0
    assert found.keys() == {*(f"acme/model-{n}" for n in range(OFFERS)), _only_in(edition)}
    return edition


def cached_price(fact: PriceFact) -> tuple[str, int]:
    """Return an offer and what a cached token of it costs."""
    (price,) = (r.picodollars for r in fact.rates if r.component is Component.CACHE_READ_TOKEN)
    return fact.offer, price


def _only_in(edition: int) -> str:
    return f"acme/edition-{edition}"
