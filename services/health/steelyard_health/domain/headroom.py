"""What is left of a rate limit, for as long as it is worth something."""

from steelyard_health.domain.outcome import Headroom
from steelyard_health.domain.state import MAX_RETRY_AFTER_SECONDS

WORTH_SECONDS = 60.0
"""Limits are mostly per minute."""


class HeadroomGauge:
    """The latest word of the provider."""

    __slots__ = ("_ended_at", "_share", "_until")

    def __init__(self) -> None:
        self._share = 1.0
        self._ended_at = 0.0
        self._until = 0.0

    def note(self, headroom: Headroom, ended_at: float) -> float | None:
        """Take in what a call was told and return until when to stay away, if nothing is left."""
        if ended_at < self._ended_at:
            return None
        reset = headroom.reset_seconds
        self._share, self._ended_at = headroom.share, ended_at
        self._until = ended_at + (WORTH_SECONDS if reset is None else reset)
        if headroom.share > 0 or reset is None:
            return None
        return ended_at + min(reset, MAX_RETRY_AFTER_SECONDS)

    def share_at(self, now: float) -> float | None:
        """Return the share that is left, None when nobody knows."""
        return self._share if now < self._until else None

    def until(self, now: float) -> float:
        """Return until when the answer stays, if nothing happens."""
        return self._until if now < self._until else float("inf")
