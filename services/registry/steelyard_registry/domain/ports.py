"""What the registry needs from the outside."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from steelyard_common.leases import Lease
from steelyard_registry.domain.events import CatalogEvent, EventKind
from steelyard_registry.domain.state import RegistryState


class SupersededError(Exception):
    """Somebody else has changed the state meanwhile; nothing was written."""


class LeaseLostError(SupersededError):
    """The lease has gone to somebody else; nothing was written."""


class StateStore(Protocol):
    """Keeps the state; all replicas share it."""

    async def load(self) -> RegistryState:
        """Return the state; the empty one before the first commit."""

    async def revision(self) -> int:
        """Return the revision of the state that is kept."""

    async def commit(
        self,
        before: RegistryState,
        after: RegistryState,
        events: Sequence[CatalogEvent] = (),
        lease: Lease | None = None,
    ) -> None:
        """Write what differs, and the events, in one transaction.

        Raises:
            SupersededError: What is kept is no longer `before`, or the lease is lost.
            StorageFullError: There is no room. Nothing was written.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent:
    """An event with its number and date."""

    event_id: int
    time: datetime
    version: int
    event: CatalogEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class EventQuery:
    """Which events."""

    names: tuple[str, ...] = ()
    """Model ids or offer ids, one of which an event is about; empty means all."""
    kind: EventKind | None = None


class EventStore(Protocol):
    """Remembers what happened."""

    async def page(
        self, query: EventQuery, *, before: int | None, limit: int
    ) -> Sequence[StoredEvent]:
        """Return events, the newest first, from the one before `before` on."""

    async def count(self, query: EventQuery) -> int:
        """Return how many there are."""
