"""Changes that are held back, and what becomes of them."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Self

from steelyard_pricing.domain.rates import PriceFact
from steelyard_pricing.domain.snapshot import ObservedFact

NEVER_BY_TIME = frozenset({"bounds", "ratio"})
"""Guards whose findings do not become true by being repeated: unit errors live for years."""
RELEASE_SIGHTINGS = 3
RELEASE_AFTER = timedelta(hours=24)

Price = tuple[object, ...] | None
"""What a source says that an offer costs, as a value to compare; None when the offer is gone."""


class HeldState(IntEnum):
    """Where a held change stands, numbered as in the contract."""

    HELD = 1
    RELEASED = 2
    REFUSED = 3
    WITHDRAWN = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldChange:
    """A change of one offer, or a whole body of a source, that looks wrong and is not served."""

    held_change_id: str
    source: str
    offer: str
    """Empty for a whole body."""
    guard: str
    explanation: str
    served: ObservedFact | None
    held: PriceFact | None
    """None when what is held is that the offer is gone, or a whole body."""
    first_seen_time: datetime
    last_seen_time: datetime
    sighting_count: int = 1
    state: HeldState = HeldState.HELD
    reviewer: str = ""
    note: str = ""
    review_time: datetime | None = None
    body_sha256: str = ""
    """Of a whole body."""

    @property
    def is_whole_body(self) -> bool:
        return not self.offer

    @property
    def price(self) -> Price:
        """Return what is held back, as a value to compare."""
        return price_of(self.held)

    def seen_again(self, now: datetime) -> Self:
        """Return the change after one more reading that brought it."""
        return replace(self, last_seen_time=now, sighting_count=self.sighting_count + 1)

    @property
    def is_confirmed_by_time(self) -> bool:
        """Whether it came back often enough, for long enough, to be believed."""
        if self.guard in NEVER_BY_TIME:
            return False
        lasted = self.last_seen_time - self.first_seen_time
        return self.sighting_count >= RELEASE_SIGHTINGS and lasted >= RELEASE_AFTER

    def closed(
        self, state: HeldState, now: datetime, *, note: str = "", reviewer: str = ""
    ) -> Self:
        """Return the change after somebody, or a rule, has decided."""
        return replace(self, state=state, review_time=now, note=note, reviewer=reviewer)


def price_of(fact: PriceFact | None) -> Price:
    """Return what a fact says that its offer costs, as a value to compare."""
    return None if fact is None else (fact.rates, fact.is_free)
