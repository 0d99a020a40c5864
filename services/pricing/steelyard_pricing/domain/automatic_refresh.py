"""Reads sources by itself, when they are due."""

from collections.abc import Callable
from datetime import datetime

import structlog

from steelyard_common.clock import Clock
from steelyard_common.errors import RefreshInProgressError
from steelyard_pricing.domain.catalogue import Catalogue
from steelyard_pricing.domain.refresh import Refresher
from steelyard_pricing.domain.schedule import due_time

OTHERS_TURN_SECONDS = 15.0
"""How long to wait while another replica refreshes."""

logger = structlog.get_logger(__name__)


class AutomaticRefresh:
    """Sleeps until a source is due, reads what is, and begins again."""

    def __init__(
        self,
        catalogue: Catalogue,
        refresher: Refresher,
        clock: Clock,
        random: Callable[[], float],
    ) -> None:
        self._catalogue = catalogue
        self._refresher = refresher
        self._clock = clock
        self._random = random

    async def run(self) -> None:
        """Go on as long as the process; returns at once when every source is switched off."""
        while due := self._due_times():
            first = min(due.values())
            await self._sleep_until(first)
            now = self._clock.now()
            names = [name for name, time in due.items() if time <= now]
            seen = {name: self._catalogue.state(name).last_attempt_time for name in names}
            run = await self._refresher.follow(names, force=True, seen=seen)
            try:
                await run.report()
            except RefreshInProgressError:
                await self._clock.sleep(OTHERS_TURN_SECONDS)

    def _due_times(self) -> dict[str, datetime]:
        now = self._clock.now()
        return {
            source.name: due_time(
                self._catalogue.state(source.name),
                time_to_live=self._catalogue.time_to_live,
                random=self._random,
            )
            or now
            for source in self._catalogue.sources
            if source.is_enabled
        }

    async def _sleep_until(self, time: datetime) -> None:
        seconds = (time - self._clock.now()).total_seconds()
        if seconds > 0:
            await self._clock.sleep(seconds)
