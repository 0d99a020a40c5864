"""Names in requests."""

from steelyard_catalog.names import MAX_NAME_LENGTH
from steelyard_common.errors import InvalidFieldError, ModelNotFoundError
from steelyard_registry.domain.catalogue import Catalogue
from steelyard_registry.domain.models import Model


def found(catalogue: Catalogue, name: str) -> Model:
    """Return the model that a name means.

    Raises:
        InvalidFieldError: It is too long to be one.
        ModelNotFoundError: None, with the nearest names.
    """
    if len(name) > MAX_NAME_LENGTH:
        raise InvalidFieldError("model", f"must have at most {MAX_NAME_LENGTH} characters")
    model = catalogue.find(name)
    if model is None:
        raise ModelNotFoundError(name, catalogue.nearest(name))
    return model
