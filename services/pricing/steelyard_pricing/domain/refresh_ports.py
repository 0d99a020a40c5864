"""What a refresh needs of the world."""

from collections.abc import Callable
from dataclasses import dataclass

from steelyard_common.clock import Clock
from steelyard_pricing.domain.ports import LeaseKeeper, PriceStore, QuarantineStore
from steelyard_pricing.domain.source_reading import FeedReader


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshPorts:
    """What a refresh needs of the world."""

    feeds: FeedReader
    store: PriceStore
    quarantine: QuarantineStore
    leases: LeaseKeeper
    clock: Clock
    new_id: Callable[[], str]
    """Returns the id of a new held change."""
