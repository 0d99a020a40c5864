"""The router's copy of the registry's catalogue: immutable, indexed once, swapped whole."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType

from steelyard_router.domain.names import NameIndex

UNKNOWN_CONTEXT_TOKENS = 8_192
"""Window of an offer whose source does not name one: enough for small prompts only."""

TASKS = MappingProxyType({"code": "coding", "reasoning": "reasoning", "analysis": "reasoning"})
"""Task whose quality counts for a task type; for the others the general one does."""


@dataclass(frozen=True, slots=True)
class Quality:
    """How good a model is, 0 to 100, and the half width of the interval around it."""

    score: float
    uncertainty: float = 0.0
    basis: str = ""
    tasks: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Score and uncertainty by task, e.g. `coding`, where there is evidence of its own."""

    def for_task(self, task_type: str) -> tuple[float, float]:
        """Return score and uncertainty for a task type; the general ones without evidence."""
        return self.tasks.get(TASKS.get(task_type, ""), (self.score, self.uncertainty))


@dataclass(frozen=True, slots=True)
class Offer:
    """One model at one provider, as far as routing goes."""

    offer: str
    model: str
    provider: str
    is_chat: bool
    capabilities: int
    """Mask of what the source flags; what it does not say is not there."""
    quality: Quality
    context_tokens: int = 0
    """Largest prompt; 0 means not known."""
    max_output_tokens: int = 0
    """Largest completion; 0 means not known."""
    is_deprecated: bool = False
    deprecation_date: date | None = None
    regions: frozenset[str] = frozenset()

    @property
    def window(self) -> int:
        return self.context_tokens or UNKNOWN_CONTEXT_TOKENS

    def is_served_on(self, day: date) -> bool:
        ended = self.deprecation_date is not None and self.deprecation_date <= day
        return not (self.is_deprecated or ended)


@dataclass(frozen=True, slots=True)
class Provider:
    """A seller; `needs_key` is false for local models."""

    provider: str
    is_routable: bool
    needs_key: bool = True


@dataclass(frozen=True, slots=True)
class Catalog:
    """One version of everything that can be routed to."""

    version: int
    offers: tuple[Offer, ...]
    """By offer id."""
    providers: Mapping[str, Provider]
    names: NameIndex
    by_id: Mapping[str, Offer]
    """In the order of `offers`."""
    is_stale: bool = False
    """Whether the registry's sources are stale."""

    @classmethod
    def of(
        cls,
        version: int,
        offers: Iterable[Offer],
        providers: Iterable[Provider],
        *,
        aliases: Mapping[str, Iterable[str]] = MappingProxyType({}),
        is_stale: bool = False,
    ) -> "Catalog":
        """Index offers.

        Args:
            version: Of the catalogue.
            offers: All of them; of each model, the maker's own first.
            providers: All that sell them.
            aliases: Other names of each model, by its canonical id.
            is_stale: Whether the registry's sources are stale.
        """
        given = tuple(offers)
        ordered = tuple(sorted(given, key=lambda offer: offer.offer))
        return cls(
            version=version,
            offers=ordered,
            providers={provider.provider: provider for provider in providers},
            names=NameIndex.of(((offer.offer, offer.model) for offer in given), aliases),
            by_id={offer.offer: offer for offer in ordered},
            is_stale=is_stale,
        )

    def renewed(
        self,
        version: int,
        offers: Iterable[Offer],
        providers: Iterable[Provider],
        *,
        is_stale: bool = False,
    ) -> "Catalog":
        """Return another version in which all offers, models and aliases are called the same.

        That is most often so, and a hundred times as quick as indexing everything again.
        """
        by_id = {**self.by_id, **{offer.offer: offer for offer in offers}}
        return Catalog(
            version=version,
            offers=tuple(by_id.values()),
            providers={provider.provider: provider for provider in providers},
            names=self.names,
            by_id=by_id,
            is_stale=is_stale,
        )
