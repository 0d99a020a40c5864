"""The only one that changes what is kept and what is served."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

import structlog

from steelyard_common.clock import Clock
from steelyard_common.leases import Lease
from steelyard_registry.domain.building import CatalogueBuilder
from steelyard_registry.domain.catalogue import Catalogue
from steelyard_registry.domain.events import CatalogEvent, offer_events
from steelyard_registry.domain.freshness import Freshness
from steelyard_registry.domain.live import LiveCatalogue
from steelyard_registry.domain.ports import LeaseLostError, StateStore, SupersededError
from steelyard_registry.domain.state import RegistryState
from steelyard_registry.domain.stewardship import Change, in_force

ATTEMPTS = 5

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What a change came to."""

    before: Catalogue
    after: Catalogue
    """The same as before when nothing that watchers see has changed."""
    events: tuple[CatalogEvent, ...]


@dataclass(frozen=True, slots=True)
class Rules:
    """How a catalogue is made of a state, and when it is old."""

    builder: CatalogueBuilder
    freshness: Freshness


class Publisher:
    """Changes the state in turns: build, commit, swap."""

    def __init__(
        self,
        live: LiveCatalogue,
        state: RegistryState,
        store: StateStore,
        rules: Rules,
        clock: Clock,
    ) -> None:
        """Take what is served and kept now.

        Args:
            live: The catalogue of the state.
            state: What is kept.
            store: Where it is kept.
            rules: How a catalogue is made of it.
            clock: Dates what is published.
        """
        self.live = live
        self.builder = rules.builder
        self.state = state
        self._freshness = rules.freshness
        self._store = store
        self._clock = clock
        self._turn = asyncio.Lock()

    async def publish(
        self,
        change: Change,
        *,
        events: Sequence[CatalogEvent] = (),
        signed: tuple[str, str] = ("", ""),
        lease: Lease | None = None,
    ) -> Published:
        """Keep and serve what `change` makes of the present state.

        Args:
            change: Pure and quick.
            events: What else happened, besides what shows in the offers.
            signed: Who is behind it and why, for the history.
            lease: Write only while it is held.

        Raises:
            SupersededError: Others publish all the time, or the lease is lost. Nothing has changed.
            StorageFullError: There is no room. Nothing has changed.
        """
        async with self._turn:
            for _ in range(ATTEMPTS):
                try:
                    return await self._publish(change, events, signed, lease)
                except LeaseLostError:
                    raise
                except SupersededError:
                    await self._catch_up()
        raise SupersededError("others publish all the time")

    async def catch_up(self) -> None:
        """Serve what another replica has published, if one has."""
        async with self._turn:
            await self._catch_up()

    async def _publish(
        self,
        change: Change,
        events: Sequence[CatalogEvent],
        signed: tuple[str, str],
        lease: Lease | None,
    ) -> Published:
        before, known = self.live.current, self.state
        now = self._clock.now()
        state = in_force(change(known), now)
        state = replace(state, day=now.date(), is_stale=self._freshness.is_stale(state, now))
        if state == known and not events:
            return Published(before=before, after=before, events=())
        after = before
        happened: tuple[CatalogEvent, ...] = ()
        if not state.is_same_catalogue(known):
            version = max(int(now.timestamp() * 1000), known.version + 1)
            after, digest, happened = await asyncio.to_thread(self._next, state, version)
            state = replace(state, version=version, published_time=now, digest=digest)
        actor, note = signed
        all_events = (*(replace(each, actor=actor, note=note) for each in happened), *events)
        state = replace(state, revision=known.revision + 1)
        await self._store.commit(known, state, all_events, lease)
        # No await from here to the swap: the state and what is served of it never differ.
        self.state = state
        if after is not before:
            self._swap(after)
        return Published(before=before, after=after, events=all_events)

    def _next(
        self, state: RegistryState, version: int
    ) -> tuple[Catalogue, str, tuple[CatalogEvent, ...]]:
        before = self.live.current
        after = self.builder.build(state, version=version, previous=before.edition)
        # That the program ships with a seed is no event.
        happened = offer_events(before.edition.models, after.edition.models)
        return after, after.edition.digest(), happened if self.state.version else ()

    async def _catch_up(self) -> None:
        if await self._store.revision() == self.state.revision:
            return
        state = await self._store.load()
        if state.version == self.state.version:
            self.state = state
            return
        catalogue = await asyncio.to_thread(
            self.builder.build,
            state,
            version=state.version,
            previous=self.live.current.edition,
        )
        self.state = state
        self._swap(catalogue)

    def _swap(self, catalogue: Catalogue) -> None:
        self.live.publish(catalogue)
        logger.info(
            "catalogue published",
            version=catalogue.edition.version,
            models=len(catalogue.edition.models),
            stale=catalogue.edition.is_stale,
        )
