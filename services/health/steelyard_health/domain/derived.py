"""Values that are worth keeping for as long as what they are made of stays the same object."""

from collections.abc import Callable, Hashable, Iterable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
S = TypeVar("S")
V = TypeVar("V")


class Derived(Generic[K, S, V]):
    """One derived value per key. Sources are compared by identity; forgets all when full."""

    def __init__(self, derive: Callable[[K, S], V], *, capacity: int) -> None:
        self._derive = derive
        self._capacity = capacity
        self._kept: dict[K, tuple[S, V]] = {}

    def has_all(self, keys: Iterable[K]) -> bool:
        """Say whether something is kept for each key."""
        return self._kept.keys() >= set(keys)

    def get(self, key: K, source: S) -> V:
        """Return the value of `source`, derived again only when it is another object."""
        kept = self._kept.get(key)
        if kept is not None and kept[0] is source:
            return kept[1]
        if len(self._kept) >= self._capacity:
            self._kept.clear()
        value = self._derive(key, source)
        self._kept[key] = (source, value)
        return value
