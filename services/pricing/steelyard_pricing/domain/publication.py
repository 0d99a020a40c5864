"""What is written in one transaction when prices are read, reviewed or rolled back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from steelyard_common.leases import Lease
from steelyard_pricing.domain.changes import ChangeCounts, PriceChange
from steelyard_pricing.domain.gate.held_change import HeldChange, Price
from steelyard_pricing.domain.snapshot import ObservedFact
from steelyard_pricing.domain.source import ServedCopy, SourceState


class SupersededError(Exception):
    """Somebody else has published or decided meanwhile, or has the lease: nothing was written."""


class LeaseLostError(SupersededError):
    """Another replica has taken over the job: nothing was written."""


class Cause(StrEnum):
    """Why a snapshot was published."""

    SEED = "seed"
    SETTINGS = "settings"
    REFRESH = "refresh"
    REVIEW = "review"
    ROLLBACK = "rollback"


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotRecord:
    """What is remembered of a published snapshot, besides its facts."""

    version: int
    published_time: datetime
    cause: Cause
    note: str
    counts: ChangeCounts


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """A new snapshot, as the difference to the one before."""

    record: SnapshotRecord
    opened: Sequence[tuple[str, ObservedFact]]
    """Facts that are new or different, each with its source."""
    closed: Sequence[tuple[str, str]]
    """Source and offer of facts that were replaced or are gone."""
    changes: Sequence[PriceChange]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A price that is not taken over although its source says it."""

    source: str
    offer: str
    price: Price
    """None stands for the offer being gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """All that one transaction writes."""

    publication: Publication | None = None
    after_version: int | None = None
    """The snapshot that all this was decided on, which must still be served."""
    states: Mapping[str, SourceState] = field(default_factory=dict)
    copies: Mapping[str, ServedCopy | None] = field(default_factory=dict)
    """None forgets what is known of a source's body, so that the next reading is a whole one."""
    held_changes: Sequence[HeldChange] = ()
    held_bodies: Mapping[str, bytes] = field(default_factory=dict)
    """Bodies of changes that hold a whole one, by the id of the change."""
    refusals: Sequence[Refusal] = ()
    lifted_refusals: Sequence[Refusal] = ()
    lease: Lease | None = None
    """Must still be held at the end of the transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What replicas tell each other through the database, besides the facts."""

    version: int
    """Of the snapshot that is served; 0 before the first."""
    copies: Mapping[str, ServedCopy]
    states: Mapping[str, SourceState]
    waiting_count: int
    """Changes that are held back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What the database holds of the snapshot that is served."""

    record: SnapshotRecord
    facts: Mapping[str, tuple[ObservedFact, ...]]
    """By source, then by offer id."""
    status: Status
