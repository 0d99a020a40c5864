"""When sources are read by themselves."""

from collections.abc import Callable
from datetime import datetime, timedelta

from steelyard_pricing.domain.source import SourceState

JITTER = 0.1
FIRST_RETRY = timedelta(minutes=1)
MAX_DOUBLINGS = 20


def due_time(
    state: SourceState, *, time_to_live: timedelta, random: Callable[[], float]
) -> datetime | None:
    """Return when to read a source next; None means now.

    After a success that is one time to live later, give or take a tenth, so that replicas do not
    ask together. After failures it is a minute, doubled with each, up to the time to live.

    Args:
        state: How reading it went.
        time_to_live: How long prices count as fresh.
        random: Returns a number from 0 up to 1.
    """
    failures = state.consecutive_failures
    if failures and state.last_attempt_time is not None:
        pause = min(FIRST_RETRY * 2 ** min(failures - 1, MAX_DOUBLINGS), time_to_live)
        return state.last_attempt_time + _jittered(pause, random)
    if state.last_success_time is None:
        return None
    return state.last_success_time + _jittered(time_to_live, random)


def _jittered(span: timedelta, random: Callable[[], float]) -> timedelta:
    return span * (1 + JITTER * (2 * random() - 1))
