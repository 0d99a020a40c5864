"""The real catalogue as the router would get it, for tests and benchmarks."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path

from steelyard_catalog.entries import CatalogueEntry
from steelyard_catalog.fields import count, day, flag, number
from steelyard_catalog.litellm import read_litellm
from steelyard_catalog.names import canonical_model
from steelyard_router.domain.capability import Capability, mask
from steelyard_router.domain.catalog import Catalog, Offer, Provider, Quality
from steelyard_router.domain.rates import RateBand, RateCard

EDITION = "litellm/2026-10-21_v1.106.2.json"
ROUTABLE = frozenset(
    {
        *("openai", "anthropic", "google", "meta", "mistral", "cohere"),
        *("deepseek", "minimax", "qwen", "zhipu", "groq", "openrouter"),
    }
)
FLAGS = {
    "supports_function_calling": Capability.TOOLS,
    "supports_tool_choice": Capability.TOOL_CHOICE,
    "supports_parallel_function_calling": Capability.PARALLEL_TOOLS,
    "supports_response_schema": Capability.STRUCTURED_OUTPUT,
    "supports_vision": Capability.VISION,
    "supports_pdf_input": Capability.PDF_INPUT,
    "supports_audio_input": Capability.AUDIO_INPUT,
    "supports_video_input": Capability.VIDEO_INPUT,
}
PICODOLLARS = Decimal(10) ** 12


@dataclass(frozen=True)
class RealWorld:
    """Offers and the cards of those that have a price."""

    catalog: Catalog
    cards: dict[str, RateCard]


@cache
def real_world(data: Path) -> RealWorld:
    """Read LiteLLM's map; qualities are spread over the models by a hash of their name."""
    entries = read_litellm((data / EDITION).read_bytes()).entries
    offers = [_offer(entry) for entry in entries]
    sellers = sorted({entry.provider for entry in entries})
    catalog = Catalog.of(
        1, offers, [Provider(name, is_routable=name in ROUTABLE) for name in sellers]
    )
    cards = {entry.offer: card for entry in entries if (card := _card(entry)) is not None}
    return RealWorld(catalog, cards)


def _offer(entry: CatalogueEntry) -> Offer:
    fields = entry.fields
    model = canonical_model(entry)
    return Offer(
        offer=entry.offer,
        model=model,
        provider=entry.provider,
        is_chat=entry.mode in {"chat", "responses"},
        capabilities=mask(_flagged(entry)),
        quality=Quality(60 + hashlib.sha256(model.encode()).digest()[0] / 256 * 40, 4, "curated"),
        context_tokens=count(fields, "max_input_tokens") or 0,
        max_output_tokens=count(fields, "max_output_tokens") or 0,
        deprecation_date=day(fields, "deprecation_date"),
    )


def _flagged(entry: CatalogueEntry) -> Iterable[Capability]:
    return (capability for name, capability in FLAGS.items() if flag(entry.fields, name))


def _card(entry: CatalogueEntry) -> RateCard | None:
    prices = [number(entry.fields, f"{way}_cost_per_token") for way in ("input", "output")]
    if any(price is None or price < 0 for price in prices):
        return None
    rates = [int(price * PICODOLLARS) for price in prices if price is not None]
    return RateCard((RateBand(0, rates[0], rates[1]),))
