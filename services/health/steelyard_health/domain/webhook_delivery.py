"""When a message that was not taken is sent again."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

FIRST_WAIT = timedelta(seconds=5)
MAX_WAIT = timedelta(hours=1)
JITTER = 0.2
GIVEN_UP_AFTER = timedelta(hours=24)
"""Counted from when the message was written."""

_MAX_DOUBLINGS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookDelivery:
    """One message that is on its way."""

    delivery_id: str
    body: str
    created_time: datetime
    attempt_count: int = 0
    """Attempts that failed."""


def next_attempt(
    delivery: WebhookDelivery, now: datetime, random: Callable[[], float]
) -> datetime | None:
    """Return when to try again after one more failure; None when it is given up.

    Args:
        delivery: As it was before the failure.
        now: When the attempt ended.
        random: Numbers from 0 to 1, so that messages do not come back in step.
    """
    doubled = FIRST_WAIT * 2 ** min(delivery.attempt_count, _MAX_DOUBLINGS)
    time = now + min(doubled, MAX_WAIT) * (1 + JITTER * (2 * random() - 1))
    return time if time - delivery.created_time <= GIVEN_UP_AFTER else None
