"""LiveBench's tables: percent of right answers in each group of questions."""

from collections.abc import Collection, Mapping
from statistics import fmean

from steelyard_registry.adapters.score_readers import figures
from steelyard_registry.adapters.score_readers.bodies import Row, read_table, unpacked
from steelyard_registry.adapters.score_readers.gathering import Gathering, ReadScores
from steelyard_registry.domain.quality.editions import Observation
from steelyard_registry.domain.quality.scores import Task

# Columns of all tables from June 2024 to June 2026. A table has some of them: questions are
# replaced by harder ones, which then have another column.
_COLUMNS = {
    "Reasoning": (
        "house_traversal",
        "logic_with_navigation",
        "spatial",
        "temporal",
        "theory_of_mind",
        "web_of_lies_v2",
        "web_of_lies_v3",
        "zebra_puzzle",
    ),
    "Coding": (
        "LCB_generation",
        "code_completion",
        "code_generation",
        "coding_completion",
        "completion",
    ),
    "Agentic Coding": ("javascript", "python", "typescript"),
    "Mathematics": (
        "AMPS_Hard",
        "integrals_with_game",
        "math_comp",
        "math_proof_comp",
        "olympiad",
    ),
    "Data Analysis": ("consecutive_events", "cta", "tablejoin", "tablereformat"),
    "Language": ("connections", "movie_unscrambling", "plot_unscrambling", "typos"),
    "IF": ("paraphrase", "simplify", "story_generation", "summarize"),
}
# The other categories count in the overall mean only.
_TASKS = {
    "Reasoning": Task.REASONING,
    "Coding": Task.CODING,
    "Agentic Coding": Task.CODING,
    "Mathematics": Task.MATH,
}
_OVERALL = "Overall"
# Every table has had six categories or more; a mean of fewer says little of general use.
_MIN_CATEGORIES = 6
_PERCENT = 100.0


def read_livebench(body: bytes) -> ReadScores:
    """Read a table; each category of a model is the mean of the columns that the table has.

    A category counts only where all of its columns are filled, and the overall mean of categories
    only where all categories are. Values are shares from 0 to 1.

    Raises:
        CatalogueFormatError: The body as a whole is not such a table.
    """
    table = read_table(unpacked(body), ("model",))
    categories = _categories_of(table.columns)
    gathering = Gathering()
    for position, row in enumerate(table.rows):
        model = figures.name(row.get("model"))
        if not model:
            gathering.drop(f"row[{position}]", "bad_name")
        elif gathering.claim(model):
            _add_model(gathering, model, row, categories)
    return gathering.finish()


def _categories_of(columns: Collection[str]) -> Mapping[str, tuple[str, ...]]:
    """Return the columns of each category that the table has."""
    present = {
        category: tuple(column for column in known if column in columns)
        for category, known in _COLUMNS.items()
    }
    return {category: known for category, known in present.items() if known}


def _add_model(
    gathering: Gathering, model: str, row: Row, categories: Mapping[str, tuple[str, ...]]
) -> None:
    means: dict[str, float] = {}
    for category, columns in categories.items():
        cells = [row.get(column, "") for column in columns]
        shares = [_share(cell) for cell in cells]
        filled = [share for share in shares if share is not None]
        if len(filled) == len(columns):
            means[category] = fmean(filled)
        elif any(cell.strip() and share is None for cell, share in zip(cells, shares, strict=True)):
            gathering.drop(f"{model}/{category}", "bad_figure")
    for category, task in _TASKS.items():
        if category in means:
            gathering.add(_observation(model, category, task, means[category]))
    if len(means) == len(categories) >= _MIN_CATEGORIES:
        gathering.add(_observation(model, _OVERALL, Task.GENERAL, fmean(means.values())))


def _share(cell: str) -> float | None:
    return figures.share(figures.decimal_text(cell), whole=_PERCENT)


def _observation(model: str, category: str, task: Task, value: float) -> Observation:
    return Observation(
        source_model=model,
        task=task,
        metric=f"livebench-{category.lower().replace(' ', '-')}",
        category=category,
        value=value,
    )
