"""Names that come close to one that does not exist."""

from collections import Counter
from collections.abc import Iterable

_MAX_LENGTH = 256
_MIN_LIKENESS = 0.3


class Nearest:
    """Finds names that share most pairs and triples of letters, from an index built once."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = sorted(set(names))
        self._postings: dict[str, list[int]] = {}
        self._sizes: list[int] = []
        for position, name in enumerate(self._names):
            pieces = _pieces(name)
            self._sizes.append(len(pieces))
            for piece in pieces:
                self._postings.setdefault(piece, []).append(position)

    def find(self, name: str, limit: int = 3) -> list[str]:
        """Return up to `limit` names, the closest first; none when nothing is like it."""
        pieces = _pieces(name[:_MAX_LENGTH])
        shared: Counter[int] = Counter()
        for piece in pieces:
            shared.update(self._postings.get(piece, ()))
        likeness = {
            position: 2 * count / (len(pieces) + self._sizes[position])
            for position, count in shared.items()
        }
        best = sorted(likeness, key=lambda position: (-likeness[position], self._names[position]))
        return [self._names[it] for it in best[:limit] if likeness[it] >= _MIN_LIKENESS]


def nearest(name: str, names: Iterable[str], limit: int = 3) -> list[str]:
    """Return up to `limit` of few names, the closest to `name` first."""
    return Nearest(names).find(name, limit)


def _pieces(name: str) -> set[str]:
    padded = f" {name.lower()} "
    return {padded[start : start + 3] for start in range(len(padded) - 2)}
