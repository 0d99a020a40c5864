"""When an alert begins, gets worse and ends.

An alert is one spell of bad health of one subject: degraded or unhealthy. It ends when the subject
is healthy again or nothing is known of it. Rate limits and planned absences neither begin nor end
a spell: they say nothing of how well it does, so a spell goes on under them.
"""

import enum
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from steelyard_health.domain.change_log import WELL
from steelyard_health.domain.changes import StateChange
from steelyard_health.domain.state import HealthState
from steelyard_health.domain.subject import EVERYBODY, Subject

KEPT = timedelta(days=400)
"""How long an alert is kept after its end."""

LATE = timedelta(minutes=10)
"""What is older than the alert by no more was told late, by another replica.

What seems to be older still was told by a clock that has been set back.
"""

MAX_TENANT_ALERTS = 100
"""That may begin for one tenant within an hour: its own outcomes are whatever it says they are."""

MAX_EVIDENCE = 1000
FORGOTTEN = "Nothing is known of it any more."

_SEVERITY = {HealthState.DEGRADED: 1, HealthState.UNHEALTHY: 2}
BAD = frozenset(_SEVERITY)


class AlertStep(enum.IntEnum):
    """What happens to an alert, in this order; each at most once."""

    BEGUN = 1
    WORSENED = 2
    ENDED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One spell of bad health."""

    alert_id: str
    subject: Subject
    state: HealthState
    """The worst during the spell."""
    start_time: datetime
    end_time: datetime | None = None
    """None while it lasts."""
    evidence: str
    """The figures that led to the worst state."""

    @property
    def is_open(self) -> bool:
        return self.end_time is None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertNews:
    """What people are told."""

    step: AlertStep
    alert: Alert
    time: datetime
    evidence: str
    """The figures that led to this step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertQuery:
    """Which alerts a tenant asks for: everybody's and its own."""

    tenant_id: str
    provider: str = ""
    """Empty means all."""
    open_only: bool = False


@dataclass(frozen=True, slots=True)
class AlertPlace:
    """Where a page of alerts ends."""

    start_time: datetime
    alert_id: str


def news_of(
    change: StateChange, latest: Alert | None, wider: Iterable[Alert], alert_id: str
) -> AlertNews | None:
    """Return what a change makes of the alerts; None when nothing.

    Args:
        change: What happened.
        latest: The newest alert of the same subject.
        wider: Open alerts that everybody is told, of the same offer or its provider.
        alert_id: For one that begins.
    """
    if latest is not None and _is_late(change, latest):
        return None
    is_on = latest is not None and latest.is_open
    if change.after in WELL:
        return ended(latest, change.time, change.evidence) if latest and is_on else None
    if change.after not in BAD:
        return None
    if latest is not None and is_on:
        return _worsened(latest, change) if _is_worse(change.after, latest.state) else None
    if change.subject.tenant_id != EVERYBODY and _is_covered(change.after, wider):
        return None
    return _begun(change, alert_id)


def ended(alert: Alert, time: datetime, evidence: str) -> AlertNews:
    """Return the news that an alert is over."""
    # Clocks of replicas differ: no spell ends before it began.
    over = replace(alert, end_time=max(time, alert.start_time))
    return AlertNews(step=AlertStep.ENDED, alert=over, time=time, evidence=_short(evidence))


def _begun(change: StateChange, alert_id: str) -> AlertNews:
    evidence = _short(change.evidence)
    alert = Alert(
        alert_id=alert_id,
        subject=change.subject,
        state=change.after,
        start_time=change.time,
        evidence=evidence,
    )
    return AlertNews(step=AlertStep.BEGUN, alert=alert, time=change.time, evidence=evidence)


def _worsened(alert: Alert, change: StateChange) -> AlertNews:
    evidence = _short(change.evidence)
    worse = replace(alert, state=change.after, evidence=evidence)
    return AlertNews(step=AlertStep.WORSENED, alert=worse, time=change.time, evidence=evidence)


def _is_late(change: StateChange, alert: Alert) -> bool:
    age = (alert.end_time or alert.start_time) - change.time
    return timedelta(0) < age <= LATE


def _is_worse(state: HealthState, other: HealthState) -> bool:
    return _SEVERITY[state] > _SEVERITY[other]


def _is_covered(state: HealthState, wider: Iterable[Alert]) -> bool:
    return any(alert.is_open and not _is_worse(state, alert.state) for alert in wider)


def _short(evidence: str) -> str:
    return evidence[:MAX_EVIDENCE]
