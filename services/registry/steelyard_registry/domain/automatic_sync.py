"""Reads sources when they are due, and lets the catalogue age, by itself."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

import structlog

from steelyard_common.clock import Clock
from steelyard_common.errors import RefreshInProgressError, SteelyardError
from steelyard_registry.domain.freshness import Freshness
from steelyard_registry.domain.publisher import Publisher
from steelyard_registry.domain.sync import Syncer

POLL_SECONDS = 2.0
"""What another replica has published is served within this."""
OTHERS_TURN_SECONDS = 15.0
"""How long to wait while another replica syncs."""
FIRST_PAUSE_SECONDS = 15.0
"""After the first failure to keep anything; doubled with each further one, to 16 minutes."""
MAX_SLEEP_SECONDS = 60.0
"""What people set, or other replicas publish, may have an end of its own that is nearer."""

logger = structlog.get_logger(__name__)


class AutomaticSync:
    """Sleeps until a source is due or the catalogue is of another day, and begins again."""

    def __init__(
        self,
        publisher: Publisher,
        syncers: Sequence[Syncer],
        freshness: Freshness,
        clock: Clock,
        random: Callable[[], float],
    ) -> None:
        self._publisher = publisher
        self._syncers = syncers
        self._freshness = freshness
        self._clock = clock
        self._random = random
        self._failures = 0

    async def run(self) -> None:
        """Go on as long as the process."""
        while True:
            due = self._due_times()
            await self._clock.sleep(self._pause(due.values()))
            now = self._clock.now()
            try:
                await self._publisher.publish(lambda state: state)
                for syncer in self._syncers:
                    names = [name for name in syncer.sources if due[name] <= now]
                    # Another replica may have read it while this one slept.
                    await self._sync(syncer, [name for name in names if self._is_due(name, now)])
                self._failures = 0
            except RefreshInProgressError:
                await self._clock.sleep(OTHERS_TURN_SECONDS)
            except SteelyardError as error:
                # What cannot be kept is not downloaded again and again.
                logger.warning("not kept", problem=error.message)
                await self._clock.sleep(FIRST_PAUSE_SECONDS * 2 ** min(self._failures, 6))
                self._failures += 1

    async def _sync(self, syncer: Syncer, names: Sequence[str]) -> None:
        if names:
            run = await syncer.follow(names, force=True)
            await run.report()

    def _is_due(self, name: str, now: datetime) -> bool:
        state = self._publisher.state.source(name)
        # With the most luck: who is later than that has let another replica go first.
        due = self._freshness.due_time(name, state, 0.0)
        return due is None or due <= now

    def _due_times(self) -> Mapping[str, datetime]:
        now, state = self._clock.now(), self._publisher.state
        return {
            name: self._freshness.due_time(name, state.source(name), self._random()) or now
            for syncer in self._syncers
            for name in syncer.sources
        }

    def _pause(self, due: Iterable[datetime]) -> float:
        now = self._clock.now()
        waits = [(time - now).total_seconds() for time in due]
        waits += self._freshness.turning_points(self._publisher.state, now)
        return min(max(0.0, min(waits)), MAX_SLEEP_SECONDS)


class Follower:
    """Serves what other replicas on the same database have published."""

    def __init__(self, publisher: Publisher, clock: Clock) -> None:
        self._publisher = publisher
        self._clock = clock

    async def run(self) -> None:
        """Go on as long as the process."""
        while True:
            await self._clock.sleep(POLL_SECONDS)
            await self._publisher.catch_up()
