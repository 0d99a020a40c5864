"""What a leaderboard or benchmark table said on one day, before anybody interprets it."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from steelyard_registry.domain.quality.scores import Task


class ScoreSource(StrEnum):
    """Who measures; the values are what answers and settings call them."""

    ARENA = "arena"
    ARENA_VISION = "arena-vision"
    ARTIFICIAL_ANALYSIS = "artificial-analysis"
    LIVEBENCH = "livebench"
    LLM_STATS = "llm-stats"


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One figure of one model in one edition, in the source's own words and unit."""

    source_model: str
    """Name in the source's spelling."""
    task: Task
    metric: str
    """What is measured: `elo`, `mmlu`, `intelligence-index`... Unit and range go with it."""
    category: str
    """The source's own word for it, e.g. `hard_6`, `Humanity's Last Exam`."""
    value: float
    """Ratings as they are; shares of right answers from 0 to 1; more is better."""
    low: float | None = None
    """Lower end of the 95 % interval; None when it is not published."""
    high: float | None = None
    sample_count: int = 0
    """Votes or questions; 0 means not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreEdition:
    """Everything that a source said on one day. Figures of two editions are never compared."""

    source: ScoreSource
    edition_date: date
    """The day that the source names, else the first day on which this content was seen."""
    observations: tuple[Observation, ...]
    fetched_time: datetime
    sha256: str
    """Of the body it was read from."""


KEPT_EDITIONS = 4


def with_edition(known: tuple[ScoreEdition, ...], new: ScoreEdition) -> tuple[ScoreEdition, ...]:
    """Return the editions of a source with a new one, the newest first.

    Old ones are kept for models that new ones leave out: of each quarter of a year the last, and
    not more than four in all. An edition of the same day takes the place of the one before.
    """
    others = [each for each in known if each.edition_date != new.edition_date]
    newest_first = sorted([new, *others], key=lambda each: each.edition_date, reverse=True)
    kept: dict[tuple[int, int], ScoreEdition] = {}
    for each in newest_first:
        kept.setdefault((each.edition_date.year, (each.edition_date.month - 1) // 3), each)
    return tuple(kept.values())[:KEPT_EDITIONS]
