"""What answers look like that compare offers, for OpenAPI."""

from datetime import date
from typing import Literal

from steelyard_edge.schemas import (
    Breakdown,
    CheapOffer,
    Documented,
    Page,
    Price,
    ProviderComparison,
    Usd,
)


class RankedOffer(CheapOffer):
    """An offer with what a mix of tokens costs on it, and its price."""

    breakdown: Breakdown
    pricing: Price


class Cheapest(Documented):
    """Offers by what the mix costs on them, cheapest first."""

    offers: list[RankedOffer]
    free_count: int
    """Offers of the mode that cost nothing; they are not ranked."""
    unpriced_count: int
    """Offers of the mode without a price; they are not ranked."""
    snapshot_version: int


class Comparison(Documented):
    """What the mix costs at each seller."""

    model: str | None
    """The model whose sellers are compared; null for all offers of the mode."""
    providers: list[ProviderComparison]
    offers: list[RankedOffer]
    """The model at each seller, cheapest first. Empty without a model."""
    snapshot_version: int


class CachePolicy(Documented):
    """What is known of an offer's prompt cache; null where nothing is."""

    model: str
    offer: str
    supported: bool | None
    supported_source: str
    """`flag`, `price` or `unknown`."""
    min_tokens: int | None
    """Shortest prompt that is cached."""
    min_token_source: str | None
    """`source` or `provider_default`."""
    read_usd_per_token: Usd | None
    read_usd_per_1m_tokens: Usd | None
    write_usd_per_token: Usd | None
    write_usd_per_1m_tokens: Usd | None
    write_1h_usd_per_token: Usd | None
    write_1h_usd_per_1m_tokens: Usd | None


class Deprecation(Documented):
    """An offer that its seller stops serving."""

    offer: str
    deprecation_date: date | None
    pricing: Price
    replacement: Price | None
    replacement_reason: Literal["same_seller", "other_seller"] | None
    cost_ratio: float | None
    """Cost at the replacement over the same at the offer; null when either has none."""


class Deprecations(Page):
    """Offers that end, soonest first."""

    deprecations: list[Deprecation]
