"""Decision and classification out."""

from google.protobuf.duration_pb2 import Duration

from steelyard.common.v1.cost_pb2 import CostBreakdown
from steelyard.common.v1.usage_pb2 import Usage as UsageProto
from steelyard.router.v1 import decision_pb2 as pb
from steelyard.router.v1 import routing_service_pb2 as service_pb
from steelyard_router.domain.classifier import Classification
from steelyard_router.domain.decide import POLICY_VERSION, Candidate
from steelyard_router.domain.decision import Decision
from steelyard_router.domain.rates import Cost, cost_p90
from steelyard_router.domain.rejection import Rejection
from steelyard_router.domain.usage import OutputForecast, Usage
from steelyard_router.messages.policy import from_policy

_NANOSECONDS = 1_000_000_000


def from_decision(decision: Decision) -> pb.Decision:
    """Return the decision as callers get it and as it is stored."""
    candidates = [_candidate(each, decision.output) for each in decision.candidates]
    by_offer = {each.offer: each for each in candidates}
    message = pb.Decision(
        decision_id=decision.decision_id,
        chosen=candidates[0],
        fallbacks=[by_offer[each.offer.offer] for each in decision.fallbacks],
        candidates=candidates,
        rejected=[_rejected(each) for each in decision.rejected],
        rejection_counts=[
            pb.RejectionCount(reason=pb.RejectionReason.ValueType(reason), count=count)
            for reason, count in sorted(decision.rejection_counts.items())
        ],
        tier=pb.Tier.ValueType(decision.tier.tier),
        complexity_score=decision.tier.score,
        classifier=decision.tier.classifier,
        expected_usage=_usage(decision.usage),
        expected_output_token_count_p90=decision.output.p90,
        policy=from_policy(decision.policy),
        stale_prices=decision.stale.prices,
        stale_health=decision.stale.health,
        stale_catalog=decision.stale.catalog,
        versions=pb.DataVersions(
            prices=decision.versions.prices,
            catalog=decision.versions.catalog,
            health=decision.versions.health,
            policy=POLICY_VERSION,
        ),
        reason=decision.reason,
        requested_model=decision.named_model,
        quality_floor_relaxed=decision.is_floor_relaxed,
        baseline_cost=_cost(decision.baseline_cost),
    )
    message.create_time.FromDatetime(decision.create_time)
    return message


def from_classification(found: Classification) -> service_pb.ClassifyPromptResponse:
    return service_pb.ClassifyPromptResponse(
        tier=pb.Tier.ValueType(found.tier),
        complexity_score=found.score,
        estimated_token_count=found.estimated_tokens,
        factors=[
            service_pb.ClassificationFactor(
                name=factor.name, points=factor.points, evidence=factor.evidence
            )
            for factor in found.factors
        ],
        classifier=found.classifier,
    )


def _candidate(candidate: Candidate, output: OutputForecast) -> pb.Candidate:
    offer, cost, utility = candidate.offer, candidate.cost, candidate.utility
    return pb.Candidate(
        offer=offer.offer,
        model=offer.model,
        provider=offer.provider,
        utility=utility.total,
        utility_breakdown=pb.UtilityBreakdown(
            quality=utility.quality, cost=utility.cost, latency=utility.latency, risk=utility.risk
        ),
        expected_cost=_cost(cost),
        expected_cost_p90_picodollars=cost_p90(cost, output.p50, output.p90) if cost else 0,
        quality=candidate.quality,
        quality_basis=offer.quality.basis,
        health=candidate.health,
        expected_latency=_duration(candidate.latency_seconds),
        key_present=candidate.key_present,
        price_estimated=candidate.is_price_estimated,
    )


def _cost(cost: Cost | None) -> CostBreakdown | None:
    if cost is None:
        return None
    return CostBreakdown(
        total_picodollars=cost.total,
        input_picodollars=cost.input,
        cache_read_picodollars=cost.cache_read,
        cache_write_picodollars=cost.cache_write,
        output_picodollars=cost.output,
        reasoning_picodollars=cost.reasoning,
        media_picodollars=cost.media,
        request_picodollars=cost.request,
    )


def _duration(seconds: float) -> Duration:
    nanoseconds = round(seconds * _NANOSECONDS)
    return Duration(seconds=nanoseconds // _NANOSECONDS, nanos=nanoseconds % _NANOSECONDS)


def _usage(usage: Usage) -> UsageProto:
    return UsageProto(
        uncached_input_token_count=usage.input_tokens,
        output_token_count=usage.output_tokens,
        image_input_token_count=usage.image_tokens,
        audio_input_token_count=usage.audio_tokens,
        video_input_token_count=usage.video_tokens,
    )


def _rejected(rejection: Rejection) -> pb.RejectedCandidate:
    return pb.RejectedCandidate(
        offer=rejection.offer,
        reason=pb.RejectionReason.ValueType(rejection.reason),
        detail=rejection.detail,
    )
