"""Where models are cheapest, and what is known of their prompt caches and of their end."""

from typing import Any

from steelyard.pricing.v1.pricing_service_pb2 import (
    CompareProvidersResponse,
    Deprecation,
    GetCachePolicyResponse,
    ListCheapestResponse,
    ListDeprecationsResponse,
    ProviderComparison,
    RankedOffer,
)
from steelyard_edge.views.cost import breakdown
from steelyard_edge.views.price import price, price_if
from steelyard_edge.views.scalars import UNITS_PER_1M, day, known, page, text, usd, usd_if

CACHE_PRICES = ("read", "write", "write_1h")
UNKNOWN = "unknown"


def cheapest(answer: ListCheapestResponse) -> dict[str, Any]:
    return {
        "offers": [_priced(each) for each in answer.offers],
        "free_count": answer.free_count,
        "unpriced_count": answer.unpriced_count,
        "snapshot_version": answer.snapshot_version,
    }


def comparison(model: str, answer: CompareProvidersResponse) -> dict[str, Any]:
    """Return the comparison; `model` is the name that was asked for, if any."""
    return {
        "model": text(model),
        "providers": [compared(each) for each in answer.providers],
        "offers": [_priced(each) for each in answer.offers],
        "snapshot_version": answer.snapshot_version,
    }


def cache_policy(model: str, answer: GetCachePolicyResponse) -> dict[str, Any]:
    """Return what is known of a cache; `model` is the name that was asked for."""
    is_known = answer.supported_source not in {"", UNKNOWN}
    return {
        "model": model,
        "offer": answer.offer,
        "supported": answer.supported if is_known else None,
        "supported_source": answer.supported_source or UNKNOWN,
        "min_tokens": known(answer.min_token_count),
        "min_token_source": text(answer.min_token_source),
        **_cache_prices(answer),
    }


def deprecations(answer: ListDeprecationsResponse) -> dict[str, Any]:
    return {
        "deprecations": [_deprecation(each) for each in answer.deprecations],
        **page(answer.page_info),
    }


def ranked(offer: RankedOffer) -> dict[str, Any]:
    return {
        "offer": offer.price.offer,
        "provider": offer.price.provider,
        "model": offer.price.model,
        "cost_usd": usd(offer.cost.total_picodollars),
        "estimated": offer.price.estimated,
        "stale": offer.price.stale,
    }


def compared(comparison: ProviderComparison) -> dict[str, Any]:
    is_priced = comparison.priced_count > 0
    return {
        "provider": comparison.provider,
        "offer_count": comparison.offer_count,
        "priced_count": comparison.priced_count,
        "free_count": comparison.free_count,
        "min_usd": usd(comparison.min_picodollars) if is_priced else None,
        "mean_usd": usd(comparison.mean_picodollars) if is_priced else None,
        "max_usd": usd(comparison.max_picodollars) if is_priced else None,
        "cheapest_offer": text(comparison.cheapest_offer),
    }


def _priced(offer: RankedOffer) -> dict[str, Any]:
    return {**ranked(offer), "breakdown": breakdown(offer.cost), "pricing": price(offer.price)}


def _cache_prices(answer: GetCachePolicyResponse) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for name in CACHE_PRICES:
        picodollars = _picodollars(answer, f"{name}_picodollars")
        per_1m = None if picodollars is None else picodollars * UNITS_PER_1M
        shown[f"{name}_usd_per_token"] = usd_if(picodollars)
        shown[f"{name}_usd_per_1m_tokens"] = usd_if(per_1m)
    return shown


def _picodollars(message: Any, field: str) -> int | None:
    return getattr(message, field) if message.HasField(field) else None


def _deprecation(deprecation: Deprecation) -> dict[str, Any]:
    return {
        "offer": deprecation.price.offer,
        "deprecation_date": day(deprecation.price, "deprecation_date"),
        "pricing": price(deprecation.price),
        "replacement": price_if(deprecation, "replacement"),
        "replacement_reason": text(deprecation.replacement_reason),
        "cost_ratio": deprecation.cost_ratio or None,
    }
