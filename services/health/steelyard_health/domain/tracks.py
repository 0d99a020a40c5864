"""Tracks by name, bounded: what was reported on least recently goes first.

Nothing of value goes that way: a track nobody reported on for five minutes is empty.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator

from steelyard_health.domain.track import Track


class Tracks:
    """The tracks of one scope."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._tracks: OrderedDict[str, Track] = OrderedDict()
        # The dictionary's own method: called for every offer that is asked for.
        self.get: Callable[[str], Track | None] = self._tracks.get

    def __len__(self) -> int:
        return len(self._tracks)

    def __iter__(self) -> Iterator[str]:
        return iter(self._tracks)

    def reported(self, name: str) -> Track:
        """Return the track that an outcome goes to, a new one when there is none."""
        track = self._tracks.get(name)
        if track is None:
            track = self._tracks[name] = Track()
            if len(self._tracks) > self._capacity:
                self.drop_oldest()
        else:
            self._tracks.move_to_end(name)
        return track

    def drop_oldest(self) -> None:
        self._tracks.popitem(last=False)


class TenantTracks:
    """Tracks of tenants' own keys and endpoints: no tenant reads or fills another's."""

    def __init__(self, *, capacity: int, capacity_per_tenant: int) -> None:
        self._capacity = capacity
        self._capacity_per_tenant = capacity_per_tenant
        self._tenants: OrderedDict[str, Tracks] = OrderedDict()
        self._count = 0
        self._nothing = Tracks(0)

    def __len__(self) -> int:
        return self._count

    def of(self, tenant_id: str) -> Tracks:
        """Return the tracks of a tenant, to read from."""
        return self._tenants.get(tenant_id, self._nothing)

    def reported(self, tenant_id: str, name: str) -> Track:
        """Return the track that a tenant's outcome goes to, a new one when there is none."""
        tracks = self._tenants.get(tenant_id)
        if tracks is None:
            tracks = self._tenants[tenant_id] = Tracks(self._capacity_per_tenant)
        self._tenants.move_to_end(tenant_id)
        before = len(tracks)
        track = tracks.reported(name)
        self._count += len(tracks) - before
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
