"""Facts as text that later versions of the program can read.

Fields may be added to a fact with a default; what is removed is ignored.
"""

import hashlib

import msgspec

from steelyard_pricing.domain.gate.held_change import Price
from steelyard_pricing.domain.modes import Capability
from steelyard_pricing.domain.rates import PriceFact, Rate

_ENCODER = msgspec.json.Encoder()


class _PriceText(msgspec.Struct, array_like=True, frozen=True):
    rates: tuple[Rate, ...]
    is_free: bool


_FACTS = msgspec.json.Decoder(PriceFact)
_PRICES = msgspec.json.Decoder(_PriceText)


class FactReader:
    """Reads facts, keeping equal parts once: many offers differ in their name alone."""

    def __init__(self) -> None:
        self._rates: dict[tuple[Rate, ...], tuple[Rate, ...]] = {}
        self._capabilities: dict[frozenset[Capability], frozenset[Capability]] = {}
        self._texts: dict[str, str] = {}

    def read(self, text: str) -> PriceFact:
        """Return the fact that `write_fact` wrote."""
        fact = _FACTS.decode(text)
        return PriceFact(
            name=fact.name,
            mode=fact.mode,
            source=self._texts.setdefault(fact.source, fact.source),
            rates=self._rates.setdefault(fact.rates, fact.rates),
            is_free=fact.is_free,
            supports_caching=fact.supports_caching,
            cache_min_tokens=fact.cache_min_tokens,
            max_input_tokens=fact.max_input_tokens,
            max_output_tokens=fact.max_output_tokens,
            deprecation_date=fact.deprecation_date,
            source_uri=self._texts.setdefault(fact.source_uri, fact.source_uri),
            capabilities=self._capabilities.setdefault(fact.capabilities, fact.capabilities),
            aliases=fact.aliases,
        )


def write_fact(fact: PriceFact) -> str:
    """Return a fact as text."""
    return _ENCODER.encode(fact).decode()


def write_price(price: Price) -> str:
    """Return a price as text, empty for an offer that is gone."""
    return "" if price is None else _ENCODER.encode(price).decode()


def read_price(text: str) -> Price:
    """Return the price that `write_price` wrote."""
    if not text:
        return None
    price = _PRICES.decode(text)
    return price.rates, price.is_free


def digest(text: str) -> str:
    """Return what a text is known by."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]
