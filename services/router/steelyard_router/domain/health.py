"""How well an offer answers now, as far as a decision needs it."""

from datetime import datetime
from enum import IntEnum
from typing import NamedTuple

DEFAULT_FIRST_TOKEN_SECONDS = 1.1
DEFAULT_TOKENS_PER_SECOND = 45.0
"""What an offer is taken for that nobody has timed.

Medians over 9,370 half hours of 2026-07-23, each the median of one endpoint at OpenRouter.
"""


class Condition(IntEnum):
    """Whether requests may be sent."""

    OPEN_TO_REQUESTS = 0
    RATE_LIMITED = 1
    CIRCUIT_OPEN = 2
    MAINTENANCE = 3
    HALF_OPEN = 4
    """One request may probe the circuit; who has no permit for that takes it for open."""


class OfferHealth(NamedTuple):
    """Health of one offer; the defaults are those of an offer nobody has reported on."""

    score: float = 1.0
    success_rate: float = 1.0
    condition: Condition = Condition.OPEN_TO_REQUESTS
    retry_time: datetime | None = None
    """Not before this instant; None means now."""
    latency_seconds: float | None = None
    """Median time to the whole answer."""
    first_token_seconds: float | None = None
    """Median time to the first token."""
    tokens_per_second: float | None = None
    """Median speed after the first token."""
    traffic_share: float = 1.0
    """Share of its usual traffic that it may get while it recovers, 0 to 1."""
    status_factor: float = 1.0
    """What its provider's status page makes of the score, 0.5 to 1; the score has it in it."""

    @property
    def measured_score(self) -> float:
        """The score without the status page."""
        return min(1.0, self.score / self.status_factor) if self.status_factor < 1.0 else self.score

    @property
    def is_timed(self) -> bool:
        return self.tokens_per_second is not None or self.latency_seconds is not None


UNKNOWN = OfferHealth()


def condition_at(health: OfferHealth, now: datetime) -> Condition:
    """Return the condition; a wait that is over counts no more.

    A limit without an end lasts as long as it is reported.
    """
    return Condition.OPEN_TO_REQUESTS if is_wait_over(health, now) else health.condition


def is_wait_over(health: OfferHealth, now: datetime) -> bool:
    """Say whether an offer that could not be tried may be asked about again."""
    is_waiting = health.condition in {Condition.RATE_LIMITED, Condition.CIRCUIT_OPEN}
    return is_waiting and health.retry_time is not None and health.retry_time <= now


def presumed_well(health: OfferHealth) -> OfferHealth:
    """Return what a half-open circuit competes with: whether it fails is what a probe finds out."""
    return health._replace(score=1.0, success_rate=1.0, status_factor=1.0)


def expected_seconds(health: OfferHealth, output_tokens: int) -> float:
    """Return the time to the whole answer.

    Speed is used where it is measured, since it fits any length; else the time that whole answers
    took; else what is usual.
    """
    if health.tokens_per_second is None and health.latency_seconds is not None:
        return health.latency_seconds
    first = health.first_token_seconds
    return (DEFAULT_FIRST_TOKEN_SECONDS if first is None else first) + output_tokens / (
        health.tokens_per_second or DEFAULT_TOKENS_PER_SECOND
    )


def expected_attempts(success_rate: float) -> float:
    """Return how many of at most three attempts a request takes on average."""
    if success_rate == 1.0:
        return 1.0
    failure = 1.0 - min(1.0, max(0.0, success_rate))
    return 1.0 + failure + failure * failure
