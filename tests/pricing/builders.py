"""Values with defaults, so that a test shows only what matters to it."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from steelyard_catalog.names import OfferName
from steelyard_pricing.domain.components import USAGE_CLASSES, Component
from steelyard_pricing.domain.modes import Mode
from steelyard_pricing.domain.rates import PriceFact, Rate
from steelyard_pricing.domain.snapshot import ObservedFact, Snapshot, SourceFacts

OBSERVED = datetime(2026, 11, 1, tzinfo=UTC)
INPUT = Component.INPUT_TOKEN
OUTPUT = Component.OUTPUT_TOKEN


def usd(text: str) -> int:
    """Return an amount in picodollars: `usd("0.0075")`."""
    return int(Decimal(text) * 10**12)


def per_million(text: str) -> int:
    """Return a price per million tokens in picodollars per token."""
    return int(Decimal(text) * 10**6)


def tokens(prompt: str = "1", completion: str = "2") -> tuple[Rate, ...]:
    """Return rates for text, in USD per million tokens."""
    return (Rate(INPUT, per_million(prompt)), Rate(OUTPUT, per_million(completion)))


def a_fact(
    offer: str = "acme/model", rates: Iterable[Rate] = (), *, model: str | None = None, **facts: Any
) -> PriceFact:
    """Return a fact; without rates it is unpriced. `facts` are fields of PriceFact."""
    provider, _, provider_model = offer.partition("/")
    name = OfferName(offer, provider, provider_model, model or provider_model, offer)
    defaults: dict[str, Any] = {"mode": Mode.CHAT, "source": "litellm"}
    return PriceFact(name=name, rates=tuple(rates), **(defaults | facts))


def source_facts(*facts: PriceFact, source: str = "litellm") -> SourceFacts:
    """Return what one source contributes."""
    return SourceFacts(source, tuple(ObservedFact(fact, OBSERVED) for fact in facts), len(facts))


def a_snapshot(*facts: PriceFact, others: Sequence[SourceFacts] = ()) -> Snapshot:
    """Return a snapshot of LiteLLM's facts and those of other sources."""
    return Snapshot.compile([source_facts(*facts), *others], version=1, published_time=OBSERVED)


def counts(**by_class: int) -> tuple[int, ...]:
    """Return usage counts by name of their class: `counts(output_token=500)`."""
    unknown = by_class.keys() - {usage_class.name for usage_class in USAGE_CLASSES}
    assert not unknown
    return tuple(by_class.get(usage_class.name, 0) for usage_class in USAGE_CLASSES)


def litellm_body(entries: Mapping[str, Mapping[str, object]]) -> bytes:
    """Return a map in LiteLLM's format."""
    return json.dumps(entries, default=float).encode()


def openrouter_model(
    identity: str, prompt: str = "0.000001", completion: str = "0.000002", **pricing: object
) -> dict[str, object]:
    """Return one model of OpenRouter's list."""
    return {
        "id": identity,
        "name": identity,
        "pricing": {"prompt": prompt, "completion": completion, **pricing},
        "context_length": 128_000,
    }


def openrouter_body(*models: Mapping[str, object]) -> bytes:
    """Return OpenRouter's list."""
    return json.dumps({"data": models}).encode()
