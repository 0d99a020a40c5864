"""Which offers may be tried now: circuits, probes, ramp-up, waits, and panic."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b

from steelyard_router.domain.health import Condition, condition_at, presumed_well
from steelyard_router.domain.quoted import Quoted
from steelyard_router.domain.rejection import Rejection, RejectionReason

_DRAW_BITS = 53
"""As many as a float holds, so that a draw never rounds up to 1."""


@dataclass(frozen=True, slots=True)
class Admission:
    """Offers that may be tried, and those that may not."""

    tried: Sequence[Quoted]
    probes: Sequence[Quoted]
    """May be tried, but only as the first choice; shown as if they were well."""
    rejected: Sequence[Rejection]
    is_panic: bool = False
    """Whether circuits were ignored because most of them are open."""
    unhealthy_count: int = 0
    """Offers that nothing but their health keeps out, or would if there were others."""
    retry_time: datetime | None = None
    """When the first of those may be tried."""


def admit(fitting: Iterable[Quoted], *, decision_id: str, now: datetime) -> Admission:
    """Part offers that fit a request by whether they may be tried now.

    - An offer that recovers takes part in the share of decisions that its health grants it, unless
      there is no other that is well.
    - One whose circuit is half-open may be the first choice; its permit is for one request.
    - When the circuits of more than half are open, the fault is likely to lie nearer than the
      offers: then circuits are ignored, those of offers that recover too.
    - One whose provider asks to wait is tried when nothing else is left; one that was taken out by
      hand never is.

    Args:
        fitting: Offers that meet all other conditions.
        decision_id: Makes the draw of an offer that recovers.
        now: For waits that are over.
    """
    well: list[Quoted] = []
    recovering: list[Quoted] = []
    away: defaultdict[Condition, list[Quoted]] = defaultdict(list)
    for each in fitting:
        health = each.health
        condition = condition_at(health, now)
        if condition is not Condition.OPEN_TO_REQUESTS:
            away[condition].append(each)
        elif health.traffic_share < 1.0 and not _is_drawn(decision_id, each):
            recovering.append(each)
        else:
            well.append(each)
    if not away and (well or not recovering):
        return Admission(well, (), [_held_back(each) for each in recovering])
    return _admitted(well, recovering, away, now)


def draw(decision_id: str, offer: str) -> float:
    """Return a number from 0 to below 1 that is the same whenever the two are."""
    digest = blake2b(f"{decision_id} {offer}".encode(), digest_size=8).digest()
    return (int.from_bytes(digest) >> (64 - _DRAW_BITS)) / (1 << _DRAW_BITS)


def waits_for_probe(offer: str) -> Rejection:
    """Return what to say of a half-open offer that did not come first."""
    return Rejection(offer, RejectionReason.CIRCUIT_OPEN, "Its circuit waits for a probe.")


def _admitted(
    well: Sequence[Quoted],
    recovering: Sequence[Quoted],
    away: defaultdict[Condition, list[Quoted]],
    now: datetime,
) -> Admission:
    probes = [_as_if_well(each) for each in away[Condition.HALF_OPEN]]
    broken, limited = away[Condition.CIRCUIT_OPEN], away[Condition.RATE_LIMITED]
    closed_count = len(well) + len(recovering) + len(probes)
    is_panic = len(broken) > closed_count
    tried = [*well, *recovering, *broken] if is_panic else [*(well or recovering)]
    rejected: list[Rejection] = []
    if not is_panic:
        rejected += [_unhealthy(each, Condition.CIRCUIT_OPEN) for each in broken]
        rejected += [_held_back(each) for each in recovering if well]
    if tried or probes:
        rejected += [_unhealthy(each, Condition.RATE_LIMITED) for each in limited]
    else:
        tried = limited
    rejected += [_unhealthy(each, Condition.MAINTENANCE) for each in away[Condition.MAINTENANCE]]
    gone = [each for part in away.values() for each in part]
    return Admission(
        tried=tried,
        probes=probes,
        rejected=rejected,
        is_panic=is_panic,
        unhealthy_count=len(gone),
        retry_time=_first_after(now, (each.health.retry_time for each in gone)),
    )


def _first_after(now: datetime, instants: Iterable[datetime | None]) -> datetime | None:
    """Return the first instant to come: a maintenance may outlast a wait that was told of."""
    return min((each for each in instants if each is not None and each > now), default=None)


def _is_drawn(decision_id: str, quoted: Quoted) -> bool:
    return draw(decision_id, quoted.offer.offer) < quoted.health.traffic_share


def _as_if_well(quoted: Quoted) -> Quoted:
    return quoted._replace(health=presumed_well(quoted.health))


def _held_back(quoted: Quoted) -> Rejection:
    share = quoted.health.traffic_share
    detail = f"Recovering: takes {100 * share:.0f} % of its usual traffic."
    return Rejection(quoted.offer.offer, RejectionReason.CIRCUIT_OPEN, detail)


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
