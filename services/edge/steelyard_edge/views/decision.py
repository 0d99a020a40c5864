"""A routing decision with all that explains it."""

from typing import Any

from steelyard.router.v1.decision_pb2 import (
    Candidate,
    Decision,
    RejectedCandidate,
    RejectionReason,
    Tier,
)
from steelyard_edge.views.cost import breakdown
from steelyard_edge.views.scalars import label, text, usd


def decision(made: Decision) -> dict[str, Any]:
    chosen = made.chosen
    return {
        "decision_id": made.decision_id,
        "offer": chosen.offer,
        "model": chosen.model,
        "provider": chosen.provider,
        "tier": label(Tier, made.tier, "TIER_"),
        "complexity_score": made.complexity_score,
        "expected_cost_usd": _cost(chosen),
        "expected_cost_p90_usd": _cost_p90(chosen),
        "breakdown": breakdown(chosen.expected_cost) if chosen.HasField("expected_cost") else None,
        "quality": chosen.quality,
        "health": chosen.health,
        "key_present": chosen.key_present,
        "fallbacks": [
            {"offer": each.offer, "expected_cost_usd": _cost(each)} for each in made.fallbacks
        ],
        "candidates": [_candidate(each) for each in made.candidates],
        "rejected": [_rejected(each) for each in made.rejected],
        "stale_prices": made.stale_prices,
        "stale_health": made.stale_health,
        "versions": {
            "prices": made.versions.prices,
            "catalog": made.versions.catalog,
            "health": made.versions.health,
            "policy": made.versions.policy,
        },
        "probe_permit": text(made.probe_permit),
        "panic": made.panic,
        "reason": made.reason,
    }


def _candidate(candidate: Candidate) -> dict[str, Any]:
    return {
        "offer": candidate.offer,
        "utility": candidate.utility,
        "expected_cost_usd": _cost(candidate),
        "quality": candidate.quality,
        "health": candidate.health,
    }


def _rejected(rejected: RejectedCandidate) -> dict[str, Any]:
    return {
        "offer": rejected.offer,
        "reason": label(RejectionReason, rejected.reason, "REJECTION_REASON_"),
        "detail": rejected.detail,
    }


def _cost(candidate: Candidate) -> Any:
    """Return the expected cost, null for an unpriced offer, which is not the same as free."""
    if not candidate.HasField("expected_cost"):
        return None
    return usd(candidate.expected_cost.total_picodollars)


def _cost_p90(candidate: Candidate) -> Any:
    if not candidate.HasField("expected_cost"):
        return None
    return usd(candidate.expected_cost_p90_picodollars)
