"""Names of score sources that are joined to no model, in order."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence

from steelyard_registry.domain.grading import UnjoinedName


def place_of(name: UnjoinedName) -> str:
    """Return where a name stands in lists; those of one source follow each other."""
    return f"{name.source}\n{name.source_model}"


def names_of(unjoined: Iterable[UnjoinedName], source: str = "") -> list[UnjoinedName]:
    """Return each name once, by source, then by name; with a source, only its own."""
    wanted = {place_of(name): name for name in unjoined if source in {"", name.source}}
    return [wanted[place] for place in sorted(wanted)]


def after(names: Sequence[UnjoinedName], place: str) -> Sequence[UnjoinedName]:
    """Return those of sorted names that come after a place, which may be vacant by now."""
    return names[bisect_right(names, place, key=place_of) :]
