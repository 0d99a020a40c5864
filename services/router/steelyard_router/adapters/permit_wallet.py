"""Permits to probe half-open circuits, each for one decision."""

from collections import OrderedDict
from typing import Final, NamedTuple

from steelyard_common.clock import Clock

KEEP_SECONDS: Final = 25.0
"""How long a permit is of use here: health takes it back after 30 s, and the call is to follow."""
MAX_PERMITS: Final = 1_000


class _Kept(NamedTuple):
    permit: str
    until: float


class PermitWallet:
    """The permits that health gave out and no decision has taken yet, one per offer."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def put(self, offer: str, permit: str) -> None:
        """Keep a permit; a newer one of the same offer replaces it, the oldest go beyond the bound.

        Health gives out another only once the last one is used or has lapsed.
        """
        self._kept[offer] = _Kept(permit, self._clock.monotonic() + KEEP_SECONDS)
        self._kept.move_to_end(offer)
        if len(self._kept) > MAX_PERMITS:
            self._kept.popitem(last=False)

    def discard(self, offer: str) -> None:
        """Forget the permit of an offer whose circuit is no longer half-open."""
        self._kept.pop(offer, None)

    def holds(self, offer: str) -> bool:
        kept = self._kept.get(offer)
        if kept is None:
            return False
        if kept.until <= self._clock.monotonic():
            del self._kept[offer]
            return False
        return True

    def take(self, offer: str) -> str:
        """Return the permit of an offer, which is gone then; empty when there is none."""
        return self._kept.pop(offer).permit if self.holds(offer) else ""
