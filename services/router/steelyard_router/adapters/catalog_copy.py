"""The registry's models and providers as received, taken over a little at a time."""

from collections.abc import Iterator
from dataclasses import dataclass
from sys import intern

from steelyard.registry.v1 import model_pb2
from steelyard.registry.v1 import registry_service_pb2 as pb
from steelyard_router.adapters.catalog_messages import to_offers, to_providers
from steelyard_router.domain.catalog import Catalog, Offer

OFFERS_PER_SLICE = 24
"""Take half a millisecond to convert: requests in flight wait no longer for their turn."""
MODELS_PER_OFFER = 4
"""Models that are known already and cost as much as one offer to convert."""


@dataclass(frozen=True, slots=True)
class KeptModel:
    """One model: bytes take a fifth of the memory of a message, and compare quickly."""

    encoded: bytes
    """A WatchCatalogResponse with nothing else in it: such messages can be strung together."""
    aliases: tuple[str, ...]
    offers: tuple[Offer, ...]

    def has_names_of(self, other: "KeptModel") -> bool:
        if self is other:
            return True
        ids, others = ([each.offer for each in it.offers] for it in (self, other))
        return ids == others and self.aliases == other.aliases


class CatalogCopy:
    """One version of the registry's catalogue, or the way to it."""

    def __init__(self) -> None:
        self.version = 0
        self.models: dict[str, KeptModel] = {}
        """By canonical id."""
        self._providers: tuple[model_pb2.Provider, ...] = ()
        self._is_stale = False

    def clone(self) -> "CatalogCopy":
        """Return a copy that can be changed without this one."""
        copy = CatalogCopy()
        copy.version, copy._is_stale = self.version, self._is_stale
        copy.models, copy._providers = dict(self.models), self._providers
        return copy

    def take(self, part: pb.WatchCatalogResponse, known: "CatalogCopy") -> Iterator[None]:
        """Take over one message of the stream, with a pause at each step of the iterator.

        Args:
            part: The message.
            known: Where models may be found that look the same: they are not converted again.
        """
        for name in part.removed_models:
            self.models.pop(name, None)
        work = 0
        for model in part.models:
            encoded = pb.WatchCatalogResponse(models=[model]).SerializeToString()
            kept = known.models.get(model.model)
            if kept is None or kept.encoded != encoded:
                kept = KeptModel(encoded, tuple(model.aliases), to_offers(model))
                work += len(kept.offers) * MODELS_PER_OFFER
            self.models[intern(model.model)] = kept
            work += 1
            if work >= OFFERS_PER_SLICE * MODELS_PER_OFFER:
                work = 0
                yield
        if part.providers:
            self._providers = tuple(part.providers)
        self._is_stale = part.stale
        self.version = part.catalog_version

    def has(self, part: pb.WatchCatalogResponse) -> bool:
        """Say whether a message brings nothing new, as the first one to a returning caller."""
        is_empty = not (part.snapshot_start or part.models or part.removed_models or part.providers)
        return is_empty and (part.catalog_version, part.stale) == (self.version, self._is_stale)

    def has_names_of(self, other: "CatalogCopy") -> bool:
        """Say whether models, offers and aliases are called the same in both."""
        others = other.models
        return self.models.keys() == others.keys() and all(
            kept.has_names_of(others[name]) for name, kept in self.models.items()
        )

    def catalog(self) -> Catalog:
        """Return everything, indexed: a tenth of a second's work for all real models."""
        return Catalog.of(
            self.version,
            self._offers(),
            to_providers(self._providers),
            aliases={name: kept.aliases for name, kept in self.models.items()},
            is_stale=self._is_stale,
        )

    def renewed(self, catalog: Catalog) -> Catalog:
        """Return everything, with the index of a catalogue in which all is called the same."""
        return catalog.renewed(
            self.version,
            self._offers(),
            to_providers(self._providers),
            is_stale=self._is_stale,
        )

    def snapshot(self) -> bytes:
        """Return everything as one message that `take` takes."""
        rest = pb.WatchCatalogResponse(
            providers=self._providers,
            catalog_version=self.version,
            snapshot_start=True,
            snapshot_complete=True,
            stale=self._is_stale,
        ).SerializeToString()
        return b"".join((*(kept.encoded for kept in self.models.values()), rest))

    def _offers(self) -> Iterator[Offer]:
        return (offer for kept in self.models.values() for offer in kept.offers)
