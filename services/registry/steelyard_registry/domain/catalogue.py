"""An immutable, indexed picture of everything that is sold."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from types import MappingProxyType

from steelyard_catalog.names import NameIndex, OfferName, canonical_name
from steelyard_catalog.nearest import Nearest
from steelyard_registry.domain.assembly import assemble, scores_of
from steelyard_registry.domain.facts import Facts
from steelyard_registry.domain.models import Model
from steelyard_registry.domain.providers import Provider, with_sellers
from steelyard_registry.domain.quality.scores import QualityScore


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """The part of a catalogue that watchers copy; cheap to keep."""

    version: int
    """Strictly increasing, also over restarts."""
    models: Mapping[str, Model]
    """By id, in order of id."""
    providers: tuple[Provider, ...]
    is_stale: bool
    """Whether the sources were last confirmed longer ago than the freshness setting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What leads from one edition to a later one."""

    models: tuple[Model, ...]
    """New or changed, whole."""
    removed: tuple[str, ...]
    providers: tuple[Provider, ...] | None
    """All of them when one changed."""


class Catalogue:
    """One edition with the indexes to query it."""

    def __init__(self, facts: Facts, edition: Edition) -> None:
        """Index an edition; takes a few hundred milliseconds for all real models."""
        self.edition = edition
        self._evidence = facts.evidence
        self._model_of_offer = {
            offer.offer: model for model in edition.models.values() for offer in model.offers
        }
        self._names = NameIndex(
            OfferName(
                offer.offer,
                offer.provider,
                offer.provider_model,
                offer.model,
                facts.source_keys.get(offer.offer, ""),
            )
            for model in edition.models.values()
            for offer in model.offers
        )
        self._moving = {
            name.lower(): offer
            for offer, name in facts.moving_names.items()
            if offer in self._model_of_offer
        }
        self._nearest = Nearest(edition.models)
        self._providers = {provider.provider: provider for provider in edition.providers}

    @classmethod
    def build(
        cls,
        facts: Facts,
        *,
        version: int,
        today: date,
        is_stale: bool,
        previous: Edition | None = None,
    ) -> "Catalogue":
        """Join, index and number the facts; models that did not change are taken over."""
        assembled = assemble(facts, today)
        known = previous.models if previous is not None else {}
        models = {each.model: _kept(known.get(each.model), each) for each in assembled}
        counts = Counter(offer.provider for offer in facts.offers)
        edition = Edition(
            version=version,
            models=MappingProxyType(models),
            providers=with_sellers(facts.providers, counts),
            is_stale=is_stale,
        )
        return cls(facts, edition)

    def find(self, name: str) -> Model | None:
        """Return a model by canonical id, offer id or alias."""
        models = self.edition.models
        if name in models:
            return models[name]
        offer = self._names.resolve(name) or self._moving.get(name.lower())
        if offer is not None:
            return self._model_of_offer[offer]
        # Nobody's own model, spelled in another way: `claude-3.5-sonnet`, `gpt-oss:20b`.
        return models.get(canonical_name("", name, "chat")) if "/" not in name else None

    def nearest(self, name: str) -> list[str]:
        """Return the ids of models whose names come closest to an unknown one."""
        return self._nearest.find(name)

    def provider(self, provider: str) -> Provider | None:
        """Return a seller by id."""
        return self._providers.get(provider)

    def scores(self, model: Model) -> tuple[QualityScore, ...]:
        """Return every score of a model, those included that the blend sets aside."""
        return scores_of(model.model, model.mode, self._evidence)


def difference(older: Edition, newer: Edition) -> Change:
    """Return what changed between two editions."""
    return Change(
        models=tuple(
            model for model in newer.models.values() if older.models.get(model.model) != model
        ),
        removed=tuple(each for each in older.models if each not in newer.models),
        providers=newer.providers if newer.providers != older.providers else None,
    )


def _kept(known: Model | None, new: Model) -> Model:
    """Return the known model when nothing but the time of reading differs.

    Watchers then hear of true changes only, and editions share memory.
    """
    if known is None or len(known.offers) != len(new.offers):
        return new
    read_before = tuple(
        replace(offer, observed_time=before.observed_time)
        for offer, before in zip(new.offers, known.offers, strict=True)
    )
    return known if replace(new, offers=read_before) == known else new
