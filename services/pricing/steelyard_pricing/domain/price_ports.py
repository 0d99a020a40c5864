"""What refreshes and reviews need of the world, wired once."""

from collections.abc import Callable
from dataclasses import dataclass

from steelyard_common.clock import Clock
from steelyard_common.feed import FeedReader
from steelyard_common.leases import LeaseKeeper
from steelyard_pricing.domain.gatekeeping import Gatekeeper
from steelyard_pricing.domain.ports import PriceStore, QuarantineStore


@dataclass(frozen=True, slots=True, kw_only=True)
class PricePorts:
    """The world, and the gate in front of it."""

    feeds: FeedReader
    store: PriceStore
    quarantine: QuarantineStore
    leases: LeaseKeeper
    clock: Clock
    new_id: Callable[[], str]
    """Returns the id of a new held change."""
    gatekeeper: Gatekeeper
