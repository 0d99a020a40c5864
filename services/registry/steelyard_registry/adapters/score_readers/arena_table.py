"""The Arena's overall leaderboard as a table, in its layouts of 2024 and 2025."""

import re

from steelyard_registry.adapters.score_readers import figures
from steelyard_registry.adapters.score_readers.bodies import Row, read_table
from steelyard_registry.adapters.score_readers.gathering import Gathering, ReadScores
from steelyard_registry.domain.quality.editions import Observation
from steelyard_registry.domain.quality.scores import Task

# The table does not name its category.
CATEGORY = "overall"
_REQUIRED = ("model", "95_pct_ci", "votes")
# `arena_elo` until mid 2024, `arena_score` since.
_RATINGS = ("arena_score", "arena_elo")
_INTERVAL = re.compile(r"\+(\d{1,4}(?:\.\d{1,6})?)/-(\d{1,4}(?:\.\d{1,6})?)", re.ASCII)


def read_arena_table(plain: bytes, task: Task, metric: str) -> ReadScores:
    """Read an unpacked table; every row is one model's rating, interval and votes.

    Raises:
        CatalogueFormatError: The body as a whole is not such a table.
    """
    gathering = Gathering()
    for position, row in enumerate(read_table(plain, _REQUIRED).rows):
        model, value = figures.name(row.get("model")), _rating(row)
        if not model:
            gathering.drop(f"row[{position}]", "bad_name")
        elif value is None:
            gathering.drop(model, "bad_rating")
        elif gathering.claim(model):
            low, high = _interval(row.get("95_pct_ci", ""), value)
            gathering.add(
                Observation(
                    source_model=model,
                    task=task,
                    metric=metric,
                    category=CATEGORY,
                    value=value,
                    low=low,
                    high=high,
                    sample_count=figures.count_text(row.get("votes", "")),
                )
            )
    return gathering.finish()


def _rating(row: Row) -> float | None:
    text = next((row[column] for column in _RATINGS if column in row), "")
    return figures.rating(figures.decimal_text(text))


def _interval(text: str, value: float) -> tuple[float, float] | tuple[None, None]:
    match = _INTERVAL.fullmatch(text.strip())
    if match is None:
        return None, None
    above, below = match.groups()
    return value - float(below), value + float(above)
