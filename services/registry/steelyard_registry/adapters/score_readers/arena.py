"""The Arena's leaderboards of text and of vision: ratings from votes of people."""

from collections.abc import Mapping

from steelyard_catalog.json_text import CatalogueFormatError, FormatProblem, read_json
from steelyard_registry.adapters.score_readers import figures
from steelyard_registry.adapters.score_readers.arena_table import read_arena_table
from steelyard_registry.adapters.score_readers.bodies import is_json, unpacked
from steelyard_registry.adapters.score_readers.gathering import Gathering, ReadScores
from steelyard_registry.domain.quality.editions import Observation
from steelyard_registry.domain.quality.scores import Task

METRIC = "elo"
# The other categories are languages, professions, and cuts of the same votes.
_TEXT_TASKS = {
    "full": Task.GENERAL,
    "coding": Task.CODING,
    "math": Task.MATH,
    "hard_6": Task.REASONING,
    "long_user": Task.LONG_CONTEXT,
}
_VISION_TASKS = {"full": Task.VISION}


def read_arena(body: bytes) -> ReadScores:
    """Read a leaderboard of text, JSON of all categories or CSV of the overall one.

    Raises:
        CatalogueFormatError: The body as a whole is neither.
    """
    return _read(body, _TEXT_TASKS)


def read_arena_vision(body: bytes) -> ReadScores:
    """Read a leaderboard of questions on pictures; only its overall category counts.

    Raises:
        CatalogueFormatError: The body as a whole is not one.
    """
    return _read(body, _VISION_TASKS)


def _read(body: bytes, tasks: Mapping[str, Task]) -> ReadScores:
    plain = unpacked(body)
    if not is_json(plain):
        return read_arena_table(plain, tasks["full"], METRIC)
    document = read_json(plain)
    categories = document if isinstance(document, dict) else {}
    if not any(isinstance(categories.get(category), dict) for category in tasks):
        raise CatalogueFormatError(FormatProblem.NOT_AN_OBJECT, "has no category of the Arena")
    gathering = Gathering()
    for category, task in tasks.items():
        ratings = categories.get(category)
        if isinstance(ratings, dict):
            _read_category(gathering, category, task, ratings)
        elif category in categories:
            gathering.drop(category, "not_an_object")
    return gathering.finish()


def _read_category(
    gathering: Gathering, category: str, task: Task, ratings: Mapping[str, object]
) -> None:
    for position, (key, entry) in enumerate(ratings.items()):
        model = figures.name(key)
        if not model:
            gathering.drop(f"{category}[{position}]", "bad_name")
        elif not isinstance(entry, dict):
            gathering.drop(f"{category}/{model}", "not_an_object")
        else:
            value = figures.rating(figures.json_number(entry, "rating"))
            # Two keys may be one name once the space around them is gone.
            if value is None:
                gathering.drop(f"{category}/{model}", "bad_rating")
            elif gathering.claim(f"{category}/{model}"):
                low, high = _interval(entry, value)
                gathering.add(
                    Observation(
                        source_model=model,
                        task=task,
                        metric=METRIC,
                        category=category,
                        value=value,
                        low=low,
                        high=high,
                    )
                )


def _interval(entry: Mapping[str, object], value: float) -> tuple[float, float] | tuple[None, None]:
    low = figures.rating(figures.json_number(entry, "rating_q025"))
    high = figures.rating(figures.json_number(entry, "rating_q975"))
    if low is None or high is None or not low <= value <= high:
        return None, None
    return low, high
