"""The catalogue of the moment, and everybody who follows it."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from steelyard_registry.domain.catalogue import Catalogue, Edition

KEPT_EDITIONS = 16


@dataclass(frozen=True, slots=True)
class Update:
    """What one watcher gets next: the way from the edition it has to the newest one."""

    edition: Edition
    since: Edition | None
    """None when the watcher has to start over with the whole."""


class LiveCatalogue:
    """Swaps whole catalogues; followers are told without waiting for each other.

    A follower that takes its time gets all changes in between as one. When it falls more than
    `KEPT_EDITIONS` behind, it gets the whole again, so nothing piles up for it.
    """

    def __init__(self, first: Catalogue) -> None:
        self.current = first
        self._kept = deque([first.edition], maxlen=KEPT_EDITIONS)
        self._changed = asyncio.Event()

    def publish(self, catalogue: Catalogue, *, is_shared: bool = True) -> None:
        """Make a catalogue the current one.

        Args:
            catalogue: With a version above the current one's.
            is_shared: Whether its version means the same at every replica. If not, nobody is sent
                differences to it, or from it, but the whole.

        Raises:
            ValueError: Its version is not above the current one.
        """
        if catalogue.edition.version <= self.current.edition.version:
            raise ValueError("versions of the catalogue must increase")
        self.current = catalogue
        if is_shared:
            self._kept.append(catalogue.edition)
        else:
            self._kept.clear()
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def updates(self, from_version: int, stop: asyncio.Event) -> AsyncGenerator[Update]:
        """Yield an update at once, then one after each change, until `stop` is set."""
        version = from_version
        while True:
            changed, edition = self._changed, self.current.edition
            yield Update(edition, self._known(version))
            version = edition.version
            await _first_of(changed, stop)
            if stop.is_set():
                return

    def _known(self, version: int) -> Edition | None:
        if not version:
            return None  # it has nothing
        return next((edition for edition in self._kept if edition.version == version), None)


async def _first_of(*events: asyncio.Event) -> None:
    waiting = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in waiting:
            each.cancel()
