"""Collects everything that is wrong with a request, to tell it all at once."""

import math
from collections.abc import Collection
from datetime import timedelta

from google.protobuf.duration_pb2 import Duration

from steelyard_common.errors import FieldViolation, InvalidFieldError


class Violations:
    """Fields at fault and why."""

    def __init__(self) -> None:
        self._found: list[FieldViolation] = []

    def add(self, field: str, problem: str) -> None:
        self._found.append(FieldViolation(field, problem))

    def raise_any(self) -> None:
        """Raise what was found.

        Raises:
            InvalidFieldError: Something was.
        """
        if self._found:
            raise InvalidFieldError.of(self._found)

    def range(self, field: str, value: float, least: float, most: float) -> None:
        """Note a number outside of `least` to `most`; NaN is outside of everything."""
        if not least <= value <= most:
            self.add(field, f"must be {least:.15g} to {most:.15g}")

    def at_least(self, field: str, value: float, least: float) -> None:
        """Note a number that is smaller, infinite or none at all."""
        if not (value >= least and math.isfinite(value)):
            self.add(field, f"must be a number >= {least:g}")

    def at_most(self, field: str, count: int, most: int, what: str) -> None:
        if count > most:
            self.add(field, f"must have at most {most} {what}")

    def one_of(self, field: str, value: str, allowed: Collection[str]) -> None:
        """Note a text that is neither empty nor allowed."""
        if value and value not in allowed:
            self.add(field, f"must be one of {', '.join(allowed)}")

    def number_of(self, field: str, value: int, known: Collection[int]) -> None:
        """Note an enum's number that this version does not know; 0 means unset."""
        if value and value not in known:
            self.add(field, "is not a value that this version knows")

    def positive_seconds(self, field: str, duration: Duration) -> float:
        """Return the seconds of a duration, which has to be longer than nothing."""
        try:
            seconds = duration.ToTimedelta() / timedelta(seconds=1)
        except (OverflowError, ValueError):
            seconds = math.nan
        if not seconds > 0:
            self.add(field, "must be longer than 0 s")
        return seconds
