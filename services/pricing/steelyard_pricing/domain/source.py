"""Where prices come from: sources behind one port, and how reading each of them goes."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Self
from urllib.parse import urlsplit, urlunsplit

from steelyard_common.feed import Feed
from steelyard_pricing.domain.rates import ParsedSource

HISTORY_LENGTH = 100


@dataclass(frozen=True, slots=True)
class PriceSource:
    """A feed of prices; one more source is one more of these."""

    name: str
    feed: Feed
    """An empty URL switches the source off."""
    parse: Callable[[bytes], ParsedSource]
    """Pure and slow: called off the event loop. Raises SourceRefusedError."""

    @property
    def is_enabled(self) -> bool:
        return bool(self.feed.url)

    @property
    def shown_uri(self) -> str:
        """Where it is read from, without user, password, query or fragment."""
        parts = urlsplit(self.feed.url)
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


@dataclass(frozen=True, slots=True)
class SourceFailure:
    """Why a source could not be read."""

    cause: str
    """For programs, e.g. `http_status`, `timeout`, `not_json`, `shrunk`."""
    message: str
    time: datetime


@dataclass(frozen=True, slots=True)
class SourceState:
    """How reading one source went so far."""

    last_success_time: datetime | None = None
    last_attempt_time: datetime | None = None
    last_failure: SourceFailure | None = None
    """None when there was none since the last success."""
    attempts: tuple[bool, ...] = ()
    """Whether each of the last tries succeeded, the latest last."""

    def succeeded(self, time: datetime) -> Self:
        """Return the state after a try that found current content."""
        return replace(
            self,
            last_success_time=time,
            last_attempt_time=time,
            last_failure=None,
            attempts=(*self.attempts, True)[-HISTORY_LENGTH:],
        )

    def failed(self, failure: SourceFailure) -> Self:
        """Return the state after a try that did not; the last success stays what it was."""
        return replace(
            self,
            last_attempt_time=failure.time,
            last_failure=failure,
            attempts=(*self.attempts, False)[-HISTORY_LENGTH:],
        )

    @property
    def success_rate(self) -> float | None:
        """Share of tries that succeeded; None when there was none."""
        return sum(self.attempts) / len(self.attempts) if self.attempts else None

    @property
    def consecutive_failures(self) -> int:
        trailing = next((n for n, ok in enumerate(reversed(self.attempts)) if ok), None)
        return len(self.attempts) if trailing is None else trailing

    def is_stale(self, now: datetime, time_to_live: timedelta) -> bool:
        """Say whether the last success is too old; exactly the limit is."""
        return self.last_success_time is None or now - self.last_success_time >= time_to_live


@dataclass(frozen=True, slots=True)
class ServedCopy:
    """What is known of the body behind the facts that are served."""

    url: str = ""
    etag: str | None = None
    last_modified: str | None = None
    sha256: str = ""
    edition_date: date | None = None
    """The day that the data itself names."""
    entry_count: int = 0
    """Entries that the body names, usable or not."""
    fetched_time: datetime | None = None
