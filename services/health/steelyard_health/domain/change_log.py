"""The last changes of states and circuits, and everybody who follows them."""

import asyncio
from bisect import bisect_left
from collections import OrderedDict, deque
from collections.abc import AsyncGenerator, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from steelyard_common.errors import OverloadedError
from steelyard_health.domain.changes import StateChange
from steelyard_health.domain.circuit import CircuitState
from steelyard_health.domain.state import HealthState
from steelyard_health.domain.subject import EVERYBODY, Subject

CAPACITY = 10_000
WELL = frozenset({HealthState.HEALTHY, HealthState.UNKNOWN})

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Told(NamedTuple):
    """What a follower gets next."""

    change: StateChange | None
    """None voids what the follower knew: it named a version that says nothing here."""
    is_present: bool
    """It was so before the follower came."""


class Subscription:
    """What one reader has not taken yet, in order. It never holds up who writes.

    When it is full, the oldest change goes that a later one of the same subject has made void, so
    that what becomes of each subject is always told.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._waiting: OrderedDict[int, StateChange] = OrderedDict()
        self._last: dict[Subject, int] = {}
        """Version of the last waiting change of each subject."""
        self._filled = asyncio.Event()
        self.dropped_count = 0
        """Changes that went untaken so far."""

    def offer(self, change: StateChange) -> None:
        """Append a change."""
        self._last[change.subject] = change.version
        if len(self._waiting) >= self._capacity:
            self._drop_one()
        self._waiting[change.version] = change
        self._filled.set()

    async def next(self) -> StateChange:
        """Take the oldest change, waiting until there is one."""
        while not self._waiting:
            self._filled.clear()
            await self._filled.wait()
        return self._taken(next(iter(self._waiting)))

    def _drop_one(self) -> None:
        void = (
            version
            for version, each in self._waiting.items()
            if self._last[each.subject] != version
        )
        self._taken(next(void, next(iter(self._waiting))))
        self.dropped_count += 1

    def _taken(self, version: int) -> StateChange:
        change = self._waiting.pop(version)
        if self._last[change.subject] == version:
            del self._last[change.subject]
        return change


class ChangeLog:
    """Keeps the last changes, and of each subject that is not well the one that left it so."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        """Take how many changes are kept, of the log and of the present each."""
        self._capacity = capacity
        self._changes: deque[StateChange] = deque(maxlen=capacity)
        self._end = 0
        """Changes added so far: the place of the next one."""
        self._present: dict[Subject, StateChange] = {}
        self._last_version = 0
        self._added = asyncio.Event()
        self._subscriptions: list[Subscription] = []

    @property
    def present(self) -> Sequence[StateChange]:
        """The last change of each subject that is not well or whose circuit is not closed."""
        return tuple(self._present.values())

    def next_version(self, now: datetime) -> int:
        """Return the number for the next change: higher than any before, also before a restart."""
        return max(self._last_version + 1, (now - _EPOCH) // _MICROSECOND)

    def add(self, change: StateChange) -> None:
        """Tell everybody.

        Raises:
            ValueError: Its version is not above the last one's.
        """
        if change.version <= self._last_version:
            raise ValueError("versions of changes must increase")
        self._last_version = change.version
        self._changes.append(change)
        self._end += 1
        self._note_present(change)
        for subscription in self._subscriptions:
            subscription.offer(change)
        added, self._added = self._added, asyncio.Event()
        added.set()

    def subscribe(self, capacity: int = CAPACITY) -> Subscription:
        """Return what gets all changes from now on, of everybody and of every tenant."""
        subscription = Subscription(capacity)
        self._subscriptions.append(subscription)
        return subscription

    async def follow(
        self, from_version: int, tenant_id: str, stop: asyncio.Event
    ) -> AsyncGenerator[Told]:
        """Yield what a tenant may know, until `stop` is set: everybody's changes and its own.

        It starts with the present unless `from_version` is the number of a change that is kept.

        Args:
            from_version: The last version that the follower has; 0 when it has none.
            tenant_id: Who follows.
            stop: Ends it.

        Raises:
            OverloadedError: The follower is further behind than changes are kept.
        """
        place = self._place_after(from_version)
        if place is None:
            # Both at one instant: more may be added while the follower takes its time.
            place, present = self._end, _of_tenant(self.present, tenant_id)
            if from_version:
                yield Told(None, is_present=True)
            for change in present:
                yield Told(change, is_present=True)
        while not stop.is_set():
            added = self._added
            while place < self._end:
                change = self._at(place)
                place += 1
                if change.subject.tenant_id in {EVERYBODY, tenant_id}:
                    yield Told(change, is_present=False)
            await _first_of(added, stop)

    def _note_present(self, change: StateChange) -> None:
        # Out and in again, so that the order is that of the versions.
        self._present.pop(change.subject, None)
        if is_well(change):
            return
        self._present[change.subject] = change
        if len(self._present) > self._capacity:
            del self._present[next(iter(self._present))]

    def _place_after(self, version: int) -> int | None:
        """Return the place after the change of that version; None when it is not kept."""
        index = bisect_left(self._changes, version, key=lambda change: change.version)
        if index == len(self._changes) or self._changes[index].version != version:
            return None
        return self._first + index + 1

    def _at(self, place: int) -> StateChange:
        if place < self._first:
            raise OverloadedError
        return self._changes[place - self._first]

    @property
    def _first(self) -> int:
        """Place of the oldest change that is kept."""
        return self._end - len(self._changes)


def is_well(change: StateChange) -> bool:
    """Say whether a change leaves its subject well and let through."""
    return change.after in WELL and change.circuit_after is CircuitState.CLOSED


def _of_tenant(changes: Sequence[StateChange], tenant_id: str) -> Sequence[StateChange]:
    return [each for each in changes if each.subject.tenant_id in {EVERYBODY, tenant_id}]


async def _first_of(*events: asyncio.Event) -> None:
    waiting = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in waiting:
            each.cancel()
