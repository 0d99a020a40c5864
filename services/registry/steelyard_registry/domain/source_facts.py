"""What one body of a source says about offers."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from steelyard_registry.domain.models import Offer


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFacts:
    """Offers and names of one body."""

    offers: tuple[Offer, ...]
    source_keys: Mapping[str, str] = field(default_factory=dict)
    """Keys of the source by offer, where they differ from it."""
    moving_names: Mapping[str, str] = field(default_factory=dict)
    """Names like `~openai/gpt-latest` by the offer that they stand for now."""
    dropped_count: int = 0
    """Entries that could not be used."""
