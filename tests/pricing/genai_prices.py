"""A second project's record of real usage bodies, what it reads in them, and its prices.

`usages` is a list of `{body, model?, extracted: [{usage, extractors: [{provider_id, api_flavor,
input_price?, output_price?}]}]}`: every seller's reader was tried on every body, and the ones that
found the same are grouped. Of these only the group of the body's own seller says anything.
"""

import gzip
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from steelyard_pricing.domain.components import Component
from steelyard_pricing.domain.rates import Rate, TimeWindow
from steelyard_usage.conventions import Convention
from steelyard_usage.counts import UsageCounts
from tests.pricing.builders import per_million

USAGES = "usages_2026-08-21.json.gz"
PRICES = "data_2026-08-21.json.gz"
PRICED_ON = "2026-08-21"

_COMPONENTS = {
    "input_mtok": Component.INPUT_TOKEN,
    "output_mtok": Component.OUTPUT_TOKEN,
    "cache_read_mtok": Component.CACHE_READ_TOKEN,
    "cache_write_mtok": Component.CACHE_WRITE_TOKEN,
    "input_audio_mtok": Component.AUDIO_INPUT_TOKEN,
    "output_audio_mtok": Component.AUDIO_OUTPUT_TOKEN,
    "cache_audio_read_mtok": Component.AUDIO_CACHE_READ_TOKEN,
}
# Whose chat format a body has is told by the test that recorded it.
_RECORDED_FROM = {
    "openrouter": "openrouter/chat",
    "mistral": "mistral/default",
    "groq": "groq/default",
    "deepseek": "deepseek/chat",
    "cerebras": "cerebras/chat",
    "huggingface": "huggingface_together/chat",
    "zai": "zhipuai/chat",
}
# The rest is told by the first of these fields that a body has.
_BY_FIELD = {
    ("usageMetadata", "promptTokenCount"): ("google/default", Convention.GEMINI),
    ("usageMetadata", "candidatesTokenCount"): ("google/default", Convention.GEMINI),
    ("meta", "billed_units"): ("cohere/embeddings", Convention.COHERE),
    ("usage", "billed_units"): ("cohere/default", Convention.COHERE),
    ("usage", "inputTokens"): ("aws/default", Convention.BEDROCK_CONVERSE),
    ("usage", "input_tokens_details"): ("openai/responses", Convention.OPENAI_RESPONSES),
    ("usage", "input_tokens"): ("anthropic/default", Convention.ANTHROPIC_MESSAGES),
}
_TEXT_RULES: dict[str, Callable[[str, str], bool]] = {
    "regex": lambda model, pattern: re.search(pattern, model) is not None,
    "equals": str.__eq__,
    "starts_with": str.startswith,
    "ends_with": str.endswith,
    "contains": str.__contains__,
}

Json = Any


@dataclass(frozen=True, slots=True)
class Priced:
    """What the other project says one seller takes for a body, in USD."""

    seller: str
    total: Decimal


@dataclass(frozen=True, slots=True)
class RealUsage:
    """One body and what it should be read as."""

    origin: str
    """`{seller}/{format}` in the other project's words."""
    convention: Convention
    body: Mapping[str, Json]
    model: str
    expected: UsageCounts
    priced: tuple[Priced, ...]


@cache
def read(folder: Path, name: str) -> list[Json]:
    """Return one of the two files, numbers exactly as written."""
    file = folder / "genai_prices" / name
    if not file.is_file():
        pytest.skip(f"no real usages: {file} is missing")
    parsed: list[Json] = json.loads(gzip.decompress(file.read_bytes()), parse_float=Decimal)
    return parsed


def real_usages(folder: Path) -> Iterator[RealUsage]:
    """Return every body."""
    for entry in read(folder, USAGES):
        origin, convention = origin_of(entry["body"])
        (group,) = (
            group
            for group in entry["extracted"]
            if origin
            in {f"{each['provider_id']}/{each['api_flavor']}" for each in group["extractors"]}
        )
        yield RealUsage(
            origin,
            convention,
            usage_part(entry["body"]),
            entry.get("model", ""),
            translated(group["usage"]),
            tuple(
                Priced(
                    each["provider_id"],
                    Decimal(each["input_price"]) + Decimal(each["output_price"]),
                )
                for each in group["extractors"]
                if "input_price" in each
            ),
        )


def usage_part(body: Mapping[str, Json]) -> Mapping[str, Json]:
    part: Mapping[str, Json] = next(
        body[name] for name in ("usage", "usageMetadata", "meta") if name in body
    )
    return part


def origin_of(body: Mapping[str, Json]) -> tuple[str, Convention]:
    """Return whose format a body has, and how that counts."""
    usage = usage_part(body)
    for (part, field), origin in _BY_FIELD.items():
        if part in body and field in usage:
            return origin
    if "completion_tokens" not in usage:
        return "openai/embeddings", Convention.OPENAI_CHAT
    recorded = (origin for word, origin in _RECORDED_FROM.items() if word in body["file"])
    return next(recorded, "openai/chat"), Convention.OPENAI_CHAT


def translated(theirs: Mapping[str, int]) -> UsageCounts:
    """Return their counts in our classes: their sums hold every part as well."""

    def count(name: str) -> int:
        return theirs.get(name, 0)

    audio, image, video = (
        count(f"input_{medium}_tokens") - count(f"cache_{medium}_read_tokens")
        for medium in ("audio", "image", "video")
    )
    read_, written = count("cache_read_tokens"), count("cache_write_tokens")
    audio_read = count("cache_audio_read_tokens")
    hour = count("cache_write_1h_tokens")
    reasoning = count("output_reasoning_tokens")
    audio_made, image_made = count("output_audio_tokens"), count("output_image_tokens")
    return UsageCounts(
        uncached_input_token_count=(
            count("input_tokens") - read_ - written - audio - image - video
        ),
        cache_read_token_count=read_ - audio_read,
        cache_write_token_count=written - hour,
        cache_write_1h_token_count=hour,
        output_token_count=count("output_tokens") - reasoning - audio_made - image_made,
        reasoning_token_count=reasoning,
        audio_input_token_count=audio,
        audio_output_token_count=audio_made,
        image_input_token_count=image,
        image_output_token_count=image_made,
        video_input_token_count=video,
        request_count=1,
        query_count=count("web_searches"),
        audio_cache_read_token_count=audio_read,
    )


def rates_of(folder: Path, seller: str, model: str) -> tuple[Rate, ...] | None:
    """Return their prices of one model at one seller, None when they list none."""
    sellers = {entry["id"]: entry for entry in read(folder, PRICES)}
    fallbacks = sellers.get(seller, {}).get("fallback_model_providers", ())
    for name in (seller, *fallbacks):
        for entry in sellers.get(name, {}).get("models", ()):
            if _matches(entry["match"], model.lower()):
                return tuple(_rates(entry["prices"])) or None
    return None


def _matches(rule: Mapping[str, Json], model: str) -> bool:
    ((kind, operand),) = rule.items()
    if kind in {"or", "and"}:
        return (any if kind == "or" else all)(_matches(each, model) for each in operand)
    return _TEXT_RULES[kind](model, operand.lower() if kind != "regex" else operand)


def _rates(prices: Json) -> Iterator[Rate]:
    """Return rates; of prices that began on different days the latest holds."""
    for dated in prices if isinstance(prices, list) else [{"prices": prices}]:
        constraint = dated.get("constraint", {})
        if constraint.get("start_date", "") > PRICED_ON:
            continue
        windows = (_window(constraint),) if "start_time" in constraint else ()
        for name, price in dated["prices"].items():
            # A price per request is in neither of the two amounts that are compared.
            if name != "requests_kcount":
                yield from _bands(_COMPONENTS[name], price, windows)


def _bands(component: Component, price: Json, windows: tuple[TimeWindow, ...]) -> Iterator[Rate]:
    if not isinstance(price, dict):
        yield Rate(component, per_million(str(price)), windows=windows)
        return
    yield Rate(component, per_million(str(price["base"])), windows=windows)
    for tier in price["tiers"]:
        yield Rate(
            component,
            per_million(str(tier["price"])),
            above_prompt_tokens=tier["start"],
            windows=windows,
        )


def _window(constraint: Mapping[str, str]) -> TimeWindow:
    start, end = (
        int(constraint[name][:2]) * 60 + int(constraint[name][3:5])
        for name in ("start_time", "end_time")
    )
    return TimeWindow((), start, end)
