"""Finds the offers of a ranking that are too small for a request, without looking at the others."""

from bisect import bisect_left
from collections.abc import Iterable
from itertools import islice
from typing import NamedTuple


class SizeIndex(NamedTuple):
    """Positions in a ranking by what the offers have room for, smallest first."""

    windows: tuple[int, ...]
    by_window: tuple[int, ...]
    rooms: tuple[int, ...]
    by_room: tuple[int, ...]

    @classmethod
    def of(cls, sizes: Iterable[tuple[int, int]]) -> "SizeIndex":
        """Return the index of pairs of window and room for the completion, both in tokens."""
        pairs = list(sizes)
        windows = sorted((window, position) for position, (window, _) in enumerate(pairs))
        rooms = sorted((room, position) for position, (_, room) in enumerate(pairs))
        return cls(
            tuple(window for window, _ in windows),
            tuple(position for _, position in windows),
            tuple(room for room, _ in rooms),
            tuple(position for _, position in rooms),
        )

    def too_small(self, window: int, room: int) -> set[int]:
        """Return the positions of offers with a smaller window or less room than is needed."""
        small = set(islice(self.by_window, bisect_left(self.windows, window)))
        small.update(islice(self.by_room, bisect_left(self.rooms, room)))
        return small
