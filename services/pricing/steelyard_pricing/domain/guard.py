"""Whether a new body of a source may replace the last good one.

Further guards (changes of single entries, shifts of the whole catalogue) belong here: a refresh
calls `check` between parsing and publishing, and nothing reaches a snapshot around it.
"""

from collections.abc import Sequence

from steelyard_pricing.domain.rates import PriceFact
from steelyard_pricing.domain.refusal import SourceRefusedError

MIN_KEPT_PERCENT = 95


def check(new: Sequence[PriceFact], last_good: Sequence[PriceFact]) -> None:
    """Accept the facts of a new body, or not.

    Raises:
        SourceRefusedError: Much of what the last good body had is gone.
    """
    if _is_far_less(len(new), len(last_good)):
        raise SourceRefusedError(
            "shrunk", f"it names {len(new)} offers, the last good copy {len(last_good)}"
        )
    priced, priced_before = _priced(new), _priced(last_good)
    if not priced or _is_far_less(priced, priced_before):
        raise SourceRefusedError(
            "unpriced",
            f"it has usable prices of {priced} offers, the last good copy of {priced_before}",
        )


def _is_far_less(count: int, before: int) -> bool:
    return count * 100 < before * MIN_KEPT_PERCENT


def _priced(facts: Sequence[PriceFact]) -> int:
    return sum(fact.is_priced for fact in facts)
