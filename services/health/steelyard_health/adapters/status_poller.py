"""Reads status pages again and again: one replica does it for all."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

import structlog
from opentelemetry.metrics import Meter

from steelyard_common.clock import Clock
from steelyard_common.errors import SteelyardError
from steelyard_common.feed import Feed, FeedCopy, FeedError, FeedFormat, FeedReader, FetchPolicy
from steelyard_common.leases import Lease, LeaseKeeper
from steelyard_health.adapters.incident_store import IncidentStore
from steelyard_health.adapters.status_book import StatusBook
from steelyard_health.adapters.status_sources import StatusSource, StatusSources
from steelyard_health.domain.status.formats import AWS, RSS, max_bytes, read_page
from steelyard_health.domain.status.reading import PageReading, UnreadablePageError

LEASE: Final = "status-pages"
LEASE_DURATION: Final = timedelta(seconds=30)
RENEW_SECONDS: Final = 10.0
TICK_SECONDS: Final = 5.0
"""How often to look for what is due, or to ask for the lease while another replica has it."""
MAX_AT_ONCE: Final = 4
FIRST_SPREAD_SECONDS: Final = 10.0
"""Over which the first polls after the start are spread."""
MAX_BACKOFF_SECONDS: Final = 900.0
JITTER: Final = 0.1
BACKOFF_JITTER: Final = 0.2
PRUNE_SECONDS: Final = 86_400.0
STATUS_POLICY: Final = FetchPolicy(total_seconds=10.0, attempts=1)
"""A page that does not answer is asked again at its next turn."""

_UNREADABLE = "unreadable"
_NOT_STORED = "not_stored"

logger = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Turn:
    """When a page is read next, and how it went so far."""

    source: StatusSource
    due: float
    copy: FeedCopy | None = field(default=None, repr=False)
    """The last body that could be read."""
    failure_count: int = 0
    """Since the last success."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PollPorts:
    """What polling touches."""

    feeds: FeedReader
    """Downloads pages, with `STATUS_POLICY`."""
    store: IncidentStore
    leases: LeaseKeeper
    """Of all replicas on one database one polls."""
    clock: Clock
    random: Callable[[], float]
    """From 0 to 1; spreads polls."""


class StatusPoller:
    """Reads every page when it is due, and keeps what it says."""

    def __init__(
        self,
        sources: StatusSources,
        book: StatusBook,
        ports: PollPorts,
        meter: Meter,
        *,
        poll_seconds: float = 60.0,
    ) -> None:
        """Read nothing yet.

        Args:
            sources: The pages.
            book: Told at once of what was read.
            ports: What touches the world.
            meter: Counts polls.
            poll_seconds: Between two polls of a page that can be read.
        """
        self._sources = sources
        self._book = book
        self._feeds = ports.feeds
        self._store = ports.store
        self._leases = ports.leases
        self._clock = ports.clock
        self._random = ports.random
        self._poll_seconds = poll_seconds
        self._turns: dict[str, _Turn] = {}
        self._at_once = asyncio.Semaphore(MAX_AT_ONCE)
        self._is_storing = True
        self._prune_due = float("-inf")
        self._polls = meter.create_counter(
            "steelyard.health.status_polls",
            unit="{poll}",
            description="Reads of status pages, by provider and result.",
        )

    async def run(self) -> None:
        """Go on as long as the process."""
        while True:
            lease = await self._acquired() if self._sources.current else None
            if lease is not None:
                await self._poll_under(lease)
            await self._clock.sleep(TICK_SECONDS)

    async def _poll_under(self, lease: Lease) -> None:
        """Poll until another replica has the lease."""
        held: Lease | None = lease
        renewed = self._clock.monotonic()
        running: dict[str, asyncio.Task[None]] = {}
        try:
            while held is not None:
                lease = held
                self._follow_sources()
                self._start_due(running)
                await self._prune()
                await self._clock.sleep(self._pause(running))
                if self._clock.monotonic() - renewed >= RENEW_SECONDS:
                    renewed = self._clock.monotonic()
                    held = await self._acquired()
        finally:
            await _cancelled(running)
            await self._give_back(lease)

    async def _acquired(self) -> Lease | None:
        try:
            return await self._leases.acquire(LEASE, LEASE_DURATION)
        except SteelyardError as error:
            logger.warning("status pages are not polled", problem=error.message)
            return None

    async def _give_back(self, lease: Lease) -> None:
        try:
            await self._leases.release(lease)
        except Exception:
            # It expires by itself.
            logger.exception("lease not given back", lease=LEASE)

    def _follow_sources(self) -> None:
        """Add turns of new pages and of those that moved, and forget those that are gone."""
        sources = self._sources.current
        now = self._clock.monotonic()
        kept = {
            provider: turn
            for provider, turn in self._turns.items()
            if sources.get(provider) == turn.source
        }
        new = [source for provider, source in sources.items() if provider not in kept]
        spread = min(FIRST_SPREAD_SECONDS, self._poll_seconds)
        for index, source in enumerate(new):
            kept[source.provider] = _Turn(source, due=now + spread * index / len(new))
        self._turns = kept

    def _start_due(self, running: dict[str, "asyncio.Task[None]"]) -> None:
        for provider in [name for name, task in running.items() if task.done()]:
            running.pop(provider).result()
        now = self._clock.monotonic()
        for provider, turn in self._turns.items():
            if turn.due <= now and provider not in running:
                task = asyncio.create_task(self._poll(turn), name=f"status page of {provider}")
                running[provider] = task

    def _pause(self, running: Mapping[str, "asyncio.Task[None]"]) -> float:
        now = self._clock.monotonic()
        waits = [
            turn.due - now for provider, turn in self._turns.items() if provider not in running
        ]
        return min(TICK_SECONDS, max(0.0, min(waits, default=TICK_SECONDS)))

    async def _poll(self, turn: _Turn) -> None:
        async with self._at_once:
            problem, result = "", "ok"
            try:
                result = await self._read(turn)
            except FeedError as error:
                problem, result = str(error), str(error.cause)
            except UnreadablePageError as error:
                problem, result = f"{_name(turn.source)} {error}", _UNREADABLE
            except SteelyardError as error:
                self._not_stored(error)
                result = _NOT_STORED
            if problem:
                await self._failed(turn, problem)
        self._polls.add(1, {"provider": turn.source.provider, "result": result})
        if not problem:
            turn.due = self._clock.monotonic() + self._spread(self._poll_seconds, JITTER)
        await self._book.refresh()

    async def _read(self, turn: _Turn) -> str:
        """Read a page once and keep what it says; return how it came.

        Raises:
            FeedError: It did not come.
            UnreadablePageError: It cannot be understood.
            SteelyardError: It could not be kept.
        """
        answer = await self._feeds.fetch(_feed(turn.source), turn.copy)
        copy = answer if isinstance(answer, FeedCopy) else turn.copy
        if copy is None:
            raise UnreadablePageError("says that nothing changed since nothing was read")
        source, now = turn.source, self._clock.now()
        # Also what did not change says something else once planned work has begun.
        reading: PageReading = await asyncio.to_thread(
            read_page, source.format, copy.body, source.rules, now
        )
        turn.copy = copy
        self._recovered(turn)
        await self._store.save_reading(source.provider, source.page_url, reading, now)
        self._is_storing = True
        return "ok" if isinstance(answer, FeedCopy) else "not_modified"

    def _recovered(self, turn: _Turn) -> None:
        if turn.failure_count:
            logger.info("a status page can be read again", provider=turn.source.provider)
        turn.failure_count = 0

    async def _failed(self, turn: _Turn, problem: str) -> None:
        source = turn.source
        if not turn.failure_count:
            self._tell_failure(turn, problem)
        turn.failure_count += 1
        longest = max(MAX_BACKOFF_SECONDS, self._poll_seconds)
        # Beyond ten doublings it is the longest anyway.
        wait = min(self._poll_seconds * 2 ** min(turn.failure_count, 10), longest)
        turn.due = self._clock.monotonic() + self._spread(wait, BACKOFF_JITTER)
        try:
            await self._store.save_failure(
                source.provider, source.page_url, problem, self._clock.now()
            )
        except SteelyardError as error:
            self._not_stored(error)

    def _tell_failure(self, turn: _Turn, problem: str) -> None:
        """Log it: one line for all pages while none can be read, as without a network."""
        others = [each for each in self._turns.values() if each is not turn]
        if turn.copy is None and not any(each.copy for each in others):
            if not any(each.failure_count for each in others):
                logger.warning("no status page can be read yet", problem=problem)
            return
        logger.warning(
            "a status page cannot be read", provider=turn.source.provider, problem=problem
        )

    def _not_stored(self, error: SteelyardError) -> None:
        if self._is_storing:
            logger.warning("what status pages say is not kept", problem=error.message)
        self._is_storing = False

    async def _prune(self) -> None:
        now = self._clock.monotonic()
        if now < self._prune_due:
            return
        self._prune_due = now + PRUNE_SECONDS
        try:
            await self._store.prune(self._clock.now())
        except SteelyardError as error:
            self._not_stored(error)

    def _spread(self, seconds: float, jitter: float) -> float:
        return seconds * (1 + jitter * (2 * self._random() - 1))


async def _cancelled(running: Mapping[str, "asyncio.Task[None]"]) -> None:
    for task in running.values():
        task.cancel()
    await asyncio.gather(*running.values(), return_exceptions=True)


def _name(source: StatusSource) -> str:
    return f"the status page of {source.provider}"


def _feed(source: StatusSource) -> Feed:
    return Feed(
        name=_name(source),
        url=source.url,
        format=FeedFormat.TEXT if source.format == RSS else FeedFormat.JSON,
        max_bytes=max_bytes(source.format),
        may_be_utf16=source.format == AWS,
    )
