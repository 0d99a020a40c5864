"""What was read of one body, and what of it was left out."""

from dataclasses import dataclass

from steelyard_catalog.entries import DroppedEntry
from steelyard_catalog.json_text import CatalogueFormatError, FormatProblem
from steelyard_registry.domain.quality.editions import Observation

# The fullest real edition has 1900 observations; a list of all figures of 700 models, 12000.
MAX_OBSERVATIONS = 50_000


@dataclass(frozen=True, slots=True)
class ReadScores:
    """Observations in the source's order, and what was wrong with the rest.

    What the source says of other things (categories, benchmarks) is in neither.
    """

    observations: tuple[Observation, ...]
    dropped: tuple[DroppedEntry, ...]


class Gathering:
    """Collects what a reader finds, within bounds."""

    def __init__(self) -> None:
        self._observations: list[Observation] = []
        self._dropped: list[DroppedEntry] = []
        self._claimed: set[str] = set()

    def claim(self, key: str) -> bool:
        """Return whether an entry is the first of its key; others are dropped as duplicates."""
        if key in self._claimed:
            self.drop(key, "duplicate")
            return False
        self._claimed.add(key)
        return True

    def add(self, observation: Observation) -> None:
        """Take over an observation.

        Raises:
            CatalogueFormatError: There are more than `MAX_OBSERVATIONS`.
        """
        self._observations.append(observation)
        _check_count(self._observations)

    def drop(self, key: str, problem: str) -> None:
        """Leave an entry out.

        Raises:
            CatalogueFormatError: There are more than `MAX_OBSERVATIONS` of them.
        """
        self._dropped.append(DroppedEntry(key, problem))
        _check_count(self._dropped)

    def finish(self) -> ReadScores:
        """Return everything.

        Raises:
            CatalogueFormatError: There is no observation.
        """
        if not self._observations:
            raise CatalogueFormatError(FormatProblem.EMPTY, "has no usable entry")
        return ReadScores(tuple(self._observations), tuple(self._dropped))


def _check_count(entries: list[Observation] | list[DroppedEntry]) -> None:
    # Half of a table is worse than the last good one, so an endless one is refused as a whole.
    if len(entries) > MAX_OBSERVATIONS:
        raise CatalogueFormatError(
            FormatProblem.NOT_AN_OBJECT, f"has more than {MAX_OBSERVATIONS} entries"
        )
