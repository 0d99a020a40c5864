"""Finds models by every spelling that the catalogue knows, in constant time."""

from collections.abc import Iterable, Mapping

from steelyard_registry.domain.models import Model
from steelyard_registry.domain.quality.name_rules import folded


class ModelKeys:
    """Canonical ids first, then the names that sellers use; never a part of either."""

    def __init__(self, models: Iterable[Model]) -> None:
        known = tuple(models)
        self._ids = {offer.offer.lower(): model.model for model in known for offer in model.offers}
        self._ids |= {model.model.lower(): model.model for model in known}
        joined = [model for model in known if "/" not in model.model]
        alone = [model for model in known if "/" in model.model]
        self._layers = (
            _by_key((folded(model.model), model.model) for model in joined),
            _by_key((_own_key(model.model), model.model) for model in alone),
            _by_key(
                (_own_key(offer.provider_model.lower()), model.model)
                for model in known
                for offer in model.offers
            ),
        )

    def exact(self, name: str) -> str | None:
        """Return the model with this id or with an offer of this id; `name` is in lower case."""
        return self._ids.get(name)

    def find(self, name: str) -> tuple[str, ...]:
        """Return the models that a tidied name may mean: none, one, or several when unclear."""
        known = self._ids.get(name)
        if known is not None:
            return (known,)
        key = folded(name)
        return next((layer[key] for layer in self._layers if key in layer), ())


def _own_key(name: str) -> str:
    return folded(name.rpartition("/")[2])


def _by_key(pairs: Iterable[tuple[str, str]]) -> Mapping[str, tuple[str, ...]]:
    models: dict[str, list[str]] = {}
    for key, model in dict.fromkeys(pairs):
        models.setdefault(key, []).append(model)
    return {key: tuple(meant) for key, meant in models.items()}
