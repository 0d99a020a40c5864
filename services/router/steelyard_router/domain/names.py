"""From the name in a request to the offers it means; never by a part of a name."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from steelyard_catalog.nearest import Nearest


@dataclass(frozen=True, slots=True)
class NameIndex:
    """Offer ids, model ids and aliases, found in one step each."""

    exact: Mapping[str, tuple[str, ...]]
    folded: Mapping[str, tuple[str, ...]]
    nearest: Nearest
    """Over the canonical ids."""

    @classmethod
    def of(
        cls, offers: Iterable[tuple[str, str]], aliases: Mapping[str, Iterable[str]]
    ) -> "NameIndex":
        """Index pairs of offer and model, in the order in which `find` shall return them.

        An alias that two models claim means neither.
        """
        by_model: dict[str, list[str]] = {}
        for offer, model in offers:
            by_model.setdefault(model, []).append(offer)
        models = {model: tuple(ids) for model, ids in by_model.items()}
        ids = {offer: (offer,) for offers_of in models.values() for offer in offers_of}
        exact = _unambiguous(models, aliases) | ids | models
        return cls(exact, _folded(exact), Nearest(models))

    def find(self, name: str) -> tuple[str, ...]:
        """Return the offers that a name means, the maker's own first; none when it is unknown."""
        return self.exact.get(name) or self.folded.get(name.casefold(), ())


def _unambiguous(
    models: Mapping[str, tuple[str, ...]], aliases: Mapping[str, Iterable[str]]
) -> dict[str, tuple[str, ...]]:
    owners: dict[str, set[str]] = {}
    for model, names in aliases.items():
        for name in names:
            owners.setdefault(name, set()).add(model)
    return {
        name: models[next(iter(owner))]
        for name, owner in owners.items()
        if len(owner) == 1 and owner <= models.keys()
    }


def _folded(exact: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Return the names without regard to case; those that mean different offers are left out."""
    folded: dict[str, set[tuple[str, ...]]] = {}
    for name, offers in exact.items():
        folded.setdefault(name.casefold(), set()).add(offers)
    return {name: next(iter(offers)) for name, offers in folded.items() if len(offers) == 1}
