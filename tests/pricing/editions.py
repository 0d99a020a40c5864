"""Editions of a feed whose every price tells which edition it is of."""

from collections.abc import Iterable
from decimal import Decimal

from steelyard_pricing.domain.components import Component
from steelyard_pricing.domain.rates import PriceFact
from tests.pricing.builders import litellm_body

OFFERS = 600
TURNS = 300
"""Each edition moves the price of the few offers whose turn it is: a body that moves many at once
would be held, also when some editions before it were never read."""
FIRST_PRICE = 100_000
"""Picodollars that a cached token costs before an offer's first turn."""
STEP = 1_000
"""What a cached token costs more with each edition."""
_MARK = "acme/edition-"


def edition_body(edition: int) -> bytes:
    """Return a map of OFFERS offers, and of one that is in this edition alone."""
    return litellm_body(
        {
            offer: {
                "litellm_provider": "acme",
                "mode": "chat",
                "input_cost_per_token": 1e-06,
                "output_cost_per_token": 2e-06,
                "cache_read_input_token_cost": float(Decimal(price) / 10**12),
            }
            for offer, price in _prices(edition).items()
        }
    )


def edition_of(prices: Iterable[tuple[str, int]]) -> int:
    """Return the edition that all prices of a snapshot are of, which has to be one whole edition.

    Args:
        prices: Offers and what a cached token of each costs, in picodollars.
    """
    found = dict(prices)
    (mark,) = (offer for offer in found if offer.startswith(_MARK))
    edition = int(mark.removeprefix(_MARK))
    assert found == _prices(edition)
    return edition


def cached_price(fact: PriceFact) -> tuple[str, int]:
    """Return an offer and what a cached token of it costs."""
    (price,) = (r.picodollars for r in fact.rates if r.component is Component.CACHE_READ_TOKEN)
    return fact.offer, price


def _prices(edition: int) -> dict[str, int]:
    prices = {f"acme/model-{number}": _price(number, edition) for number in range(OFFERS)}
    return prices | {f"{_MARK}{edition}": FIRST_PRICE}


def _price(number: int, edition: int) -> int:
    """Return the price since the last edition in which it was the offer's turn."""
    last_turn = edition - (edition - number) % TURNS
    return FIRST_PRICE + STEP * max(last_turn, 0)
