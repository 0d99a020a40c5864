"""LiveBench's tables in all their layouts, with invented figures."""

import pytest

from steelyard_catalog.entries import DroppedEntry
from steelyard_catalog.json_text import CatalogueFormatError, FormatProblem
from steelyard_registry.adapters.score_readers.livebench import read_livebench
from steelyard_registry.domain.quality.scores import Task

# What each layout adds to what all of them have.
SHARED = (
    "AMPS_Hard",
    "connections",
    "math_comp",
    "paraphrase",
    "simplify",
    "story_generation",
    "summarize",
    "tablejoin",
    "tablereformat",
    "typos",
    "zebra_puzzle",
)
LAYOUTS = {
    "2024-06": ("LCB_generation", "coding_completion", "cta", "olympiad", "web_of_lies_v2"),
    "2024-11": ("LCB_generation", "coding_completion", "cta", "spatial", "web_of_lies_v2"),
    "2025-04": ("code_completion", "code_generation", "olympiad", "web_of_lies_v3"),
    "2025-05": ("code_completion", "code_generation", "javascript", "python", "typescript"),
    "2026-01": (
        *("code_completion", "code_generation", "consecutive_events", "integrals_with_game"),
        *("javascript", "logic_with_navigation", "python", "theory_of_mind", "typescript"),
    ),
}


def table(columns: tuple[str, ...], *rows: tuple[object, ...]) -> bytes:
    lines = [("model", *columns), *rows]
    return "\n".join(",".join(map(str, line)) for line in lines).encode()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_the_tasks_and_the_overall_mean(layout: str) -> None:
    columns = (*SHARED, *LAYOUTS[layout])

    read = read_livebench(table(columns, ("a", *[40.0] * len(columns))))

    agentic = [("livebench-agentic-coding", Task.CODING)] if "python" in columns else []
    assert [(each.metric, each.task) for each in read.observations] == [
        ("livebench-reasoning", Task.REASONING),
        ("livebench-coding", Task.CODING),
        *agentic,
        ("livebench-mathematics", Task.MATH),
        ("livebench-overall", Task.GENERAL),
    ]
    assert [each.value for each in read.observations] == [pytest.approx(0.4)] * (4 + len(agentic))
    assert read.dropped == ()


def test_a_category_is_the_mean_of_its_columns_and_the_overall_one_of_categories() -> None:
    columns = (*SHARED, "code_generation", "spatial")
    values = dict.fromkeys(columns, 50.0) | {
        "zebra_puzzle": 100.0,
        "spatial": 20.0,
        "code_generation": 0.0,
        "math_comp": 33.333,
    }

    read = read_livebench(table(columns, ("a", *[values[column] for column in columns])))

    assert {each.category: pytest.approx(each.value) for each in read.observations} == {
        "Reasoning": 0.6,
        "Coding": 0.0,
        "Mathematics": 0.416665,
        "Overall": (0.6 + 0.0 + 0.416665 + 3 * 0.5) / 6,
    }


def test_a_category_with_a_gap_is_left_out_and_so_is_the_overall_mean() -> None:
    columns = (*SHARED, "code_generation", "spatial")
    full = dict.fromkeys(columns, "50")

    def row(name: str, **other: str) -> tuple[object, ...]:
        return (name, *[(full | other)[column] for column in columns])

    body = table(
        columns,
        row("gap", spatial=""),
        row("negative", spatial="-1"),
        row("nan", code_generation="nan"),
        row("gap in a category without a task", typos=" "),
        row("gap"),
        row(""),
        ("short",),
    )

    read = read_livebench(body)

    told = {(each.source_model, each.category) for each in read.observations}
    assert told == {
        *(("gap", category) for category in ("Coding", "Mathematics")),
        *(("negative", category) for category in ("Coding", "Mathematics")),
        *(("nan", category) for category in ("Reasoning", "Mathematics")),
        *(
            ("gap in a category without a task", category)
            for category in ("Reasoning", "Coding", "Mathematics")
        ),
    }
    assert read.dropped == (
        DroppedEntry("negative/Reasoning", "bad_figure"),
        DroppedEntry("nan/Coding", "bad_figure"),
        DroppedEntry("gap", "duplicate"),
        DroppedEntry("row[5]", "bad_name"),
    )


def test_few_categories_make_no_overall_mean() -> None:
    read = read_livebench(table(("olympiad", "code_completion"), ("a", 10, 20)))

    assert [(each.category, each.value) for each in read.observations] == [
        ("Coding", 0.2),
        ("Mathematics", 0.1),
    ]


def test_a_table_of_unknown_columns_is_refused() -> None:
    with pytest.raises(CatalogueFormatError) as refused:
        read_livebench(table(("something_new",), ("a", 10)))

    assert refused.value.problem is FormatProblem.EMPTY
