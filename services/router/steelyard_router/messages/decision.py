"""Decision and classification out."""

from steelyard.common.v1.cost_pb2 import CostBreakdown
from steelyard.common.v1.usage_pb2 import Usage as UsageProto
from steelyard.router.v1 import decision_pb2 as pb
from steelyard.router.v1 import routing_service_pb2 as service_pb
from steelyard_router.domain.catalog import Offer
from steelyard_router.domain.classifier import Classification
from steelyard_router.domain.decide import POLICY_VERSION, Candidate
from steelyard_router.domain.decision import Decision
from steelyard_router.domain.rates import Cost, cost_p90
from steelyard_router.domain.rejection import Rejection
from steelyard_router.domain.usage import OutputForecast, Usage
from steelyard_router.messages.policy import from_policy

MAX_KEPT = 8_192
_NANOSECONDS = 1_000_000_000


class DecisionWriter:
    """Writes decisions; what is the same in many of them is kept as bytes.

    Protobuf merges bytes into a message four times faster than it copies messages, and that is most
    of the time that an answer takes.
    """

    def __init__(self) -> None:
        self._offers: dict[str, tuple[Offer, bytes]] = {}
        self._rejections: dict[Rejection, bytes] = {}

    def write(self, decision: Decision) -> pb.Decision:
        """Return the decision as callers get it and as it is stored."""
        message = pb.Decision(
            decision_id=decision.decision_id,
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
            probe_permit=decision.probe_permit,
            panic=decision.is_panic,
        )
        message.create_time.FromDatetime(decision.create_time)
        if decision.baseline_cost is not None:
            _write_cost(message.baseline_cost, decision.baseline_cost)
        message.MergeFromString(b"".join(map(self._rejection, decision.rejected)))
        self._write_candidates(message, decision)
        return message

    def _write_candidates(self, message: pb.Decision, decision: Decision) -> None:
        written: dict[str, pb.Candidate] = {}
        for candidate in decision.candidates:
            target = message.candidates.add()
            target.MergeFromString(self._offer(candidate.offer))
            _write_candidate(target, candidate, decision.output)
            written[candidate.offer.offer] = target
        message.chosen.CopyFrom(message.candidates[0])
        message.fallbacks.extend(written[each.offer.offer] for each in decision.fallbacks)

    def _offer(self, offer: Offer) -> bytes:
        """Return the bytes of a Candidate with all that depends on the offer alone."""
        kept = self._offers.get(offer.offer)
        if kept is None or kept[0] is not offer:
            if len(self._offers) >= MAX_KEPT:
                self._offers.clear()
            message = pb.Candidate(
                offer=offer.offer,
                model=offer.model,
                provider=offer.provider,
                quality_basis=offer.quality.basis,
            )
            kept = self._offers[offer.offer] = offer, message.SerializeToString()
        return kept[1]

    def _rejection(self, rejection: Rejection) -> bytes:
        """Return the bytes of a Decision that has this rejection only."""
        kept = self._rejections.get(rejection)
        if kept is None:
            if len(self._rejections) >= MAX_KEPT:
                self._rejections.clear()
            message = pb.Decision(rejected=[_rejected(rejection)])
            kept = self._rejections[rejection] = message.SerializeToString()
        return kept


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


def _write_candidate(target: pb.Candidate, candidate: Candidate, output: OutputForecast) -> None:
    target.utility, *parts = candidate.utility
    breakdown = target.utility_breakdown
    breakdown.quality, breakdown.cost, breakdown.latency, breakdown.risk = parts
    cost = candidate.cost
    if cost is not None:
        _write_cost(target.expected_cost, cost)
        target.expected_cost_p90_picodollars = cost_p90(cost, output.p50, output.p90)
    target.quality = candidate.quality
    target.health = candidate.health
    latency = target.expected_latency
    latency.seconds, latency.nanos = divmod(
        round(candidate.latency_seconds * _NANOSECONDS), _NANOSECONDS
    )
    target.key_present = candidate.key_present
    target.price_estimated = candidate.is_price_estimated


def _write_cost(target: CostBreakdown, cost: Cost) -> None:
    """Write a cost; most parts of most costs are 0, which needs no writing."""
    target.total_picodollars = cost.total
    target.input_picodollars = cost.input
    target.output_picodollars = cost.output
    if cost.total != cost.input + cost.output:
        target.cache_read_picodollars = cost.cache_read
        target.cache_write_picodollars = cost.cache_write
        target.reasoning_picodollars = cost.reasoning
        target.media_picodollars = cost.media
        target.request_picodollars = cost.request


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
