"""What a catalogue is made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from steelyard_registry.domain.decisions import HandDecision
from steelyard_registry.domain.models import Offer
from steelyard_registry.domain.providers import Provider
from steelyard_registry.domain.quality.editions import ScoreEdition
from steelyard_registry.domain.quality.joining import AliasTable
from steelyard_registry.domain.quality.scores import QualityScore
from steelyard_registry.domain.state import ScoreKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything that is known, before it is joined and indexed."""

    offers: tuple[Offer, ...]
    """At most one per offer id."""
    by_id_only: frozenset[str] = frozenset()
    """Offers that plain names never mean."""
    source_keys: Mapping[str, str] = field(default_factory=dict)
    """Keys of the sources by offer, where they differ from it."""
    moving_names: Mapping[str, str] = field(default_factory=dict)
    """Names like `~openai/gpt-latest` by the offer that they stand for now."""
    evidence: Mapping[str, Sequence[QualityScore]] = field(default_factory=dict)
    """Curated scores by canonical model id."""
    editions: Sequence[ScoreEdition] = ()
    corrections: Mapping[ScoreKey, QualityScore] = field(default_factory=dict)
    """What people have set."""
    decisions: Mapping[str, HandDecision] = field(default_factory=dict)
    """What people have said about models and offers, by name."""
    aliases: AliasTable = field(default_factory=AliasTable)
    providers: Mapping[str, Provider] = field(default_factory=dict)
    """Sellers that are known by themselves, by id."""
