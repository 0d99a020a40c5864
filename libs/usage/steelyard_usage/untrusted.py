"""Typed access to a body that a stranger wrote."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from enum import StrEnum

from steelyard_usage.counts import MAX_COUNT

MAX_ENTRIES = 1024
"""Longest list that is read, and most fields that an object may have."""

_MAX_PLACE = 200


class UsageProblem(StrEnum):
    """What is wrong with a body."""

    NOT_AN_OBJECT = "not_an_object"
    NOT_A_LIST = "not_a_list"
    NOT_A_COUNT = "not_a_count"
    NEGATIVE = "negative"
    TOO_LARGE = "too_large"


class UsageFormatError(ValueError):
    """A body is not what its provider documents; nothing of it can be billed."""

    def __init__(self, place: str, problem: UsageProblem) -> None:
        """Keep where and what; the value itself stays out, as it may be of any size.

        Args:
            place: The field, like `usage.prompt_tokens_details.cached_tokens`.
            problem: What is wrong with it.
        """
        super().__init__(f"{place}: {problem.value}")
        self.place = place
        self.problem = problem


class Section:
    """One object of a body. Fields that are null count as absent."""

    __slots__ = ("_fields", "_place")

    def __init__(self, value: object, place: str = "usage") -> None:
        """Take an object; null is an empty one.

        Raises:
            UsageFormatError: It is something else, or has too many fields.
        """
        self._place = place[:_MAX_PLACE]
        if value is not None and not isinstance(value, Mapping):
            raise UsageFormatError(self._place, UsageProblem.NOT_AN_OBJECT)
        self._fields: Mapping[object, object] = {} if value is None else value
        if len(self._fields) > MAX_ENTRIES:
            raise UsageFormatError(self._place, UsageProblem.TOO_LARGE)

    def raw(self, name: str) -> object:
        """Return a value as it is, None when absent."""
        return self._fields.get(name)

    def text(self, name: str) -> str:
        """Return a text, empty when absent or of another type."""
        value = self._fields.get(name)
        return value if isinstance(value, str) else ""

    def flag(self, name: str) -> bool | None:
        """Return what a flag says, None when it does not say."""
        value = self._fields.get(name)
        return value if isinstance(value, bool) else None

    def section(self, *names: str) -> "Section":
        """Return the first of these objects that is there, else an empty one."""
        for name in names:
            value = self._fields.get(name)
            if value is not None:
                return Section(value, f"{self._place}.{name}")
        return Section(None, f"{self._place}.{names[0]}")

    def entries(self, *names: str) -> Iterator["Section"]:
        """Return the objects of the first of these lists that is there."""
        for name in names:
            value = self._fields.get(name)
            if value is not None:
                return self._entries(value, f"{self._place}.{name}")
        return iter(())

    def _entries(self, value: object, place: str) -> Iterator["Section"]:
        if not isinstance(value, list):
            raise UsageFormatError(place, UsageProblem.NOT_A_LIST)
        if len(value) > MAX_ENTRIES:
            raise UsageFormatError(place, UsageProblem.TOO_LARGE)
        return (Section(entry, f"{place}[{index}]") for index, entry in enumerate(value))

    def count(self, *names: str) -> int | None:
        """Return the first of these counts that is there.

        Raises:
            UsageFormatError: It is no whole number from 0 to MAX_COUNT. `12.0` is one, as gateways
                written in languages without integers send it; `true` and `"12"` are not.
        """
        for name in names:
            value = self._fields.get(name)
            if value is not None:
                return _count(value, f"{self._place}.{name}")
        return None

    def tokens(self, *names: str) -> int:
        """Return the first of these counts that is there, 0 without: for parts of a whole."""
        return self.count(*names) or 0


def _count(value: object, place: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise UsageFormatError(place, UsageProblem.NOT_A_COUNT)
    if isinstance(value, float):
        value = Decimal(value)
    if isinstance(value, Decimal) and not value.is_finite():
        raise UsageFormatError(place, UsageProblem.NOT_A_COUNT)
    # Bounds first: an integer of a million digits is not made from `1e999999`.
    if value < 0:
        raise UsageFormatError(place, UsageProblem.NEGATIVE)
    if value > MAX_COUNT:
        raise UsageFormatError(place, UsageProblem.TOO_LARGE)
    if value != int(value):
        raise UsageFormatError(place, UsageProblem.NOT_A_COUNT)
    return int(value)
