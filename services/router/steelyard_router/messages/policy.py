"""RoutingPolicy in and out."""

from datetime import timedelta
from typing import Final

from steelyard.common.v1.model_traits_pb2 import Capability as CapabilityProto
from steelyard.router.v1 import decision_pb2 as pb
from steelyard_router.domain import capability
from steelyard_router.domain.classifier import TASK_POINTS
from steelyard_router.domain.model_choice import ModelChoice
from steelyard_router.domain.policy import (
    DEFAULT_POLICY,
    EXPLICIT_POLICY,
    NAMED_WEIGHTS,
    Policy,
    Weights,
    scaled,
)
from steelyard_router.domain.tier import Tier
from steelyard_router.messages.violations import Violations

MAX_PICODOLLARS: Final = 10**18
MAX_LIST: Final = 200
MAX_TEXT: Final = 256
_CAPABILITIES: Final = frozenset(CapabilityProto.values())
_TIERS: Final = frozenset(int(tier) for tier in Tier)


def to_policy(
    message: pb.RoutingPolicy, choice: ModelChoice, violations: Violations
) -> Policy | None:
    """Return the policy as applied; None when something in it is at fault.

    Args:
        message: As sent; an empty one means balanced.
        choice: What the request's `model` says of policy and tier.
        violations: Where faults are noted.
    """
    _check_texts(message, violations)
    _check_tiers(message, choice, violations)
    name, weights = _weights(message, choice, violations)
    max_cost = message.max_cost_picodollars if message.HasField("max_cost_picodollars") else None
    if max_cost is not None:
        violations.range("policy.max_cost_picodollars", max_cost, 0, MAX_PICODOLLARS)
    max_latency = None
    if message.HasField("max_latency"):
        max_latency = violations.positive_seconds("policy.max_latency", message.max_latency)
    min_quality = message.min_quality if message.HasField("min_quality") else None
    if min_quality is not None:
        violations.range("policy.min_quality", min_quality, 0, 100)
    tiers = {int(message.tier), int(message.min_tier), int(message.max_tier)} - {0}
    if weights is None or not tiers <= _TIERS:
        return None
    return Policy(
        name=name,
        weights=weights,
        max_cost_picodollars=max_cost,
        max_latency_seconds=max_latency,
        min_quality=min_quality,
        tier=_tier(message.tier) or choice.tier,
        min_tier=_tier(message.min_tier),
        max_tier=_tier(message.max_tier),
        allowed_providers=frozenset(message.allowed_providers),
        denied_providers=frozenset(message.denied_providers),
        baseline=message.baseline,
        session_id=message.session_id,
        allow_unpriced=message.allow_unpriced,
        allow_free=message.allow_free,
        region=message.region,
        required_capabilities=capability.mask(
            each for each in message.required_capabilities if each
        ),
        task_type=message.task_type,
    )


def _tier(number: int) -> Tier | None:
    return Tier(number) if number else None


def _check_texts(message: pb.RoutingPolicy, violations: Violations) -> None:
    violations.one_of("policy.name", message.name, NAMED_WEIGHTS)
    violations.one_of("policy.task_type", message.task_type, TASK_POINTS)
    for field in ("baseline", "session_id", "region"):
        if len(getattr(message, field)) > MAX_TEXT:
            violations.add(f"policy.{field}", f"must have at most {MAX_TEXT} characters")
    for field in ("allowed_providers", "denied_providers", "required_capabilities"):
        violations.at_most(f"policy.{field}", len(getattr(message, field)), MAX_LIST, "entries")
    for index, each in enumerate(message.required_capabilities):
        field = f"policy.required_capabilities[{index}]"
        violations.number_of(field, each, _CAPABILITIES)


def _check_tiers(message: pb.RoutingPolicy, choice: ModelChoice, violations: Violations) -> None:
    for field in ("tier", "min_tier", "max_tier"):
        violations.number_of(f"policy.{field}", getattr(message, field), _TIERS)
    if message.min_tier and message.max_tier and message.min_tier > message.max_tier:
        violations.add("policy.min_tier", "must not be above policy.max_tier")
    if choice.tier is not None and message.tier and int(message.tier) != int(choice.tier):
        violations.add("policy.tier", "contradicts request.model")


def _weights(
    message: pb.RoutingPolicy, choice: ModelChoice, violations: Violations
) -> tuple[str, Weights | None]:
    if message.HasField("weights"):
        return EXPLICIT_POLICY, _explicit(message.weights, violations)
    if message.name and choice.policy and message.name != choice.policy:
        violations.add("policy.name", "contradicts request.model")
    name = message.name or choice.policy or DEFAULT_POLICY
    return name, NAMED_WEIGHTS.get(name)


def _explicit(message: pb.PolicyWeights, violations: Violations) -> Weights | None:
    weights = Weights(message.quality, message.cost, message.latency, message.risk)
    for name, weight in weights._asdict().items():
        violations.at_least(f"policy.weights.{name}", weight, 0)
    if not any(weights):
        violations.add("policy.weights", "must not all be 0")
    is_usable = all(0 <= weight < float("inf") for weight in weights) and any(weights)
    return scaled(weights) if is_usable else None


def from_policy(policy: Policy) -> pb.RoutingPolicy:
    """Return the policy as applied, to be shown in a decision."""
    message = pb.RoutingPolicy(
        name=policy.name,
        weights=pb.PolicyWeights(**policy.weights._asdict()),
        max_cost_picodollars=policy.max_cost_picodollars,
        min_quality=policy.min_quality,
        tier=_number(policy.tier),
        min_tier=_number(policy.min_tier),
        max_tier=_number(policy.max_tier),
        allowed_providers=sorted(policy.allowed_providers),
        denied_providers=sorted(policy.denied_providers),
        baseline=policy.baseline,
        session_id=policy.session_id,
        allow_unpriced=policy.allow_unpriced,
        allow_free=policy.allow_free,
        region=policy.region,
        required_capabilities=[
            CapabilityProto.ValueType(each)
            for each in capability.members(policy.required_capabilities)
        ],
        task_type=policy.task_type,
    )
    if policy.max_latency_seconds is not None:
        message.max_latency.FromTimedelta(timedelta(seconds=policy.max_latency_seconds))
    return message


def _number(tier: Tier | None) -> "pb.Tier.ValueType":
    return pb.TIER_UNSPECIFIED if tier is None else pb.Tier.ValueType(tier)
