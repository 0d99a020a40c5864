"""What a client wants of the choice, in the terms of the REST contract."""

from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Literal

from google.protobuf.duration_pb2 import Duration
from msgspec import Meta, Struct

from steelyard.common.v1.model_traits_pb2 import Capability
from steelyard.router.v1.decision_pb2 import PolicyWeights, RoutingPolicy, Tier
from steelyard_common.errors import InvalidFieldError
from steelyard_common.money import to_picodollars
from steelyard_edge.inputs.enum_names import CAPABILITIES

MAX_LATENCY_MS = 24 * 3600 * 1000

TierName = Literal["micro", "standard", "versatile", "heavy", "complex"]
Weight = Annotated[float, Meta(ge=0, le=1e9)]


class Weights(Struct, frozen=True):
    """What matters; only the ratios count."""

    quality: Weight = 0.0
    cost: Weight = 0.0
    latency: Weight = 0.0
    risk: Weight = 0.0


class Providers(Struct, frozen=True):
    """Which sellers may be chosen; an empty `allow` means all."""

    allow: list[str] | None = None
    deny: list[str] | None = None


class PolicyBody(Struct, frozen=True, kw_only=True):
    """A named policy, or weights, and limits."""

    name: str | None = None
    weights: Weights | None = None
    max_cost_usd: Decimal | None = None
    max_latency_ms: Annotated[int, Meta(ge=1, le=MAX_LATENCY_MS)] | None = None
    min_quality: Annotated[float, Meta(ge=0, le=100)] | None = None
    tier: TierName | None = None
    min_tier: TierName | None = None
    max_tier: TierName | None = None
    providers: Providers | None = None
    baseline: str | None = None
    session_id: str | None = None
    allow_unpriced: bool | None = None
    allow_free: bool | None = None
    region: str | None = None
    required_capabilities: list[str] | None = None
    task_type: str | None = None


def to_policy(body: PolicyBody) -> RoutingPolicy:
    """Return the policy as the router takes it.

    Raises:
        InvalidFieldError: A limit is no amount of money, or a capability is none.
    """
    providers = body.providers or Providers()
    policy = RoutingPolicy(
        name=body.name or "",
        min_quality=body.min_quality,
        tier=_tier(body.tier),
        min_tier=_tier(body.min_tier),
        max_tier=_tier(body.max_tier),
        allowed_providers=providers.allow or (),
        denied_providers=providers.deny or (),
        baseline=body.baseline or "",
        session_id=body.session_id or "",
        allow_unpriced=bool(body.allow_unpriced),
        allow_free=bool(body.allow_free),
        region=body.region or "",
        required_capabilities=_capabilities(body.required_capabilities or []),
        task_type=body.task_type or "",
    )
    if body.weights is not None:
        policy.weights.CopyFrom(_weights(body.weights))
    if body.max_cost_usd is not None:
        policy.max_cost_picodollars = _amount(body.max_cost_usd)
    if body.max_latency_ms is not None:
        policy.max_latency.CopyFrom(_duration(body.max_latency_ms))
    return policy


def _tier(name: str | None) -> "Tier.ValueType":
    return Tier.Value(f"TIER_{(name or 'unspecified').upper()}")


def _weights(weights: Weights) -> PolicyWeights:
    return PolicyWeights(
        quality=weights.quality, cost=weights.cost, latency=weights.latency, risk=weights.risk
    )


def _amount(usd: Decimal) -> int:
    try:
        return to_picodollars(usd)
    except ValueError as error:
        raise InvalidFieldError("policy.max_cost_usd", str(error)) from None


def _duration(milliseconds: int) -> Duration:
    duration = Duration()
    duration.FromTimedelta(timedelta(milliseconds=milliseconds))
    return duration


def _capabilities(names: list[str]) -> "list[Capability.ValueType]":
    return [
        CAPABILITIES.number(name, f"policy.required_capabilities[{index}]")
        for index, name in enumerate(names)
    ]
