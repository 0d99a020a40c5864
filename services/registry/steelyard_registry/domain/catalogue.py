"""An immutable, indexed picture of everything that is sold."""

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

import msgspec

from steelyard_catalog.names import NameIndex, OfferName, canonical_name
from steelyard_catalog.nearest import Nearest
from steelyard_registry.domain.assembly import assemble
from steelyard_registry.domain.facts import Facts
from steelyard_registry.domain.grading import Grader, Grades
from steelyard_registry.domain.models import Model, Offer
from steelyard_registry.domain.providers import Provider, with_sellers
from steelyard_registry.domain.quality.scores import QualityScore
from steelyard_registry.domain.search import SearchIndex
from steelyard_registry.domain.unjoined_offers import unjoined_offers


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

    def digest(self) -> str:
        """Return a hash of the content, the same for the same content in every process."""
        content = [*self.models.values()], self.providers, self.is_stale
        return hashlib.sha256(msgspec.msgpack.encode(content, order="deterministic")).hexdigest()


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

    def __init__(self, facts: Facts, edition: Edition, grades: Grades) -> None:
        """Index an edition; takes a few hundred milliseconds for all real models."""
        self.edition = edition
        self.unjoined = (*grades.unjoined, *unjoined_offers(edition.models.values()))
        """Names of score sources, and offers of catalogues, that are joined to no model."""
        self._scores = grades.scores
        self._model_of_offer = {
            offer.offer: model for model in edition.models.values() for offer in model.offers
        }
        self._names = _name_index(facts, edition)
        self._moving = {
            name.lower(): offer
            for offer, name in facts.moving_names.items()
            if offer in self._model_of_offer
        }
        self._nearest = Nearest(edition.models)
        self.search = SearchIndex(edition.models.values())
        self._providers = {provider.provider: provider for provider in edition.providers}

    @classmethod
    def empty(cls) -> "Catalogue":
        """Return what there is before anything is known; it is never served."""
        edition = Edition(version=0, models=MappingProxyType({}), providers=(), is_stale=True)
        return cls(Facts(offers=()), edition, Grades({}, ()))

    @classmethod
    def build(  # noqa: PLR0913 - all but one by keyword
        cls,
        facts: Facts,
        *,
        version: int,
        today: date,
        is_stale: bool,
        previous: Edition | None = None,
        grader: Grader | None = None,
    ) -> "Catalogue":
        """Join, index and number the facts; models that did not change are taken over.

        Args:
            facts: What to make it of.
            version: Its number.
            today: Decides what is deprecated, and which scores are stale.
            is_stale: Whether its sources are old.
            previous: The edition before it.
            grader: One that may have graded the same offers before.
        """
        assembled, grades = (grader or Grader()).graded(assemble(facts, today), facts, today)
        known = previous.models if previous is not None else {}
        models = {each.model: _kept(known.get(each.model), each) for each in assembled}
        counts = Counter(offer.provider for offer in facts.offers)
        edition = Edition(
            version=version,
            models=MappingProxyType(models),
            providers=with_sellers(facts.providers, counts),
            is_stale=is_stale,
        )
        return cls(facts, edition, grades)

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
        return self._scores.get(model.model, ())

    def offer(self, name: str) -> Offer | None:
        """Return an offer by its exact id."""
        model = self._model_of_offer.get(name)
        if model is None:
            return None
        return next(offer for offer in model.offers if offer.offer == name)


def _name_index(facts: Facts, edition: Edition) -> NameIndex:
    names = {
        offer.offer: OfferName(
            offer.offer,
            offer.provider,
            offer.provider_model,
            offer.model,
            facts.source_keys.get(offer.offer, ""),
        )
        for model in edition.models.values()
        for offer in model.offers
    }
    return NameIndex(
        (name for offer, name in names.items() if offer not in facts.by_id_only),
        by_id_only=[name for offer, name in names.items() if offer in facts.by_id_only],
    )


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
    """Return the known model when nothing differs: editions share memory, and compare quickly."""
    return known if known is not None and known == new else new
