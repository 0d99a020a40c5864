"""What a catalogue is made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from steelyard_registry.domain.models import Offer
from steelyard_registry.domain.providers import Provider
from steelyard_registry.domain.quality.scores import QualityScore


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything that is known, before it is joined and indexed."""

    offers: tuple[Offer, ...]
    """At most one per offer id."""
    source_keys: Mapping[str, str] = field(default_factory=dict)
    """Keys of the sources by offer, where they differ from it."""
    moving_names: Mapping[str, str] = field(default_factory=dict)
    """Names like `~openai/gpt-latest` by the offer that they stand for now."""
    evidence: Mapping[str, Sequence[QualityScore]] = field(default_factory=dict)
    """Quality scores by canonical model id."""
    providers: Mapping[str, Provider] = field(default_factory=dict)
    """Sellers that are known by themselves, by id."""
