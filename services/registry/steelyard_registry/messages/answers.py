"""Domain objects as messages."""

from collections.abc import Iterable
from datetime import date
from typing import cast

from steelyard.common.v1.model_traits_pb2 import Capability as CapabilityMessage
from steelyard.common.v1.model_traits_pb2 import Mode as ModeMessage
from steelyard.registry.v1 import model_pb2, quality_pb2
from steelyard.registry.v1 import registry_service_pb2 as pb
from steelyard_common.message_times import to_date, to_timestamp
from steelyard_registry.domain.frontier import FrontierModel
from steelyard_registry.domain.grading import UnjoinedName
from steelyard_registry.domain.models import Model, Offer
from steelyard_registry.domain.modes import Capability
from steelyard_registry.domain.providers import Provider, ProviderHealth
from steelyard_registry.domain.quality.scores import Quality, QualityScore
from steelyard_registry.domain.tier_bands import TierBand

MAX_KEPT_MODELS = 16_384


class ModelMessages:
    """Turns models into messages, each model once: catalogues change little from day to day."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[Model, model_pb2.Model]] = {}

    def of(self, model: Model) -> model_pb2.Model:
        """Return the message of a model; do not change it."""
        kept = self._kept.get(model.model)
        if kept is not None and kept[0] is model:
            return kept[1]
        if len(self._kept) >= MAX_KEPT_MODELS:
            self._kept.clear()
        message = to_model(model)
        self._kept[model.model] = (model, message)
        return message


def to_model(model: Model) -> model_pb2.Model:
    return model_pb2.Model(
        model=model.model,
        maker=model.maker,
        display_name=model.display_name,
        aliases=model.aliases,
        mode=cast("ModeMessage.ValueType", model.mode),
        offers=[to_offer(offer) for offer in model.offers],
        capabilities=_capabilities(model.capabilities),
        context_window_token_count=model.context_window or 0,
        max_output_token_count=model.max_output_tokens or 0,
        release_date=to_date(model.release_date),
        knowledge_cutoff_date=to_date(model.knowledge_cutoff),
        state=cast("model_pb2.LifecycleState.ValueType", model.state),
        quality=None if model.quality is None else to_quality(model.quality),
    )


def to_offer(offer: Offer) -> model_pb2.Offer:
    return model_pb2.Offer(
        offer=offer.offer,
        provider=offer.provider,
        provider_model=offer.provider_model,
        model=offer.model,
        mode=cast("ModeMessage.ValueType", offer.mode),
        capabilities=_capabilities(offer.capabilities),
        denied_capabilities=_capabilities(offer.denied),
        max_input_token_count=offer.max_input_tokens or 0,
        max_output_token_count=offer.max_output_tokens or 0,
        input_modalities=offer.input_modalities,
        output_modalities=offer.output_modalities,
        deprecation_date=to_date(offer.deprecation_date),
        state=cast("model_pb2.LifecycleState.ValueType", offer.state),
        regions=offer.regions,
        source=offer.source,
        source_uri=offer.source_uri,
        observed_time=to_timestamp(offer.observed_time),
        responses_api_only=offer.responses_api_only,
        inferred_capabilities=_capabilities(offer.inferred),
        sources=offer.sources or (offer.source,),
        first_seen_time=to_timestamp(offer.first_seen_time),
        deprecation_reason=cast(
            "model_pb2.DeprecationReason.ValueType", offer.deprecation_reason or 0
        ),
        missed_sync_count=offer.missed_syncs,
        kept_by_hand=offer.is_kept,
    )


def to_provider(provider: Provider, health: ProviderHealth | None = None) -> model_pb2.Provider:
    return model_pb2.Provider(
        provider=provider.provider,
        display_name=provider.display_name,
        base_url=provider.base_url,
        wire_format=cast("model_pb2.WireFormat.ValueType", provider.wire_format),
        auth_style=cast("model_pb2.AuthStyle.ValueType", provider.auth_style),
        key_variables=provider.key_variables,
        status_page_url=provider.status_page_url,
        status_api_url=provider.status_api_url,
        status_format=provider.status_format,
        offer_count=provider.offer_count,
        routable=provider.is_routable,
        health=None if health is None else _health(health),
        key_pattern=provider.key_pattern,
        custom=provider.is_custom,
    )


def to_quality(quality: Quality) -> quality_pb2.Quality:
    return quality_pb2.Quality(
        score=quality.score,
        uncertainty=quality.uncertainty,
        basis=cast("quality_pb2.QualityBasis.ValueType", quality.basis),
        source=quality.source,
        edition_date=to_date(quality.edition_date),
        stale=quality.is_stale,
        tasks=[
            quality_pb2.TaskQuality(
                task=cast("quality_pb2.Task.ValueType", each.task),
                score=each.score,
                uncertainty=each.uncertainty,
            )
            for each in quality.tasks
        ],
        sources=quality.sources or (quality.source,),
        correction=quality.is_correction,
    )


def to_score(score: QualityScore, today: date) -> quality_pb2.QualityScore:
    return quality_pb2.QualityScore(
        model=score.model,
        task=cast("quality_pb2.Task.ValueType", score.task),
        score=score.score,
        uncertainty=score.uncertainty,
        basis=cast("quality_pb2.QualityBasis.ValueType", score.basis),
        source=score.source,
        edition_date=to_date(score.edition_date),
        normalization=score.normalization,
        stale=score.is_stale(today),
        note=score.note,
        raw_value=score.raw_value,
        metric=score.metric,
        sample_count=score.sample_count,
        source_model=score.source_model,
        expire_time=to_timestamp(score.expire_time),
        share=score.share,
        variant=score.variant,
        category=score.category,
        correction=score.is_correction,
    )


def to_frontier_model(found: FrontierModel, models: ModelMessages) -> pb.FrontierModel:
    return pb.FrontierModel(
        model=models.of(found.model),
        score=found.score,
        cheapest_offer=found.offer,
        blended_picodollars=found.blended,
    )


def to_tier_band(band: TierBand, models: ModelMessages, example_count: int) -> pb.TierBand:
    return pb.TierBand(
        tier=band.tier,
        min_quality=band.min_quality,
        max_quality=band.max_quality,
        label=band.label,
        model_count=len(band.models),
        examples=map(models.of, band.models[:example_count]),
    )


def to_unjoined(name: UnjoinedName, nearest: Iterable[str]) -> pb.UnjoinedName:
    return pb.UnjoinedName(
        source=name.source,
        source_model=name.source_model,
        reason=cast("pb.UnjoinedReason.ValueType", name.reason),
        canonical_name=name.canonical_name,
        nearest=nearest,
    )


def _health(health: ProviderHealth) -> model_pb2.ProviderHealthSummary:
    return model_pb2.ProviderHealthSummary(
        score=health.score,
        state=health.state,
        sample_count=health.sample_count,
        stale=health.is_stale,
    )


def _capabilities(values: frozenset[Capability]) -> "list[CapabilityMessage.ValueType]":
    return cast("list[CapabilityMessage.ValueType]", sorted(values))
