"""Checks `google.api.field_behavior = REQUIRED`, read from descriptors once per message type."""

from collections.abc import Callable, Iterable
from typing import Any

from google.api import field_behavior_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from steelyard_common.errors import FieldViolation, InvalidFieldError

PROBLEM = "is required"

# Appends the paths of the fields that are missing below a message.
_Search = Callable[[Any, str, list[str]], None]


class RequiredFields:
    """Finds fields that are required and not set, in nested and repeated messages too.

    A field without presence counts as missing when it has its default value, a list or map when
    it is empty.
    """

    def __init__(self) -> None:
        self._plans: dict[str, list[_Search]] = {}

    def checker(self, message_type: Descriptor) -> Callable[[Message], None]:
        """Return a function that raises InvalidFieldError naming every missing field."""
        plan = self._plan(message_type)
        if not plan or not _asks_for_anything(message_type, set()):
            return _accept

        def check(message: Message) -> None:
            missing: list[str] = []
            for search in plan:
                search(message, "", missing)
            if missing:
                raise InvalidFieldError.of([FieldViolation(path, PROBLEM) for path in missing])

        return check

    def _plan(self, message_type: Descriptor) -> list[_Search]:
        plan = self._plans.get(message_type.full_name)
        if plan is None:
            # Known before it is filled: message types may contain themselves.
            plan = self._plans[message_type.full_name] = []
            for field in message_type.fields:
                plan.extend(self._searches(field))
        return plan

    def _searches(self, field: FieldDescriptor) -> list[_Search]:
        searches = [_presence(field)] if _is_required(field) else []
        nested = _nested_type(field)
        if nested is not None and _asks_for_anything(nested, set()):
            searches.append(_descent(field, self._plan(nested)))
        return searches


def _accept(message: Message) -> None:
    del message


def _is_required(field: FieldDescriptor) -> bool:
    # Any: the stubs of google.api describe extensions in terms that those of protobuf do not know.
    extension: Any = field_behavior_pb2.field_behavior
    behaviors: Iterable[int] = field.GetOptions().Extensions[extension]
    return field_behavior_pb2.REQUIRED in behaviors


def _is_map(field: FieldDescriptor) -> bool:
    nested = field.message_type
    return field.is_repeated and nested is not None and nested.GetOptions().map_entry


def _nested_type(field: FieldDescriptor) -> Descriptor | None:
    """Return the message type that a field holds, the type of the values for a map."""
    nested = field.message_type
    if nested is not None and _is_map(field):
        return nested.fields_by_name["value"].message_type
    return nested


def _asks_for_anything(message_type: Descriptor, seen: set[str]) -> bool:
    if message_type.full_name in seen:
        return False
    seen.add(message_type.full_name)
    for field in message_type.fields:
        nested = _nested_type(field)
        if _is_required(field) or (nested is not None and _asks_for_anything(nested, seen)):
            return True
    return False


def _presence(field: FieldDescriptor) -> _Search:
    name = field.name

    def by_presence(message: Any, prefix: str, missing: list[str]) -> None:
        if not message.HasField(name):
            missing.append(prefix + name)

    def by_value(message: Any, prefix: str, missing: list[str]) -> None:
        if not getattr(message, name):
            missing.append(prefix + name)

    return by_presence if field.has_presence else by_value


def _descent(field: FieldDescriptor, plan: list[_Search]) -> _Search:
    single_or_list = _list_items if field.is_repeated else _submessage
    children = _map_values if _is_map(field) else single_or_list
    name = field.name

    def descend(message: Any, prefix: str, missing: list[str]) -> None:
        for label, child in children(message, name):
            path = f"{prefix}{label}."
            for search in plan:
                search(child, path, missing)

    return descend


def _submessage(message: Any, name: str) -> Iterable[tuple[str, Any]]:
    return ((name, getattr(message, name)),) if message.HasField(name) else ()


def _list_items(message: Any, name: str) -> Iterable[tuple[str, Any]]:
    return ((f"{name}[{index}]", item) for index, item in enumerate(getattr(message, name)))


def _map_values(message: Any, name: str) -> Iterable[tuple[str, Any]]:
    return ((f"{name}[{key!r}]", value) for key, value in getattr(message, name).items())
