"""In what state an offer or provider is, from its last outcomes and its window."""

import enum
from math import inf

FAILURES_TO_UNHEALTHY = 5
SUCCESSES_TO_HEALTHY = 10
DEGRADED_PERCENT = 10
UNHEALTHY_PERCENT = 30
MIN_RATE_SAMPLES = 11
"""Error rates of fewer samples say nothing."""

MAX_RETRY_AFTER_SECONDS = 120.0
DEFAULT_RETRY_AFTER_SECONDS = 10.0
"""When a 429 names no time that makes sense."""


class HealthState(enum.IntEnum):
    """How well an offer or provider does; numbered as in the contract."""

    UNKNOWN = 1
    HEALTHY = 2
    DEGRADED = 3
    UNHEALTHY = 4
    RATE_LIMITED = 5
    MAINTENANCE = 6
    """Taken out by hand; no state machine says so."""


BAD_STATES = frozenset({HealthState.DEGRADED, HealthState.UNHEALTHY, HealthState.RATE_LIMITED})


def wait_seconds(retry_after_seconds: float | None) -> float:
    """Return how long to stay away after a 429."""
    if retry_after_seconds is None or not 0 <= retry_after_seconds < inf:
        return DEFAULT_RETRY_AFTER_SECONDS
    return min(retry_after_seconds, MAX_RETRY_AFTER_SECONDS)


class StateMachine:
    """Remembers runs of equal results and the deadline of a 429; rates come from the window.

    Five failures in a row mean unhealthy, until ten successes in a row or until the run has left
    the window. What has left the window never counts, so that every state passes by itself.
    """

    __slots__ = ("_failures", "_successes", "_unhealthy_until", "limited_until")

    def __init__(self) -> None:
        self._failures = 0
        self._successes = 0
        self._unhealthy_until = -inf
        self.limited_until = -inf
        """Not before this instant, from Retry-After."""

    def succeed(self, *, successes_before: int) -> None:
        """Note a success; `successes_before` are those that the window had until now."""
        self._failures = 0
        self._successes = min(self._successes, successes_before) + 1
        if self._successes >= SUCCESSES_TO_HEALTHY:
            self._unhealthy_until = -inf

    def fail(self, *, failures_before: int, forgotten_at: float) -> None:
        """Note a failure that leaves the window at `forgotten_at`."""
        self._successes = 0
        self._failures = min(self._failures, failures_before) + 1
        if self._failures >= FAILURES_TO_UNHEALTHY:
            self._unhealthy_until = max(self._unhealthy_until, forgotten_at)

    def limit(self, until: float) -> None:
        """Note a 429. The later deadline stays, whatever is reported after it."""
        self.limited_until = max(self.limited_until, until)

    def failures_in_row(self, failures: int) -> int:
        """Return the failures since the last success, of `failures` in the window."""
        return min(self._failures, failures)

    def successes_in_row(self, successes: int) -> int:
        """Return the successes since the last failure, of `successes` in the window."""
        return min(self._successes, successes)

    def is_limited(self, now: float) -> bool:
        """Say whether the provider asked to stay away."""
        return now < self.limited_until

    def state(self, now: float, *, successes: int, failures: int) -> HealthState:
        """Return the state, given what the window holds."""
        if self.is_limited(now):
            return HealthState.RATE_LIMITED
        return self.state_apart_from_limits(now, successes=successes, failures=failures)

    def state_apart_from_limits(self, now: float, *, successes: int, failures: int) -> HealthState:
        """Return what the state were had there been no 429."""
        if not successes + failures:
            return HealthState.UNKNOWN
        if now < self._unhealthy_until:
            return HealthState.UNHEALTHY
        if self.successes_in_row(successes) >= SUCCESSES_TO_HEALTHY:
            return HealthState.HEALTHY
        return _state_of_rate(successes, failures)


def _state_of_rate(successes: int, failures: int) -> HealthState:
    samples = successes + failures
    if samples < MIN_RATE_SAMPLES or failures * 100 < DEGRADED_PERCENT * samples:
        return HealthState.HEALTHY
    if failures * 100 < UNHEALTHY_PERCENT * samples:
        return HealthState.DEGRADED
    return HealthState.UNHEALTHY
