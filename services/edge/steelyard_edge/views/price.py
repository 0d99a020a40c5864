"""One price with everything that its source says."""

from collections.abc import Iterable, Mapping
from typing import Any

from steelyard.common.v1.model_traits_pb2 import Mode
from steelyard.pricing.v1 import price_pb2
from steelyard.pricing.v1.price_pb2 import Price, PriceComponent, PriceRate, TimeWindow
from steelyard.pricing.v1.pricing_service_pb2 import GetPriceResponse, ListPricesResponse, NameMatch
from steelyard_edge.views.scalars import UNITS_PER_1M, day, known, label, moment, text, usd, usd_if

STANDARD = "standard"
TOKEN_CLASSES = {
    "input": price_pb2.PRICE_COMPONENT_INPUT_TOKEN,
    "output": price_pb2.PRICE_COMPONENT_OUTPUT_TOKEN,
    "cache_read": price_pb2.PRICE_COMPONENT_CACHE_READ_TOKEN,
    "cache_write": price_pb2.PRICE_COMPONENT_CACHE_WRITE_TOKEN,
    "cache_write_1h": price_pb2.PRICE_COMPONENT_CACHE_WRITE_1H_TOKEN,
    "reasoning": price_pb2.PRICE_COMPONENT_REASONING_TOKEN,
}

_Tier = tuple[str, int]
_Rates = Mapping[int, int]


def model_price(answer: GetPriceResponse) -> dict[str, Any]:
    return {
        "model": answer.price.model,
        "match": label(NameMatch, answer.match, "NAME_MATCH_"),
        "pricing": price(answer.price),
        "alternatives": [price(each) for each in answer.alternatives],
        "snapshot_version": answer.snapshot_version,
    }


def provider_prices(provider: str, answer: ListPricesResponse) -> dict[str, Any]:
    return {
        "provider": provider,
        "model_count": answer.page_info.total_count,
        "models": [price(each) for each in answer.prices],
        "snapshot_version": answer.snapshot_version,
    }


def price(fact: Price) -> dict[str, Any]:
    return {
        "offer": fact.offer,
        "provider": fact.provider,
        "model": fact.model,
        "mode": label(Mode, fact.mode, "MODE_"),
        **rates(fact.rates),
        "free": fact.free,
        "estimated": fact.estimated,
        "stale": fact.stale,
        "source": fact.source,
        "source_uri": text(fact.source_uri),
        "effective_time": moment(fact, "effective_time"),
        "observed_time": moment(fact, "observed_time"),
        "confidence": fact.confidence,
        "cache_min_tokens": known(fact.cache_min_token_count),
        "max_input_tokens": known(fact.max_input_token_count),
        "max_output_tokens": known(fact.max_output_token_count),
        "deprecation_date": day(fact, "deprecation_date"),
        "aliases": list(fact.aliases),
    }


def price_if(message: Any, field: str) -> dict[str, Any] | None:
    """Return the price in a field, null when it is unset."""
    return price(getattr(message, field)) if message.HasField(field) else None


def rates(figures: Iterable[PriceRate]) -> dict[str, Any]:
    """Return rates; those in force all week are also laid out per token and per 1M tokens."""
    figures = list(figures)
    by_tier = _rates_by_tier(figures)
    base = by_tier.pop((STANDARD, 0), {})
    return {
        **_token_prices(base),
        "tiers": [
            {"service_tier": tier, "above_prompt_tokens": above, **_token_prices(of_tier)}
            for (tier, above), of_tier in sorted(by_tier.items())
        ],
        "rates": [_rate(each) for each in figures],
    }


def _rates_by_tier(figures: Iterable[PriceRate]) -> dict[_Tier, dict[int, int]]:
    by_tier: dict[_Tier, dict[int, int]] = {}
    for rate in figures:
        if not rate.windows:
            tier = (rate.service_tier or STANDARD, rate.above_prompt_token_count)
            by_tier.setdefault(tier, {})[rate.component] = rate.picodollars
    return by_tier


def _token_prices(by_component: _Rates) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for name, component in TOKEN_CLASSES.items():
        picodollars = by_component.get(component)
        per_1m = None if picodollars is None else picodollars * UNITS_PER_1M
        shown[f"{name}_usd_per_token"] = usd_if(picodollars)
        shown[f"{name}_usd_per_1m_tokens"] = usd_if(per_1m)
    return shown


def _rate(rate: PriceRate) -> dict[str, Any]:
    return {
        "component": label(PriceComponent, rate.component, "PRICE_COMPONENT_"),
        "usd_per_unit": usd(rate.picodollars),
        "service_tier": rate.service_tier or STANDARD,
        "above_prompt_tokens": rate.above_prompt_token_count,
        "windows": [_window(each) for each in rate.windows],
    }


def _window(window: TimeWindow) -> dict[str, Any]:
    return {
        "weekdays": list(window.weekdays),
        "start_minute": window.start_minute,
        "end_minute": window.end_minute,
    }
