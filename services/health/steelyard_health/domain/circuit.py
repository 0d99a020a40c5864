"""The circuit of an offer or provider: whether requests are let through.

A circuit is closed until calls fail, then open for a while, then half-open: one probe at a time is
let through. Three good probes close it, a bad one opens it for twice as long. A circuit never
changes: what happens to it gives the next one, with a higher revision, so that replicas can agree
by comparing revisions.
"""

import enum
from dataclasses import dataclass, replace
from math import inf

FIRST_OPEN_SECONDS = 5.0
MAX_OPEN_SECONDS = 300.0
JITTER = 0.2
"""Share by which an open time is longer or shorter, so that circuits do not move in step."""

PROBES_TO_CLOSE = 3
PERMIT_SECONDS = 30.0
"""How long a probe may take; after that another one may be sent."""

RAMP_SECONDS = 60.0
FIRST_SHARE = 0.1
"""Share of its traffic that an offer gets back at once."""

CALM_SECONDS = 30.0
"""Closed for so long takes one doubling off the next open time."""

MAX_LEVEL = 16


class CircuitState(enum.IntEnum):
    """Whether requests are let through; numbered as in the contract."""

    CLOSED = 1
    OPEN = 2
    HALF_OPEN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Circuit:
    """One circuit at one time. Instants are seconds of one monotonic clock."""

    revision: int = 0
    is_open: bool = False
    """Also while half-open: that is an open circuit whose time is over."""
    changed_at: float = -inf
    """When it last opened or closed. Calls that began before say nothing of it."""
    open_until: float = -inf
    level: int = 0
    """How many doublings the next open time has."""
    good_probes: int = 0
    permit: str = ""
    """Of the probe that is under way; empty when there is none."""
    permit_until: float = -inf

    def state_at(self, now: float) -> CircuitState:
        """Return the state at an instant."""
        if not self.is_open:
            return CircuitState.CLOSED
        return CircuitState.OPEN if now < self.open_until else CircuitState.HALF_OPEN

    def is_probed_at(self, now: float) -> bool:
        """Say whether a probe is under way."""
        return bool(self.permit) and now < self.permit_until

    def share_at(self, now: float) -> float:
        """Return the share of its usual traffic to send, 0 to 1."""
        if self.is_open:
            return 0.0
        ramp = FIRST_SHARE + (1 - FIRST_SHARE) * (now - self.changed_at) / RAMP_SECONDS
        return min(1.0, ramp)

    def is_ramping_at(self, now: float) -> bool:
        """Say whether it closed so recently that not all traffic is back."""
        return not self.is_open and now - self.changed_at < RAMP_SECONDS

    def opened(self, now: float, draw: float) -> "Circuit":
        """Return the circuit that opens.

        Args:
            now: The instant.
            draw: Random number from 0 to 1, for the jitter.
        """
        level = self._calmed_level(now)
        seconds = min(MAX_OPEN_SECONDS, FIRST_OPEN_SECONDS * 2**level)
        seconds *= 1 + JITTER * (2 * draw - 1)
        return Circuit(
            revision=self.revision + 1,
            is_open=True,
            changed_at=now,
            open_until=now + seconds,
            level=min(level + 1, MAX_LEVEL),
        )

    def permitted(self, permit: str, now: float) -> "Circuit":
        """Return the circuit while a probe is under way."""
        return replace(
            self, revision=self.revision + 1, permit=permit, permit_until=now + PERMIT_SECONDS
        )

    def probed(self, now: float, draw: float, *, is_good: bool | None) -> "Circuit":
        """Return the circuit after the probe that was under way.

        Args:
            now: The instant.
            draw: Random number from 0 to 1.
            is_good: Whether the call went well; None when it tells nothing, so that another one may
                be sent at once.
        """
        if is_good is None:
            return replace(self, revision=self.revision + 1, permit="", permit_until=-inf)
        if not is_good:
            return self.opened(now, draw)
        if self.good_probes + 1 >= PROBES_TO_CLOSE:
            return self.closed(now)
        return replace(
            self,
            revision=self.revision + 1,
            good_probes=self.good_probes + 1,
            permit="",
            permit_until=-inf,
        )

    def closed(self, now: float) -> "Circuit":
        """Return the circuit that closes; it remembers how long it was open."""
        return Circuit(revision=self.revision + 1, changed_at=now, level=self.level)

    def forgotten(self) -> "Circuit":
        """Return a circuit that is closed and remembers nothing: a reset by hand."""
        return Circuit(revision=self.revision + 1)

    def _calmed_level(self, now: float) -> int:
        if self.is_open or not self.level:
            return self.level
        return max(0, self.level - int((now - self.changed_at) // CALM_SECONDS))


NEW_CIRCUIT = Circuit()
