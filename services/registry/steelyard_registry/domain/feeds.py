"""When feeds are read again, and whether what they say is accepted."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

MIN_KEPT_PERCENT = 95
FIRST_RETRY_SECONDS = 60.0
MAX_RETRY_SECONDS = 3600.0
JITTER = 0.1
# Early enough that the latest of all replicas asks before its facts are stale.
REFRESH_AT = 0.9


class DoubtedError(Exception):
    """A feed is rather broken than true; it is believed when it says the same for a day."""


class ShrunkError(DoubtedError):
    """A feed names far fewer entries than its last good copy."""


class UpheavalError(DoubtedError):
    """A feed says something else than before of too many entries."""


class ShuffledError(DoubtedError):
    """A feed of scores puts the models that it had before in quite another order."""


class SourceName(StrEnum):
    """Where facts about offers come from."""

    LITELLM = "litellm"
    OPENROUTER = "openrouter"
    MODELS_DEV = "models.dev"
    SEED = "seed"
    CUSTOM = "custom"


def check_size(count: int, before: int) -> None:
    """Accept a feed with so many entries after one with `before`, or not.

    Raises:
        ShrunkError: More than one in twenty is gone: rather a fault than the truth.
    """
    if count * 100 < before * MIN_KEPT_PERCENT:
        raise ShrunkError(f"names {count} entries, the last good copy {before}")


def is_stale(checked_time: datetime, now: datetime, ttl: timedelta) -> bool:
    """Whether facts that were confirmed at `checked_time` are too old; exactly the TTL is."""
    return now - checked_time >= ttl


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When to read a feed next."""

    ttl: timedelta

    def after_success(self, age: timedelta, luck: float) -> float:
        """Return the seconds until facts of this age are read again.

        Args:
            age: Since they were confirmed.
            luck: A random number from 0 to 1, so that replicas do not ask all at once.
        """
        interval = self.ttl.total_seconds() * REFRESH_AT
        return max(0.0, _spread(interval, luck) - age.total_seconds())

    def after_failure(self, failures: int, luck: float) -> float:
        """Return the seconds until the next try after so many failures in a row."""
        pause = FIRST_RETRY_SECONDS * 2.0 ** min(failures - 1, 16)
        limit = min(MAX_RETRY_SECONDS, self.ttl.total_seconds())
        return _spread(min(pause, limit), luck)


def _spread(seconds: float, luck: float) -> float:
    return seconds * (1 - JITTER + 2 * JITTER * luck)
