"""Offers as their sources describe them."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime

from steelyard_catalog.entries import CatalogueEntry
from steelyard_catalog.fields import count, day, text, texts
from steelyard_catalog.models_dev import ModelsDevEntry
from steelyard_catalog.names import canonical_model, canonical_name
from steelyard_catalog.openrouter import OpenRouterEntry
from steelyard_registry.domain import capabilities
from steelyard_registry.domain.models import Offer
from steelyard_registry.domain.modes import mode_of

CHAT_ENDPOINT = "/v1/chat/completions"
RESPONSES_ENDPOINT = "/v1/responses"
# Two models of the real files read ten million tokens. Above that are faults of the source: 20
# million for a model of two at its maker, 99,999,999 for one that makes films.
MAX_TOKENS = 10_000_000
_FIRST_YEAR = 2000
_CENTURY_START = 946_684_800
_CENTURY_END = 4_102_444_800

# `us-gov-east-1/...`, `us.anthropic...`; Azure's data zones come first in a path.
_REGION = re.compile(r"(?:^|/)((?:us-gov|[a-z]{2})-[a-z]+-\d)/", re.ASCII)
_GEOGRAPHY = re.compile(r"^(us-gov|us|eu|apac|global|jp|au|ca|sa|uk|in)\.", re.ASCII)
_DATA_ZONE = re.compile(r"^(apac|eu|global|us)/", re.ASCII)
_REGION_RULES = {
    "azure": _DATA_ZONE,
    "bedrock": _GEOGRAPHY,
    "bedrock_mantle": _GEOGRAPHY,
}


def from_catalogue(entry: CatalogueEntry, *, source: str, observed_time: datetime) -> Offer:
    """Return the offer of an entry of LiteLLM's map or of the seed."""
    fields = entry.fields
    abilities = capabilities.from_flags(fields)
    return Offer(
        offer=entry.offer,
        provider=entry.provider,
        provider_model=entry.provider_model,
        model=canonical_model(entry),
        mode=mode_of(entry.mode),
        capabilities=abilities.granted,
        denied=abilities.denied,
        max_input_tokens=count(fields, "max_input_tokens"),
        max_output_tokens=_max_output(fields),
        input_modalities=texts(fields, "supported_modalities"),
        output_modalities=texts(fields, "supported_output_modalities"),
        deprecation_date=day(fields, "deprecation_date"),
        regions=_regions(entry),
        responses_api_only=_speaks_responses_only(entry),
        source=source,
        source_uri=text(fields, "source"),
        observed_time=observed_time,
    )


def from_openrouter(entry: OpenRouterEntry, *, source: str, observed_time: datetime) -> Offer:
    """Return the offer of an entry of OpenRouter's list."""
    abilities = capabilities.from_openrouter(entry)
    provider, _, provider_model = entry.offer.partition("/")
    return Offer(
        offer=entry.offer,
        provider=provider,
        provider_model=provider_model,
        model=canonical_model(entry),
        mode=mode_of(entry.mode),
        capabilities=abilities.granted,
        denied=abilities.denied,
        max_input_tokens=entry.context_length,
        max_output_tokens=entry.max_completion_tokens,
        input_modalities=entry.input_modalities,
        output_modalities=entry.output_modalities,
        deprecation_date=entry.expiration_date,
        display_name=_bare_name(entry),
        release_date=_day_of(entry.created),
        knowledge_cutoff=entry.knowledge_cutoff,
        source=source,
        observed_time=observed_time,
    )


def from_models_dev(entry: ModelsDevEntry, *, source: str, observed_time: datetime) -> Offer:
    """Return the offer of an entry of models.dev's catalogue."""
    abilities = capabilities.from_models_dev(entry)
    window = _plausible(entry.max_context_tokens)
    max_output = _plausible(entry.max_output_tokens)
    if window is not None and max_output is not None and max_output > window:
        # The window is for both together; which of the two figures is wrong is not to be known.
        max_output = None
    return Offer(
        offer=entry.offer,
        provider=entry.provider,
        provider_model=entry.provider_model,
        model=canonical_name(entry.provider, entry.provider_model, entry.mode),
        mode=mode_of(entry.mode),
        capabilities=abilities.granted,
        denied=abilities.denied,
        max_input_tokens=_plausible(entry.max_input_tokens) or window,
        max_output_tokens=max_output,
        input_modalities=entry.input_modalities,
        output_modalities=entry.output_modalities,
        display_name=entry.name,
        release_date=_of_century(entry.release_date),
        knowledge_cutoff=_of_century(entry.knowledge_cutoff),
        source=source,
        source_uri=entry.document_uri,
        observed_time=observed_time,
    )


def _of_century(day: date | None) -> date | None:
    """Return a day of this century; a source that does not know one writes 1970."""
    return day if day is not None and day.year >= _FIRST_YEAR else None


def _plausible(tokens: int | None) -> int | None:
    """Return a limit that can be one; zero is how the source writes that it does not know."""
    return tokens if tokens is not None and 0 < tokens <= MAX_TOKENS else None


def _max_output(fields: Mapping[str, object]) -> int | None:
    """Read the output limit; the legacy `max_tokens` means it unless it repeats the input limit."""
    limit = count(fields, "max_output_tokens")
    legacy = count(fields, "max_tokens")
    if limit is None and legacy != count(fields, "max_input_tokens"):
        return legacy
    return limit


def _regions(entry: CatalogueEntry) -> tuple[str, ...]:
    named = texts(entry.fields, "supported_regions")
    rule = _REGION_RULES.get(entry.provider)
    if named or rule is None:
        return named
    match = _REGION.search(entry.provider_model) or rule.search(entry.provider_model)
    return (match[1],) if match else ()


def _speaks_responses_only(entry: CatalogueEntry) -> bool:
    endpoints = texts(entry.fields, "supported_endpoints")
    if CHAT_ENDPOINT in endpoints:
        return False
    return entry.mode == "responses" or (entry.mode == "chat" and RESPONSES_ENDPOINT in endpoints)


def _bare_name(entry: OpenRouterEntry) -> str:
    """Return `GPT-4o` for `OpenAI: GPT-4o`; nothing for variants, whose name says so."""
    return "" if ":" in entry.id else entry.name.rpartition(": ")[2].strip()


def _day_of(seconds: int | None) -> date | None:
    """Return the day of a Unix time of this century; others are faults of the source."""
    if seconds is None or not _CENTURY_START <= seconds < _CENTURY_END:
        return None
    return datetime.fromtimestamp(seconds, UTC).date()
