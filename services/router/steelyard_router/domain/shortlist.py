"""The offers that prices and health are asked for: the best of a ranking that fit the request."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import chain, islice

from steelyard_router.domain.health import expected_seconds
from steelyard_router.domain.ranking import Market, Ranked, Ranking
from steelyard_router.domain.rates import card_cost
from steelyard_router.domain.rejection import Rejection, RejectionReason
from steelyard_router.domain.usage import Usage
from steelyard_router.domain.utility import PICODOLLARS_PER_USD

MAX_ASKED = 16
"""Offers that are asked about.

The ranking rests on the same prices and on the health of a second ago: an offer further down wins
only if all of these fell ill since. Asking about 32 cost a sixth of the throughput.
"""

Counts = Mapping[RejectionReason, int]


@dataclass(frozen=True, slots=True)
class Limits:
    """What exactly one request needs, beyond what its kind does."""

    usage: Usage
    max_output_tokens: int | None = None
    """Completion that the caller wants room for; None means the expected one."""
    max_cost_picodollars: int | None = None
    max_latency_seconds: float | None = None

    @property
    def window(self) -> int:
        return self.usage.prompt_tokens + self.usage.output_tokens

    @property
    def output(self) -> int:
        return max(self.usage.output_tokens, self.max_output_tokens or 0)


@dataclass(frozen=True, slots=True)
class Shortlist:
    """The offers to ask about, and what became of the others."""

    asked: tuple[Ranked, ...]
    rejected: tuple[Rejection, ...]
    """Nearest to being chosen first, at most as many as were wanted."""
    counts: Counts
    """Of all that were rejected."""
    is_floor_relaxed: bool = False


def quality_floors(tier_floors: Iterable[float], min_quality: float | None) -> tuple[float, ...]:
    """Return the floors to try: those of the tier and below it, never under `min_quality`."""
    least = min_quality or 0.0
    return tuple(dict.fromkeys(max(floor, least) for floor in tier_floors))


def shortlist(
    floors: Iterable[float],
    ranking_for: Callable[[float], Ranking],
    limits: Limits,
    market: Market,
    max_rejected: int | None,
) -> Shortlist:
    """Return the shortlist at the first floor that some offer reaches.

    Args:
        floors: Quality floors, highest first; at least one.
        ranking_for: Gives the ranking at a floor.
        limits: Of the request.
        market: Prices and health as last heard of.
        max_rejected: How many rejected offers to list; None lists all.
    """
    chosen = Shortlist((), (), {})
    for relaxations, floor in enumerate(floors):
        chosen = _select(ranking_for(floor), limits, market, max_rejected)
        if chosen.asked:
            return replace(chosen, is_floor_relaxed=relaxations > 0)
    return chosen


def _select(
    ranking: Ranking, limits: Limits, market: Market, max_rejected: int | None
) -> Shortlist:
    ranked, unfit = ranking.ranked, _unfit(ranking, limits, market)
    # Rankings are long: nobody looks at those of which nothing is said.
    fitting = (each for position, each in enumerate(ranked) if position not in unfit)
    asked = tuple(islice(fitting, MAX_ASKED))
    rejected = chain(
        (_rejection(ranked[position], limits, market) for position in sorted(unfit)),
        (each.surplus for each in fitting),
        ranking.rejected,
    )
    counts = Counter(ranking.counts)
    counts.update(unfit.values())
    if over := len(ranked) - len(unfit) - len(asked):
        counts[RejectionReason.NOT_SHORTLISTED] = over
    return Shortlist(asked, tuple(islice(rejected, max_rejected)), counts)


def _unfit(ranking: Ranking, limits: Limits, market: Market) -> dict[int, RejectionReason]:
    """Return why offers cannot serve the request, by their position."""
    small = ranking.sizes.too_small(limits.window, limits.output)
    unfit = dict.fromkeys(small, RejectionReason.CONTEXT_TOO_SMALL)
    if limits.max_cost_picodollars is not None or limits.max_latency_seconds is not None:
        for position, ranked in enumerate(ranking.ranked):
            if position not in unfit:
                reason, _ = _beyond_limits(ranked, limits, market)
                if reason is not None:
                    unfit[position] = reason
    return unfit


def _rejection(ranked: Ranked, limits: Limits, market: Market) -> Rejection:
    offer, needed = ranked.offer.offer, limits.window
    if needed > ranked.window:
        detail = f"Room for {ranked.window} tokens, {needed} are needed."
        return Rejection(offer, RejectionReason.CONTEXT_TOO_SMALL, detail)
    if limits.output > ranked.room:
        detail = f"Completions of {ranked.room} tokens at most, {limits.output} are asked for."
        return Rejection(offer, RejectionReason.CONTEXT_TOO_SMALL, detail)
    reason, detail = _beyond_limits(ranked, limits, market)
    if reason is None:
        raise AssertionError(f"{offer} fits")
    return Rejection(offer, reason, detail)


def _beyond_limits(
    ranked: Ranked, limits: Limits, market: Market
) -> tuple[RejectionReason | None, str]:
    most = limits.max_cost_picodollars
    if most is not None and ranked.card is not None:
        cost = card_cost(ranked.card, limits.usage).total
        if cost > most:
            return RejectionReason.TOO_EXPENSIVE, too_expensive(cost, most)
    slowest = limits.max_latency_seconds
    health = market.health_of(ranked.offer.offer)
    if slowest is not None and health.is_timed:
        seconds = expected_seconds(health, limits.usage.output_tokens)
        if seconds > slowest:
            return RejectionReason.TOO_SLOW, too_slow(seconds, slowest)
    return None, ""


def too_expensive(cost_picodollars: int, limit_picodollars: int) -> str:
    cost, limit = cost_picodollars / PICODOLLARS_PER_USD, limit_picodollars / PICODOLLARS_PER_USD
    return f"Expected to cost {cost:.6g} USD, the limit is {limit:.6g} USD."


def too_slow(seconds: float, limit_seconds: float) -> str:
    return f"Expected to take {seconds:.2f} s, the limit is {limit_seconds:g} s."
