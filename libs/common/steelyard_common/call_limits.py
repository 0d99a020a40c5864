"""What one server allows; apart, so that who only calls need not load a server."""

from dataclasses import dataclass

MAX_MESSAGE_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLimits:
    """What one server allows."""

    unary_deadline_seconds: float = 10.0
    """Deadline of a unary call whose caller set none."""
    stream_deadline_seconds: float = 600.0
    """Deadline of a streaming call whose caller set none."""
    max_deadline_seconds: float = 600.0
    """No call runs longer, whatever its caller asked for."""
    max_concurrent_calls: int = 1024
    """Calls beyond are refused with OVERLOADED at once."""
