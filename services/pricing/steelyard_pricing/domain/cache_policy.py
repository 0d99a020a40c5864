"""From which prompt size on a seller caches prompts, and how that is known."""

from dataclasses import dataclass
from enum import StrEnum

from steelyard_pricing.domain.comparison import base_prices
from steelyard_pricing.domain.components import Component
from steelyard_pricing.domain.rates import PriceFact

PROVIDER_MIN_TOKENS = {"openai": 1024, "anthropic": 2048, "google": 1024}
"""What sellers ask for where the source says nothing; others do not cache as far as we know."""


class Evidence(StrEnum):
    """Where a statement about caching comes from."""

    FLAG = "flag"
    PRICE = "price"
    UNKNOWN = "unknown"
    SOURCE = "source"
    PROVIDER_DEFAULT = "provider_default"


@dataclass(frozen=True, slots=True)
class CachePolicy:
    """What is known of an offer's prompt cache; prices are picodollars per token."""

    is_supported: bool
    supported_source: Evidence
    min_tokens: int
    min_tokens_source: Evidence
    read: int | None
    write: int | None
    write_1h: int | None


def cache_policy(fact: PriceFact) -> CachePolicy:
    """Return the policy of an offer: its source's word first, then its prices."""
    prices = base_prices(fact)
    read = prices.get(Component.CACHE_READ_TOKEN)
    supported, evidence = False, Evidence.UNKNOWN
    if fact.supports_caching is not None:
        supported, evidence = fact.supports_caching, Evidence.FLAG
    elif read is not None:
        supported, evidence = True, Evidence.PRICE
    from_source = fact.cache_min_tokens > 0
    default = PROVIDER_MIN_TOKENS.get(fact.name.provider, 0) if supported else 0
    return CachePolicy(
        is_supported=supported,
        supported_source=evidence,
        min_tokens=fact.cache_min_tokens if from_source else default,
        min_tokens_source=Evidence.SOURCE if from_source else Evidence.PROVIDER_DEFAULT,
        read=read,
        write=prices.get(Component.CACHE_WRITE_TOKEN),
        write_1h=prices.get(Component.CACHE_WRITE_1H_TOKEN),
    )
