"""Everything that the registry keeps between runs; the catalogue is made of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from types import MappingProxyType

from steelyard_registry.domain.decisions import HandDecision
from steelyard_registry.domain.models import Offer
from steelyard_registry.domain.quality.editions import ScoreEdition
from steelyard_registry.domain.quality.scores import QualityScore, Task

Records = Mapping[str, "OfferRecord"]
ScoreKey = tuple[str, Task]
"""Canonical model id and task."""

READER = 1
"""To be raised when bodies are read in another way, so that what is kept is read anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferRecord:
    """What one source says of one offer, and since when."""

    offer: Offer
    """As the source describes it; `observed_time` is when it first said just this."""
    source_key: str = ""
    first_seen_time: datetime | None = None
    """None when the program shipped with it."""
    missed_syncs: int = 0
    """Readings in a row in which the source did not name it."""
    missing_since: datetime | None = None
    """When it was first missing; None while it is named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceState:
    """How reading one source went, and what is known of the body behind its facts."""

    url: str = ""
    etag: str | None = None
    last_modified: str | None = None
    sha256: str = ""
    fetched_time: datetime | None = None
    """When the body came. None before the first."""
    checked_time: datetime | None = None
    """When its publisher last said that it is current."""
    attempt_time: datetime | None = None
    failures: int = 0
    """Tries in a row that failed."""
    problem: str = ""
    """Why the last try failed; empty when it did not."""
    entry_count: int = 0
    edition_date: date | None = None
    moving_names: Mapping[str, str] = field(default_factory=dict)
    """Names like `~openai/gpt-latest` by the offer that they stand for now."""
    doubted_count: int = 0
    """Readings in a row that were refused because far less was in them than before."""
    doubted_since: datetime | None = None
    doubted_entries: int = 0
    """Entries of the body that was doubted first."""
    reader: int = 0
    """READER of the program that read the body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryState:
    """One state; changes make a new one, and share what they leave alone."""

    revision: int = 0
    """Grows with every change that is kept."""
    version: int = 0
    """Of the catalogue: grows with every change that watchers see."""
    published_time: datetime | None = None
    digest: str = ""
    """Of the catalogue's content: another program may make another one of the same state."""
    day: date = date.min
    """The day as of which the catalogue is: it decides what is deprecated and stale."""
    is_stale: bool = True
    records: Mapping[str, Records] = field(default_factory=lambda: MappingProxyType({}))
    """By source, then by offer id."""
    sources: Mapping[str, SourceState] = field(default_factory=lambda: MappingProxyType({}))
    editions: Mapping[str, tuple[ScoreEdition, ...]] = field(
        default_factory=lambda: MappingProxyType({})
    )
    """By source of scores, the newest first."""
    decisions: Mapping[str, HandDecision] = field(default_factory=lambda: MappingProxyType({}))
    """By name."""
    corrections: Mapping[ScoreKey, QualityScore] = field(
        default_factory=lambda: MappingProxyType({})
    )

    def source(self, name: str) -> SourceState:
        """Return how a source went so far."""
        return self.sources.get(name) or SourceState()

    def is_same_catalogue(self, other: "RegistryState") -> bool:
        """Whether two states surely make the same catalogue: it need not be built again."""
        return (
            (self.day, self.is_stale) == (other.day, other.is_stale)
            and self.records is other.records
            and self.editions is other.editions
            and self.decisions is other.decisions
            and self.corrections is other.corrections
        )
