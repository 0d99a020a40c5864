"""A routing request as far as it matters here, and the decision about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from steelyard_router.domain.decide import Candidate
from steelyard_router.domain.policy import Policy
from steelyard_router.domain.rates import Cost
from steelyard_router.domain.rejection import Rejection, RejectionReason
from steelyard_router.domain.requirements import RequestShape
from steelyard_router.domain.tier import Tier
from steelyard_router.domain.usage import OutputForecast, Usage

PINNED = "request"
"""Classifier of a decision whose tier the request named."""


@dataclass(frozen=True, slots=True)
class RouteOrder:
    """What is to be decided."""

    shape: RequestShape
    policy: Policy
    named_model: str = ""
    """Model or offer that the request insists on; empty leaves the choice free."""
    max_rejected: int | None = None
    """How many rejected offers to list; None lists all."""


@dataclass(frozen=True, slots=True)
class TierChoice:
    """The tier of a request and where it comes from."""

    tier: Tier
    score: int
    classifier: str


@dataclass(frozen=True, slots=True)
class Versions:
    """Data behind a decision."""

    prices: int
    catalog: int
    health: int


@dataclass(frozen=True, slots=True)
class Staleness:
    """Which of that data is not the present one."""

    prices: bool
    health: bool
    catalog: bool


@dataclass(frozen=True, slots=True)
class Decision:
    """Where a request goes, and all that explains it."""

    decision_id: str
    create_time: datetime
    candidates: tuple[Candidate, ...]
    """Best first; the first one is chosen."""
    fallbacks: tuple[Candidate, ...]
    rejected: tuple[Rejection, ...]
    rejection_counts: Mapping[RejectionReason, int]
    tier: TierChoice
    usage: Usage
    output: OutputForecast
    policy: Policy
    stale: Staleness
    versions: Versions
    reason: str
    named_model: str = ""
    is_floor_relaxed: bool = False
    baseline_cost: Cost | None = None
    probe_permit: str = ""
    """For the half-open circuit of the chosen offer; empty when it has none."""
    is_panic: bool = False
    """Whether circuits were ignored because most of them are open."""
