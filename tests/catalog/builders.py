"""Documents like those that LiteLLM and OpenRouter publish."""

import json
from typing import Any

from steelyard_catalog.litellm import read_litellm
from steelyard_catalog.names import NameIndex, OfferName, canonical_name, offer_name


def litellm_document(**models: Any) -> bytes:
    return json.dumps(models).encode()


def chat_model(provider: str, **fields: Any) -> dict[str, Any]:
    return {"litellm_provider": provider, "mode": "chat"} | fields


def openrouter_document(*models: Any) -> bytes:
    return json.dumps({"data": models}).encode()


def index_of(models: dict[str, str]) -> NameIndex:
    """Return an index of chat models, given as LiteLLM key -> LiteLLM provider."""
    body = litellm_document(**{key: chat_model(provider) for key, provider in models.items()})
    return NameIndex(offer_name(entry) for entry in read_litellm(body).entries)


def named(provider: str, provider_model: str, mode: str = "chat") -> OfferName:
    model = canonical_name(provider, provider_model, mode)
    return OfferName(f"{provider}/{provider_model}", provider, provider_model, model, "")
