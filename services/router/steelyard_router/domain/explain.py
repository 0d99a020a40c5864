"""A decision in one sentence for people."""

from collections.abc import Sequence

from steelyard_router.domain.decide import Candidate
from steelyard_router.domain.utility import PICODOLLARS_PER_USD

_SAME_QUALITY = 0.5


def reason_for(candidates: Sequence[Candidate], *, is_panic: bool = False) -> str:
    """Return why the first candidate was chosen, and what the next best one would change.

    Args:
        candidates: Best first.
        is_panic: Whether circuits were ignored because most of them are open.
    """
    panic = "; circuits were ignored because most are open" if is_panic else ""
    chosen = candidates[0]
    cost = _usd(chosen)
    price = f"for {cost} USD expected" if cost else "at an unknown price"
    first = f"{chosen.offer.model} at {chosen.offer.provider}: quality {chosen.quality:.3g} {price}"
    if len(candidates) == 1:
        return f"{first}; no other offer can serve this request{panic}."
    difference = _difference(chosen, candidates[1])
    return f"{first}; next best {candidates[1].offer.offer} {difference}{panic}."


def _usd(candidate: Candidate) -> str:
    return f"{candidate.cost.total / PICODOLLARS_PER_USD:.2g}" if candidate.cost else ""


def _difference(chosen: Candidate, other: Candidate) -> str:
    points = other.quality - chosen.quality
    if abs(points) < _SAME_QUALITY:
        quality = "at equal quality"
    else:
        quality = f"at {abs(points):.3g} points {'more' if points > 0 else 'less'} quality"
    return f"{_cost_difference(chosen, other)} {quality}"


def _cost_difference(chosen: Candidate, other: Candidate) -> str:
    if other.cost is None:
        return "has no known price,"
    if chosen.cost is None or chosen.cost.total == 0:
        return f"costs {_usd(other)} USD"
    change = other.cost.total / chosen.cost.total - 1
    if abs(change) < 0.005:  # noqa: PLR2004 - less than what is printed
        return "costs the same"
    return f"costs {abs(change):.0%} {'more' if change > 0 else 'less'}"
