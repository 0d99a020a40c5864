"""Models with all that their sellers offer of them."""

from collections.abc import Iterable
from typing import Any

from steelyard.common.v1.model_traits_pb2 import Capability, Mode
from steelyard.registry.v1 import registry_service_pb2 as pb
from steelyard.registry.v1.model_pb2 import DeprecationReason, LifecycleState, Model, Offer
from steelyard_edge.views.quality import quality_if
from steelyard_edge.views.scalars import UNITS_PER_1M, day, known, label, moment, page, text, usd


def model_answer(answer: pb.GetModelResponse) -> dict[str, Any]:
    return {**model(answer.model), "catalog_version": answer.catalog_version}


def models_found(models: Iterable[Model], total_count: int) -> dict[str, Any]:
    """Return models with how many there are here, and how many match in all."""
    listed = [model(each) for each in models]
    return {"count": len(listed), "total_count": total_count, "models": listed}


def models_page(answer: pb.ListModelsResponse) -> dict[str, Any]:
    return {
        "count": len(answer.models),
        "models": [model(each) for each in answer.models],
        "catalog_version": answer.catalog_version,
        **page(answer.page_info),
    }


def frontier(answer: pb.ListFrontierResponse) -> dict[str, Any]:
    return {
        "count": len(answer.models),
        "models": [_frontier_model(each) for each in answer.models],
        "price_snapshot_version": answer.price_snapshot_version,
    }


def tier_bands(answer: pb.ListTierBandsResponse) -> dict[str, Any]:
    return {"bands": [_tier_band(each) for each in answer.bands]}


def model(sold: Model) -> dict[str, Any]:
    return {
        "model": sold.model,
        "maker": text(sold.maker),
        "display_name": text(sold.display_name),
        "aliases": list(sold.aliases),
        "mode": label(Mode, sold.mode, "MODE_"),
        "capabilities": _capabilities(sold.capabilities),
        "context_window": known(sold.context_window_token_count),
        "max_output_tokens": known(sold.max_output_token_count),
        "release_date": day(sold, "release_date"),
        "knowledge_cutoff": day(sold, "knowledge_cutoff_date"),
        "state": _state(sold.state),
        "quality": quality_if(sold, "quality"),
        "providers": list(dict.fromkeys(each.provider for each in sold.offers)),
        "offers": [_offer(each) for each in sold.offers],
    }


def _offer(offer: Offer) -> dict[str, Any]:
    return {
        "offer": offer.offer,
        "provider": offer.provider,
        "provider_model": offer.provider_model,
        "mode": label(Mode, offer.mode, "MODE_"),
        "capabilities": _capabilities(offer.capabilities),
        "denied_capabilities": _capabilities(offer.denied_capabilities),
        "inferred_capabilities": _capabilities(offer.inferred_capabilities),
        "max_input_tokens": known(offer.max_input_token_count),
        "max_output_tokens": known(offer.max_output_token_count),
        "input_modalities": list(offer.input_modalities),
        "output_modalities": list(offer.output_modalities),
        "responses_api_only": offer.responses_api_only,
        "regions": list(offer.regions),
        "state": _state(offer.state),
        "deprecation_date": day(offer, "deprecation_date"),
        "deprecation_reason": label(
            DeprecationReason, offer.deprecation_reason, "DEPRECATION_REASON_"
        ),
        "missed_sync_count": offer.missed_sync_count,
        "source": text(offer.source),
        "sources": list(offer.sources),
        "source_uri": text(offer.source_uri),
        "observed_time": moment(offer, "observed_time"),
        "first_seen_time": moment(offer, "first_seen_time"),
    }


def _frontier_model(best: pb.FrontierModel) -> dict[str, Any]:
    return {
        "score": best.score,
        "cheapest_offer": best.cheapest_offer,
        "blended_usd_per_token": usd(best.blended_picodollars),
        "blended_usd_per_1m_tokens": usd(best.blended_picodollars * UNITS_PER_1M),
        "model": model(best.model),
    }


def _tier_band(band: pb.TierBand) -> dict[str, Any]:
    return {
        "tier": band.tier,
        "min_quality": band.min_quality,
        "max_quality": band.max_quality,
        "label": band.label,
        "model_count": band.model_count,
        "examples": [model(each) for each in band.examples],
    }


def _capabilities(numbers: Iterable[int]) -> list[str]:
    labels = (label(Capability, number, "CAPABILITY_") for number in numbers)
    return [each for each in labels if each is not None]


def _state(state: int) -> str | None:
    return label(LifecycleState, state, "LIFECYCLE_STATE_")
