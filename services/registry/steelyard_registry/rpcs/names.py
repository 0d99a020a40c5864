"""Names in requests."""

from steelyard_common.errors import ModelNotFoundError
from steelyard_registry.domain.catalogue import Catalogue
from steelyard_registry.domain.models import Model


def found(catalogue: Catalogue, name: str) -> Model:
    """Return the model that a name means.

    Raises:
        ModelNotFoundError: None, with the nearest names.
    """
    model = catalogue.find(name)
    if model is None:
        raise ModelNotFoundError(name, catalogue.nearest(name))
    return model
