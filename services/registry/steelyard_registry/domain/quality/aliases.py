"""What people wrote down about names that no rule can read."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from steelyard_registry.domain.quality.editions import ScoreSource


@dataclass(frozen=True, slots=True, kw_only=True)
class AliasTable:
    """Meanings by name, spelled as `name_rules.folded` does: lower case, dashes for dots."""

    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Canonical ids that a name means in every source: the first that the catalogue has counts."""
    of_source: Mapping[ScoreSource, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    """The same for names that one source uses in its own way; goes before everything else."""
    variants: Mapping[ScoreSource, Mapping[str, str]] = field(default_factory=dict)
    """How a source ran what it calls by the name alone, where that is not the model's default."""
    not_sold: Mapping[str, str] = field(default_factory=dict)
    """Why a name is sold as nothing, in a few words."""
    ambiguous: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The models that a name may mean."""
    families: frozenset[str] = frozenset()
    """First words of names that are understood although nobody in the catalogue makes them."""

    def own_meaning(self, source: ScoreSource, name: str) -> tuple[str, ...]:
        """Return what a folded name means in this source only; empty when nothing is written."""
        return self.of_source.get(source, {}).get(name, ())

    def variant(self, source: ScoreSource, name: str) -> str:
        """Return how a source ran what it calls by this folded name; empty for the default."""
        return self.variants.get(source, {}).get(name, "")
