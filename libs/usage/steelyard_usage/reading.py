"""What the readers of all formats end with."""

from dataclasses import dataclass, field

from steelyard_usage.counts import MAX_COUNT, UsageCounts
from steelyard_usage.provider_usage import DelegatedUsage, ProviderUsage, UsageFlag
from steelyard_usage.reported_cost import read_cost
from steelyard_usage.shares import Completion, Prompt
from steelyard_usage.untrusted import Section, UsageFormatError, UsageProblem

_REQUEST = UsageCounts(request_count=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a format's reader found."""

    prompt: Prompt
    completion: Completion
    total: int | None = None
    """The provider's own sum of both, None when it does not tell."""
    others: UsageCounts = field(default_factory=UsageCounts)
    """What is no token, and tokens that neither of the two has."""
    delegated: tuple[DelegatedUsage, ...] = ()
    flags: frozenset[UsageFlag] = frozenset()

    def usage(self, body: Section) -> ProviderUsage:
        """Return the classes, and all that speaks against them.

        Args:
            body: Where the provider may also tell a cost.

        Raises:
            UsageFormatError: Together the counts exceed what the contract can carry.
        """
        cost, is_cost_readable = read_cost(body)
        doubts = {
            UsageFlag.PART_EXCEEDS_WHOLE: self.prompt.is_overdrawn or self.completion.is_overdrawn,
            UsageFlag.TOTAL_MISMATCH: self.total is not None
            and self.total != self.prompt.whole + self.completion.whole,
            UsageFlag.COST_UNREADABLE: not is_cost_readable,
        }
        return ProviderUsage(
            counts=checked(
                self.prompt.counts() + self.completion.counts() + self.others + _REQUEST
            ),
            delegated=self.delegated,
            cost=cost,
            flags=self.flags | {flag for flag, holds in doubts.items() if holds},
        )


def checked(counts: UsageCounts) -> UsageCounts:
    """Return counts whose every sum the contract can carry.

    Raises:
        UsageFormatError: Counts that are possible one by one are not together.
    """
    if max(counts.prompt_tokens, counts.completion_tokens) > MAX_COUNT:
        raise UsageFormatError("usage", UsageProblem.TOO_LARGE)
    return counts
