"""Usages: counts by class, in the order of the contract's fields."""

from collections.abc import Sequence

from steelyard.common.v1 import usage_pb2
from steelyard_common.errors import FieldViolation, InvalidFieldError
from steelyard_pricing.domain.components import USAGE_CLASSES
from steelyard_pricing.domain.quote import MAX_COUNT, UsageLines

FIELDS = tuple(f"{usage_class.name}_count" for usage_class in USAGE_CLASSES)
_INDEX_BY_NUMBER = {
    usage_pb2.Usage.DESCRIPTOR.fields_by_name[name].number: index
    for index, name in enumerate(FIELDS)
}


def from_usage(usage: usage_pb2.Usage, path: str = "usage") -> tuple[int, ...]:
    """Return the counts of a usage.

    Raises:
        InvalidFieldError: A count is out of range; every such field is named.
    """
    counts = [0] * len(FIELDS)
    is_sane = True
    # Only the fields that are set: a usage has three of two dozen.
    for descriptor, count in usage.ListFields():
        counts[_INDEX_BY_NUMBER[descriptor.number]] = count
        is_sane = is_sane and 0 <= count <= MAX_COUNT
    if not is_sane:
        raise InvalidFieldError.of(
            [
                FieldViolation(f"{path}.{name}", f"must be from 0 to {MAX_COUNT}")
                for name, count in zip(FIELDS, counts, strict=True)
                if not 0 <= count <= MAX_COUNT
            ]
        )
    return tuple(counts)


def to_usage(counts: Sequence[int]) -> usage_pb2.Usage:
    """Return the message of counts."""
    return usage_pb2.Usage(
        **{name: count for name, count in zip(FIELDS, counts, strict=True) if count}
    )


def usage_lines(usage: usage_pb2.Usage) -> UsageLines:
    """Return a usage ready to be priced.

    Raises:
        InvalidFieldError: A count is out of range.
    """
    return UsageLines.of(from_usage(usage))
