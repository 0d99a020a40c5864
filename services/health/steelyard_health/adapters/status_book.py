"""What is known of all status pages, in memory: what answers are made of."""

import asyncio
from collections.abc import Mapping
from types import MappingProxyType

import structlog

from steelyard_common.clock import Clock
from steelyard_common.errors import SteelyardError
from steelyard_health.adapters.incident_store import IncidentStore
from steelyard_health.adapters.status_sources import StatusSources
from steelyard_health.domain.status.page import PageStatus

REFRESH_SECONDS = 5.0

logger = structlog.get_logger(__name__)


class StatusBook:
    """A view of the table that is read again every few seconds, for any replica may poll."""

    def __init__(self, store: IncidentStore, sources: StatusSources, clock: Clock) -> None:
        self._store = store
        self._sources = sources
        self._clock = clock
        self._pages: Mapping[str, PageStatus] = MappingProxyType({})
        self._is_failing = False
        self._turn = asyncio.Lock()

    @property
    def pages(self) -> Mapping[str, PageStatus]:
        """Pages by provider: the same object until something changes.

        A page that was never read is UNKNOWN; providers without one, or whose page is switched off,
        are not in it.
        """
        return self._pages

    async def run(self) -> None:
        """Go on as long as the process."""
        while True:
            await self.refresh()
            await self._clock.sleep(REFRESH_SECONDS)

    async def refresh(self) -> None:
        """Read the table once; what was known stays when it cannot be read."""
        # Whoever reads later must not be overtaken by who read before.
        async with self._turn:
            try:
                rows = await self._store.pages()
            except SteelyardError as error:
                if not self._is_failing:
                    logger.warning("status pages not read back", problem=error.message)
                self._is_failing = True
                return
            self._is_failing = False
            pages = self._shown(rows)
            if pages != self._pages:
                self._pages = MappingProxyType(pages)

    def _shown(self, rows: Mapping[str, PageStatus]) -> dict[str, PageStatus]:
        if not self._sources.is_on:
            return {}
        if not self._sources.is_known:
            # The registry has not answered yet; what was read before the start still counts.
            return dict(rows)
        return {
            provider: rows.get(provider) or PageStatus(page_url=source.page_url)
            for provider, source in self._sources.current.items()
        }
