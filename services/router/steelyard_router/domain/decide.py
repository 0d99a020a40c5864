"""The decision: from quoted offers and a policy to an order of candidates. Pure, and told why."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from steelyard_router.domain.catalog import Offer
from steelyard_router.domain.health import (
    Condition,
    OfferHealth,
    condition_at,
    expected_attempts,
    expected_seconds,
)
from steelyard_router.domain.policy import Policy
from steelyard_router.domain.rates import Cost
from steelyard_router.domain.rejection import Rejection, RejectionReason
from steelyard_router.domain.shortlist import too_expensive, too_slow
from steelyard_router.domain.utility import Utility, utility

POLICY_VERSION = "2026-11.1"
"""Version of the rules in this module and of the scales of `utility`."""

MAX_ATTEMPTS = 3
MAX_PROVIDERS = 2


class Quoted(NamedTuple):
    """A shortlisted offer with the answers about it."""

    offer: Offer
    quality: float
    """Score for the task."""
    trusted_quality: float
    cost: Cost | None
    """None when the offer is unpriced."""
    is_price_estimated: bool
    health: OfferHealth
    key_present: bool


class Candidate(NamedTuple):
    """An offer that could serve the request, with its value."""

    offer: Offer
    cost: Cost | None
    is_price_estimated: bool
    health: float
    quality: float
    latency_seconds: float
    key_present: bool
    utility: Utility
    wait_seconds: float
    """How long its provider asks to wait; 0 outside of panic."""
    risked_cost: float
    """Cost that counts: with the attempts that the health makes likely."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Candidates, best first, and those that were asked about in vain."""

    candidates: tuple[Candidate, ...]
    rejected: tuple[Rejection, ...]
    unhealthy_count: int = 0
    """Offers that nothing but their health kept out."""
    retry_time: datetime | None = None
    """When the first of them may be tried."""


def decide(
    quoted: Iterable[Quoted], policy: Policy, *, output_tokens: int, now: datetime
) -> Verdict:
    """Order the offers that meet the policy's limits by their value.

    Offers whose circuit is open or that ask to wait are left out, unless there are no others: then
    the one that is back first is the least bad. Offers taken out by hand are never tried.
    """
    rejected: list[Rejection] = []
    healthy: list[Quoted] = []
    away: list[tuple[Quoted, Condition]] = []
    for each in quoted:
        problem = _beyond_limits(each, policy, output_tokens)
        condition = condition_at(each.health, now)
        if problem is not None:
            rejected.append(problem)
        elif condition is Condition.OPEN_TO_REQUESTS:
            healthy.append(each)
        else:
            away.append((each, condition))
    tried = healthy or [each for each, condition in away if condition != Condition.MAINTENANCE]
    kept = {each.offer.offer for each in tried}
    rejected += [_unhealthy(*each) for each in away if each[0].offer.offer not in kept]
    candidates = [_valued(each, policy, output_tokens, now) for each in tried]
    return Verdict(
        candidates=tuple(sorted(candidates, key=_order)),
        rejected=tuple(sorted(rejected)),
        unhealthy_count=len(away),
        retry_time=min((h.retry_time for h in _healths(away) if h.retry_time), default=None),
    )


def fallbacks(candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """Return where to go when the first candidate fails: elsewhere first, at most two providers.

    What keeps one offer from answering often is its provider's trouble.
    """
    chosen, *others = candidates
    elsewhere = [each for each in others if each.offer.provider != chosen.offer.provider]
    providers = {chosen.offer.provider, *(each.offer.provider for each in elsewhere[:1])}
    first = elsewhere[: MAX_PROVIDERS - 1]
    rest = [each for each in others if each.offer.provider in providers and each not in first]
    return tuple((*first, *rest)[: MAX_ATTEMPTS - 1])


def _order(candidate: Candidate) -> tuple[object, ...]:
    """Sort by value; equal ones by cost, time, quality, health, name."""
    return (
        candidate.cost is None,
        candidate.wait_seconds,
        -candidate.utility.total,
        candidate.risked_cost,
        candidate.latency_seconds,
        -candidate.quality,
        -candidate.health,
        candidate.offer.offer,
    )


def _beyond_limits(quoted: Quoted, policy: Policy, output_tokens: int) -> Rejection | None:
    is_free = policy.max_cost_picodollars is None and policy.max_latency_seconds is None
    if is_free and quoted.cost is not None:
        return None
    reason, detail = _problem(quoted, policy, output_tokens)
    return Rejection(quoted.offer.offer, reason, detail) if reason is not None else None


def _problem(
    quoted: Quoted, policy: Policy, output_tokens: int
) -> tuple[RejectionReason | None, str]:
    most = policy.max_cost_picodollars
    if quoted.cost is None and not policy.allow_unpriced:
        return RejectionReason.UNPRICED, "No source publishes its price."
    if quoted.cost is None and most is not None:
        return RejectionReason.UNPRICED, "Its price is not known, and the cost is limited."
    if quoted.cost is not None and most is not None and quoted.cost.total > most:
        return RejectionReason.TOO_EXPENSIVE, too_expensive(quoted.cost.total, most)
    slowest = policy.max_latency_seconds
    if slowest is not None and quoted.health.is_timed:
        seconds = expected_seconds(quoted.health, output_tokens)
        if seconds > slowest:
            return RejectionReason.TOO_SLOW, too_slow(seconds, slowest)
    return None, ""


def _unhealthy(quoted: Quoted, condition: Condition) -> Rejection:
    retry_time = quoted.health.retry_time
    until = f" until {retry_time:%H:%M:%S} UTC" if retry_time else ""
    if condition is Condition.RATE_LIMITED:
        reason, what = RejectionReason.RATE_LIMITED, "Its provider asks to wait"
    elif condition is Condition.MAINTENANCE:
        reason, what = RejectionReason.CIRCUIT_OPEN, "Taken out by hand"
    else:
        reason, what = RejectionReason.CIRCUIT_OPEN, "Its circuit is open"
    return Rejection(quoted.offer.offer, reason, f"{what}{until}.")


def _healths(away: Iterable[tuple[Quoted, Condition]]) -> Iterable[OfferHealth]:
    return (quoted.health for quoted, _ in away)


def _valued(quoted: Quoted, policy: Policy, output_tokens: int, now: datetime) -> Candidate:
    offer, health = quoted.offer, quoted.health
    latency = expected_seconds(health, output_tokens)
    total = quoted.cost.total if quoted.cost is not None else 0
    risked = total * expected_attempts(health.success_rate)
    wait = 0.0
    if health.condition is not Condition.OPEN_TO_REQUESTS and health.retry_time is not None:
        wait = max(0.0, (health.retry_time - now).total_seconds())
    value = utility(
        policy.weights,
        quality=quoted.trusted_quality,
        cost_picodollars=risked,
        latency_seconds=latency,
        health=health.score,
    )
    return Candidate(
        offer,
        quoted.cost,
        quoted.is_price_estimated,
        health.score,
        quoted.quality,
        latency,
        quoted.key_present,
        value,
        wait,
        risked,
    )
