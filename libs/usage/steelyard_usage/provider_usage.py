"""What one response used, as far as its provider told."""

from dataclasses import dataclass
from enum import StrEnum

from steelyard_usage.counts import UsageCounts


class UsageFlag(StrEnum):
    """Why a usage deserves a second look."""

    PART_EXCEEDS_WHOLE = "part_exceeds_whole"
    """More tokens were cached, of a medium or for reasoning than there were; cut to the whole."""
    REASONING_INFERRED = "reasoning_inferred"
    """The total has more than prompt and completion, which can only be hidden reasoning."""
    TOTAL_MISMATCH = "total_mismatch"
    """The provider's total is not the sum of the classes; the classes are kept."""
    PROMPT_MISSING = "prompt_missing"
    """Only the completion is told: the prompt counts as 0."""
    COST_UNREADABLE = "cost_unreadable"
    """The provider named a cost that is no amount; it is left out."""


@dataclass(frozen=True, slots=True)
class ReportedCost:
    """What the provider says the request cost, in picodollars, rounded half-even.

    Two views of the same request that are never added. None is unknown, 0 is nothing.
    """

    charged_picodollars: int | None
    """What the provider takes from its own account of the caller."""
    upstream_picodollars: int | None = None
    """What the seller behind it takes: from the caller's own key where that is brought along."""
    is_byok: bool | None = None
    """Whether the caller brought a key of the seller."""


@dataclass(frozen=True, slots=True)
class DelegatedUsage:
    """What another model used on behalf of the one that was asked, billed at the other's prices."""

    model: str
    counts: UsageCounts


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderUsage:
    """What one response used."""

    counts: UsageCounts
    """At the prices of the model that was asked; `request_count` is 1."""
    delegated: tuple[DelegatedUsage, ...] = ()
    cost: ReportedCost | None = None
    flags: frozenset[UsageFlag] = frozenset()
