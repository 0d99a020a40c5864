"""Tracks by name, bounded: what was reported on least recently goes first.

Nothing of value goes that way: a track nobody reported on for five minutes is empty.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator

from steelyard_health.domain.subject import EVERYBODY, Subject
from steelyard_health.domain.track import Track


def _nothing() -> None:
    pass


class Tracks:
    """The tracks of one scope."""

    def __init__(
        self,
        capacity: int,
        *,
        tenant_id: str = EVERYBODY,
        when_changed: Callable[[], None] = _nothing,
    ) -> None:
        """Begin empty.

        Args:
            capacity: How many are kept.
            tenant_id: Whose they are.
            when_changed: Called when there is one more or one less.
        """
        self._capacity = capacity
        self._tenant_id = tenant_id
        self._when_changed = when_changed
        self._tracks: OrderedDict[str, Track] = OrderedDict()
        # The dictionary's own method: called for every offer that is asked for.
        self.get: Callable[[str], Track | None] = self._tracks.get

    def __len__(self) -> int:
        return len(self._tracks)

    def __iter__(self) -> Iterator[str]:
        return iter(self._tracks)

    def all(self) -> Iterator[Track]:
        return iter(self._tracks.values())

    def reported(self, name: str) -> Track:
        """Return the track that an outcome goes to, a new one when there is none."""
        track = self._tracks.get(name)
        if track is None:
            track = self._tracks[name] = Track(Subject.of(name, self._tenant_id))
            if len(self._tracks) > self._capacity:
                self.drop_oldest()
            self._when_changed()
        else:
            self._tracks.move_to_end(name)
        return track

    def drop_oldest(self) -> None:
        self._tracks.popitem(last=False)
        self._when_changed()


class SoleReporter:
    """The only tenant that has called something so far, and when it last did and failed."""

    __slots__ = ("called_at", "failed_at", "tenant_id")

    def __init__(self, tenant_id: str) -> None:
        self.tenant_id = tenant_id
        self.called_at = 0.0
        self.failed_at = 0.0


class SoleReporters:
    """Which names only one tenant has called so far: nothing is told of them to everybody.

    So an installation of one tenant has no second track of everything.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._soles: OrderedDict[str, SoleReporter] = OrderedDict()

    def is_sole(self, name: str, tenant_id: str, now: float, *, has_failed: bool) -> bool:
        """Say whether nobody else has called it, and remember this call if so."""
        sole = self._soles.get(name)
        if sole is None:
            sole = self._soles[name] = SoleReporter(tenant_id)
            if len(self._soles) > self._capacity:
                self._soles.popitem(last=False)
        elif sole.tenant_id != tenant_id:
            return False
        sole.called_at = now
        if has_failed:
            sole.failed_at = now
        return True

    def pop(self, name: str) -> SoleReporter | None:
        """Return who was the only one, now that somebody else calls it, too."""
        return self._soles.pop(name, None)


class TenantTracks:
    """What each tenant's own calls met: no tenant reads or fills another's."""

    def __init__(
        self,
        *,
        capacity: int,
        capacity_per_tenant: int,
        when_changed: Callable[[], None] = _nothing,
    ) -> None:
        self._capacity = capacity
        self._capacity_per_tenant = capacity_per_tenant
        self._when_changed = when_changed
        self._tenants: OrderedDict[str, Tracks] = OrderedDict()
        self._count = 0
        self._none = Tracks(0)

    def __len__(self) -> int:
        return self._count

    def of(self, tenant_id: str) -> Tracks:
        """Return the tracks of a tenant, to read from."""
        return self._tenants.get(tenant_id, self._none)

    def all(self) -> Iterator[Track]:
        for tracks in self._tenants.values():
            yield from tracks.all()

    def everybodys(self, name: str) -> Iterator[Track]:
        """Return the track of this name of each tenant that has one."""
        for tracks in self._tenants.values():
            track = tracks.get(name)
            if track is not None:
                yield track

    def reported(self, tenant_id: str, name: str) -> Track:
        """Return the track that a tenant's outcome goes to, a new one when there is none."""
        tracks = self._tenants.get(tenant_id)
        if tracks is None:
            tracks = self._tenants[tenant_id] = Tracks(
                self._capacity_per_tenant, tenant_id=tenant_id, when_changed=self._when_changed
            )
        self._tenants.move_to_end(tenant_id)
        if tracks.get(name) is not None:
            return tracks.reported(name)
        self._count -= len(tracks)
        track = tracks.reported(name)
        self._count += len(tracks)
        if self._count > self._capacity:
            self._drop_oldest()
        return track

    def _drop_oldest(self) -> None:
        """Take a track from the tenant that was silent longest."""
        tenant_id, tracks = next(iter(self._tenants.items()))
        tracks.drop_oldest()
        self._count -= 1
        if not len(tracks):
            del self._tenants[tenant_id]
