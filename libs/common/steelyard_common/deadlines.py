"""How long one call may take, and how much of that is left for the calls it makes."""

from typing import Any, Protocol


class HasTimeRemaining(Protocol):
    """A gRPC context, as far as its deadline goes."""

    def time_remaining(self) -> Any:
        """Return the seconds that are left, or None when the caller set no deadline."""


def remaining(context: HasTimeRemaining, limit_seconds: float) -> float:
    """Return the `timeout` for an outgoing call: the setting, cut to what the caller has left."""
    left = context.time_remaining()
    return limit_seconds if left is None else max(0.0, min(left, limit_seconds))


def server_limit(
    context: HasTimeRemaining, *, default_seconds: float, max_seconds: float
) -> float | None:
    """Return the deadline that the server itself has to watch, None when gRPC watches a shorter."""
    left = context.time_remaining()
    if left is None:
        return min(default_seconds, max_seconds)
    return max_seconds if left > max_seconds else None
