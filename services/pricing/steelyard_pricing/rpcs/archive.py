"""What the calls about the past and about held changes work on."""

from dataclasses import dataclass

from steelyard_pricing.adapters.history_store import DatabaseHistory
from steelyard_pricing.adapters.price_store import DatabasePriceStore
from steelyard_pricing.adapters.quarantine_store import DatabaseQuarantine
from steelyard_pricing.domain.review import Reviews


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """The database, read, and what people may decide about it."""

    store: DatabasePriceStore
    history: DatabaseHistory
    quarantine: DatabaseQuarantine
    reviews: Reviews
