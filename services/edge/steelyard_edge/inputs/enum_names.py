"""Values of the contract's enums, as REST names them: `chat` for MODE_CHAT."""

from collections.abc import Mapping
from typing import Any

from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper

from steelyard.common.v1.model_traits_pb2 import Capability, Mode
from steelyard.pricing.v1.price_change_pb2 import HeldChangeState
from steelyard.pricing.v1.price_pb2 import PriceComponent
from steelyard.pricing.v1.pricing_service_pb2 import PriceView, Review
from steelyard.registry.v1.quality_pb2 import Task
from steelyard.registry.v1.registry_service_pb2 import CatalogEventKind, QualitySource
from steelyard_common.errors import InvalidFieldError


class EnumNames:
    """The names of one enum."""

    def __init__(self, enum: Any, prefix: str) -> None:
        """Take a generated enum and what all its names begin with."""
        wrapper: EnumTypeWrapper = enum
        self._numbers: Mapping[str, int] = {
            name.removeprefix(prefix).lower(): number for name, number in wrapper.items() if number
        }

    @property
    def schema(self) -> dict[str, Any]:
        """The names, for OpenAPI."""
        return {"enum": list(self._numbers)}

    def number(self, name: str | None, field: str) -> Any:
        """Return the number of a name, 0 for none.

        Raises:
            InvalidFieldError: It is no such name; `field` is where it stood.
        """
        if name is None:
            return 0
        if name not in self._numbers:
            raise InvalidFieldError(field, f"must be one of {', '.join(self._numbers)}")
        return self._numbers[name]


MODES = EnumNames(Mode, "MODE_")
CAPABILITIES = EnumNames(Capability, "CAPABILITY_")
COMPONENTS = EnumNames(PriceComponent, "PRICE_COMPONENT_")
HELD_STATES = EnumNames(HeldChangeState, "HELD_CHANGE_STATE_")
REVIEWS = EnumNames(Review, "REVIEW_")
VIEWS = EnumNames(PriceView, "PRICE_VIEW_")
TASKS = EnumNames(Task, "TASK_")
QUALITY_SOURCES = EnumNames(QualitySource, "QUALITY_SOURCE_")
CATALOG_EVENT_KINDS = EnumNames(CatalogEventKind, "CATALOG_EVENT_KIND_")
