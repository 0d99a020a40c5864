"""The only one that changes what is kept and what is served."""

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from steelyard_common.clock import Clock
from steelyard_common.completion import complete
from steelyard_common.errors import OverloadedError
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
        decided: CatalogEvent | None = None,
        lease: Lease | None = None,
    ) -> Published:
        """Keep and serve what `change` makes of the present state.

        It goes on to its end when the caller is cancelled.

        Args:
            change: Pure and quick.
            decided: What a person did, for the history, in place of what it does to single offers.
            lease: Write only while it is held.

        Raises:
            LeaseLostError: The lease is lost. Nothing has changed.
            OverloadedError: Others publish all the time. Nothing has changed.
            StorageFullError: There is no room. Nothing has changed.
        """
        return await complete(self._in_turn(change, decided, lease))

    async def catch_up(self) -> None:
        """Serve what another replica has published, if one has.

        It goes on to its end when the caller is cancelled.
        """
        await complete(self._catch_up_in_turn())

    async def serve_unkept(self, change: Change) -> None:
        """Serve what `change` makes of the state without keeping it: the next publication does."""
        now = self._clock.now()
        state = self._dated(change(self.state), now)
        version = self._next_version(now)
        catalogue, _, _ = await asyncio.to_thread(self._next, state, version)
        self._swap(catalogue, is_shared=False)

    async def _catch_up_in_turn(self) -> None:
        async with self._turn:
            await self._catch_up()

    async def _in_turn(
        self, change: Change, decided: CatalogEvent | None, lease: Lease | None
    ) -> Published:
        async with self._turn:
            for _ in range(ATTEMPTS):
                try:
                    return await self._publish(change, decided, lease)
                except LeaseLostError:
                    raise
                except SupersededError:
                    await self._catch_up()
        raise OverloadedError

    async def _publish(
        self, change: Change, decided: CatalogEvent | None, lease: Lease | None
    ) -> Published:
        before, known = self.live.current, self.state
        now = self._clock.now()
        state = self._dated(in_force(change(known), now), now)
        if state == known and decided is None:
            return Published(before=before, after=before, events=())
        after = before
        events: tuple[CatalogEvent, ...] = ()
        if not state.is_same_catalogue(known):
            version = self._next_version(now)
            after, digest, events = await asyncio.to_thread(self._next, state, version)
            state = replace(state, version=version, published_time=now, digest=digest)
        if decided is not None:
            events = (*(each for each in events if each.model != decided.model), decided)
        state = replace(state, revision=known.revision + 1)
        await self._store.commit(known, state, events, lease)
        # No await from here to the swap: the state and what is served of it never differ.
        self.state = state
        if after is not before:
            self._swap(after)
        return Published(before=before, after=after, events=events)

    def _dated(self, state: RegistryState, now: datetime) -> RegistryState:
        # Another replica's clock may be a little ahead at midnight: no day is undone for that.
        today = now.date()
        is_ahead = timedelta() < state.day - today <= timedelta(days=1)
        return replace(
            state,
            day=state.day if is_ahead else today,
            is_stale=self._freshness.is_stale(state, now),
        )

    def _next_version(self, now: datetime) -> int:
        """Return a number above all before, also when the database is an older copy of itself."""
        served = self.live.current.edition.version
        return max(int(now.timestamp() * 1000), self.state.version + 1, served + 1)

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
        served = self.live.current.edition
        version = max(state.version, served.version + 1)
        catalogue = await asyncio.to_thread(
            self.builder.build, state, version=version, previous=served
        )
        # Other settings or another program make another catalogue of the same state: then what
        # watchers of other replicas have under this number is not what they would get here.
        digest = await asyncio.to_thread(catalogue.edition.digest)
        self.state = state
        self._swap(catalogue, is_shared=(version, digest) == (state.version, state.digest))

    def _swap(self, catalogue: Catalogue, *, is_shared: bool = True) -> None:
        self.live.publish(catalogue, is_shared=is_shared)
        logger.info(
            "catalogue published",
            version=catalogue.edition.version,
            models=len(catalogue.edition.models),
            stale=catalogue.edition.is_stale,
        )
