"""One refresh as it goes on, for everybody who follows it."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from datetime import datetime

from steelyard_pricing.domain.refresh_events import Event, Report


class RefreshRun:
    """One refresh as it goes on; any number may follow it, each from its beginning."""

    def __init__(
        self,
        names: frozenset[str],
        *,
        force: bool,
        seen: Mapping[str, datetime | None] | None = None,
    ) -> None:
        """Take what is asked for.

        Args:
            names: Of the sources to read.
            force: Read also what is fresh.
            seen: When each source was last tried, as far as the caller knew: what somebody else
                has read since then is not read again.
        """
        self.names = names
        self.force = force
        self.seen = seen or {}
        self._events: list[Event | Exception] = []
        self._grown = asyncio.Event()
        self._ended = asyncio.Event()

    def does(self, names: Collection[str], *, force: bool) -> bool:
        """Whether this refresh does all that is asked."""
        return self.names.issuperset(names) and (self.force or not force)

    def tell(self, event: Event) -> None:
        self._add(event, is_last=isinstance(event, Report))

    def fail(self, error: Exception) -> None:
        self._add(error, is_last=True)

    async def ended(self) -> None:
        """Wait for the end, whatever it is."""
        await self._ended.wait()

    async def events(self) -> AsyncIterator[Event]:
        """Return what happened and what happens, up to and including the report.

        Raises:
            PricingUnavailableError: The process stops.
        """
        seen = 0
        while True:
            while seen < len(self._events):
                event = self._events[seen]
                seen += 1
                if isinstance(event, Exception):
                    raise event
                yield event
                if isinstance(event, Report):
                    return
            await self._grown.wait()

    def _add(self, event: Event | Exception, *, is_last: bool) -> None:
        self._events.append(event)
        self._grown.set()
        self._grown = asyncio.Event()
        if is_last:
            self._ended.set()

    async def report(self) -> Report:
        """Wait for the end of the refresh."""
        async for event in self.events():
            if isinstance(event, Report):
                return event
        raise AssertionError("a refresh ends with a report")
