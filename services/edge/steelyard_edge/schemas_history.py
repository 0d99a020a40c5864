"""What answers about the history of prices look like, for OpenAPI."""

from datetime import datetime
from typing import Literal

from steelyard_edge.schemas import Breakdown, Documented, Page, Price, Usd


class PriceChange(Documented):
    """One entry of the change feed."""

    offer: str
    kind: Literal["added", "changed", "removed"] | None
    before: Price | None
    """Null when the offer was added."""
    after: Price | None
    """Null when the offer was removed."""
    ratio: float | None
    """Largest ratio between a rate after and before, below 1 for a cut."""
    effective_time: datetime | None
    observed_time: datetime | None
    snapshot_version: int


class PriceChanges(Page):
    """Changes, newest first."""

    changes: list[PriceChange]


class Disagreement(Documented):
    """An offer on which two sources differ by more than 0.5 %."""

    offer: str
    served: Price
    other: Price
    ratio: float
    """Largest ratio between two rates of the same component, at least 1."""


class Disagreements(Page):
    """Disagreements, the largest first."""

    disagreements: list[Disagreement]


class HeldChange(Documented):
    """A change that looks wrong and is not served."""

    held_change_id: str
    offer: str | None
    """Null when a source's whole snapshot is held."""
    source: str
    served: Price | None
    held: Price | None
    """Null when what is held is that the offer went away, or a whole snapshot."""
    guard: str
    """What held it, e.g. `entry_delta`, `catalogue_delta`, `bounds`."""
    explanation: str
    first_seen_time: datetime | None
    last_seen_time: datetime | None
    sighting_count: int
    state: Literal["held", "released", "refused", "withdrawn"] | None
    reviewer: str | None
    """Null while it waits, or when a rule released it."""
    note: str | None
    review_time: datetime | None


class Quarantine(Page):
    """Held changes, the oldest first."""

    held_changes: list[HeldChange]


class Snapshot(Documented):
    """One published version of all prices."""

    version: int
    publish_time: datetime | None
    cause: str
    """`seed`, `settings`, `refresh`, `review` or `rollback`."""
    note: str | None
    model_count: int
    added: int
    changed: int
    removed: int


class Snapshots(Page):
    """Snapshots, newest first."""

    snapshots: list[Snapshot]


class RepricedUsage(Documented):
    """What one request of the past costs, or why that is not known."""

    offer: str
    cost_usd: Usd | None
    breakdown: Breakdown | None
    failure: Literal["unpriced", "unknown_offer"] | None
    estimated: bool
    disputed: bool
    """True when sources differ by more than a factor of two; the higher price was taken."""
    service_tier: str
    above_prompt_tokens: int
    margin_usd: Usd | None
    negotiated: bool
    """True when a price of the caller's own was applied."""


class Repriced(Documented):
    """What past usage costs, in the order in which it was asked for."""

    total_cost_usd: Usd
    """Of what has a cost."""
    breakdown: Breakdown
    priced_count: int
    quotes: list[RepricedUsage]
