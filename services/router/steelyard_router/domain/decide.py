"""The decision: from quoted offers and a policy to an order of candidates. Pure, and told why."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from steelyard_router.domain.admission import admit, draw, waits_for_probe
from steelyard_router.domain.catalog import Offer
from steelyard_router.domain.health import Condition, expected_attempts, expected_seconds
from steelyard_router.domain.policy import Policy
from steelyard_router.domain.quoted import Quoted
from steelyard_router.domain.rates import Cost
from steelyard_router.domain.rejection import Rejection, RejectionReason
from steelyard_router.domain.shortlist import too_expensive, too_slow
from steelyard_router.domain.utility import Utility, utility

POLICY_VERSION = "2026-11.3"
"""Version of the rules in this module and in `admission`, and of the scales of `utility`."""

STATUS_PAGES = "status pages"
STATUS_PAGE_SHARE = 0.5
"""Decisions in which status pages count: so none takes away more than half of anybody's traffic,
and the other half goes on measuring whether the page is right."""

MAX_ATTEMPTS = 3
MAX_PROVIDERS = 2


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
    """How long its provider asks to wait; 0 unless all that are left ask for that."""
    risked_cost: float
    """Cost that counts: with the attempts that the health makes likely."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Candidates, best first, and those that were asked about in vain."""

    candidates: tuple[Candidate, ...]
    rejected: tuple[Rejection, ...]
    is_probe: bool = False
    """Whether the first candidate may only be tried with a permit for its half-open circuit."""
    is_panic: bool = False
    """Whether circuits were ignored because most of them are open."""
    unhealthy_count: int = 0
    """Offers that nothing but their health kept out."""
    retry_time: datetime | None = None
    """When the first of them may be tried."""


def decide(
    quoted: Iterable[Quoted],
    policy: Policy,
    *,
    decision_id: str,
    output_tokens: int,
    now: datetime,
) -> Verdict:
    """Order the offers that meet the policy's limits and may be tried now by their value.

    Args:
        quoted: The offers. Those with half-open circuits are the ones that there is a permit for.
        policy: Limits and weights.
        decision_id: Decides which offers that recover take part.
        output_tokens: Expected completion.
        now: For waits that are over.
    """
    rejected: list[Rejection] = []
    fitting: list[Quoted] = []
    for each in quoted:
        problem = _beyond_limits(each, policy, output_tokens)
        if problem is None:
            fitting.append(each)
        else:
            rejected.append(problem)
    admission = admit(fitting, decision_id=decision_id, now=now)
    tried = (*admission.tried, *admission.probes)
    is_heard = draw(decision_id, STATUS_PAGES) < STATUS_PAGE_SHARE
    candidates = sorted(
        (_valued(each, policy, output_tokens, now, is_heard=is_heard) for each in tried),
        key=_order,
    )
    is_probe = False
    if admission.probes:
        probed = {each.offer.offer for each in admission.probes}
        is_probe = candidates[0].offer.offer in probed
        waiting = probed - {candidates[0].offer.offer}
        candidates = [each for each in candidates if each.offer.offer not in waiting]
        rejected += map(waits_for_probe, sorted(waiting))
    return Verdict(
        candidates=tuple(candidates),
        rejected=tuple(sorted([*rejected, *admission.rejected])),
        is_probe=is_probe,
        is_panic=admission.is_panic,
        unhealthy_count=admission.unhealthy_count,
        retry_time=admission.retry_time,
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


def _valued(
    quoted: Quoted, policy: Policy, output_tokens: int, now: datetime, *, is_heard: bool
) -> Candidate:
    offer, health = quoted.offer, quoted.health
    latency = expected_seconds(health, output_tokens)
    total = quoted.cost.total if quoted.cost is not None else 0
    risked = total * expected_attempts(health.success_rate)
    wait = 0.0
    if health.condition is Condition.RATE_LIMITED and health.retry_time is not None:
        wait = max(0.0, (health.retry_time - now).total_seconds())
    value = utility(
        policy.weights,
        quality=quoted.trusted_quality,
        cost_picodollars=risked,
        latency_seconds=latency,
        health=health.score if is_heard else health.measured_score,
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
