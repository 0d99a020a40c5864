"""Whatever a source sends: sane observations or one typed error."""

import contextlib
import gzip
import json
import math
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steelyard_catalog.json_text import CatalogueFormatError
from steelyard_registry.adapters.score_readers.arena import read_arena, read_arena_vision
from steelyard_registry.adapters.score_readers.artificial_analysis import read_artificial_analysis
from steelyard_registry.adapters.score_readers.gathering import ReadScores
from steelyard_registry.adapters.score_readers.livebench import read_livebench
from steelyard_registry.adapters.score_readers.llm_stats import read_llm_stats

READERS = [
    read_arena,
    read_arena_vision,
    read_artificial_analysis,
    read_livebench,
    read_llm_stats,
]
WORDS = (
    *("full", "coding", "math", "rating", "rating_q025", "rating_q975", "model", "arena_elo"),
    *("arena_score", "95_pct_ci", "votes", "model_id", "benchmark_id", "benchmark_name", "score"),
    *("normalized_score", "data", "models", "slug", "intel", "evaluations", "gpqa", "mmlu"),
    *("artificial_analysis_intelligence_index", "AMPS_Hard", "olympiad", "code_generation"),
)
NAMES = st.sampled_from(["a", "b", "gpt-4o", "mmlu", " a", "\ud800", "n" * 300, "\x00", "\uff41"])
NUMBERS = st.integers() | st.floats() | st.integers(0, 1500) | st.floats(0, 1)
CELLS = (
    NUMBERS.map(str)
    | NAMES
    | st.sampled_from(["+3/-4", "+1e9/-3", "nan", "1e999", "1" * 400, '"', "\r", "١٢", "0x1f", ","])
    | st.text(max_size=8)
)
LEAVES = NUMBERS | NAMES | st.none() | st.booleans() | st.text(max_size=8)
VALUES: st.SearchStrategy[object] = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(WORDS) | NAMES, inner, max_size=5)
    ),
    max_leaves=20,
)
RATING = st.fixed_dictionaries(
    {}, optional={"rating": LEAVES, "rating_q025": LEAVES, "rating_q975": LEAVES}
)
MODEL = st.fixed_dictionaries(
    {"slug": NAMES | LEAVES},
    optional={"intel": LEAVES, "evaluations": st.dictionaries(st.sampled_from(WORDS), LEAVES)},
)
DOCUMENTS = (
    VALUES
    | st.dictionaries(st.sampled_from(WORDS), st.dictionaries(NAMES, RATING | VALUES), max_size=4)
    | st.fixed_dictionaries({"data": st.lists(MODEL | VALUES, max_size=4)})
    | st.fixed_dictionaries({"models": st.lists(MODEL | VALUES, max_size=4)})
)
HEADS = st.sampled_from(
    [
        "model,arena_elo,95_pct_ci,votes",
        "model,arena_score,95_pct_ci,votes,model",
        "model_id,benchmark_id,score,normalized_score,benchmark_name",
        "model,AMPS_Hard,olympiad,code_generation,zebra_puzzle",
    ]
) | st.lists(st.sampled_from(WORDS), max_size=8).map(",".join)


def as_json(document: object) -> bytes:
    return json.dumps(document).encode()


def as_table(parts: tuple[tuple[str, list[list[str]]], str, str]) -> bytes:
    (head, rows), line_end, mark = parts
    lines = [head, *(",".join(row) for row in rows)]
    return (mark + line_end.join(lines)).encode("utf-8", "replace")


ENDS = st.sampled_from(["\n", "\r\n", "\r", "\n\n"])
MARKS = st.sampled_from(["", "\ufeff"])
ROWS = st.lists(st.lists(CELLS, max_size=6), max_size=6)
SHARES = st.floats(0, 1).map(str) | CELLS
PERCENTS = st.floats(0, 100).map(str) | CELLS
# Tables that are good but for some cells.
LLM_STATS = st.tuples(
    st.just("model_id,benchmark_id,score,normalized_score,benchmark_name"),
    st.lists(
        st.tuples(NAMES, st.sampled_from(["mmlu", "gpqa"]), SHARES, SHARES, CELLS).map(list),
        max_size=4,
    ),
)
LIVEBENCH = st.tuples(
    st.just("model,AMPS_Hard,code_generation,zebra_puzzle,tablejoin,typos,simplify"),
    st.lists(st.tuples(NAMES, *[PERCENTS] * 6).map(list), max_size=4),
)
TABLES = st.tuples(st.tuples(HEADS, ROWS) | LLM_STATS | LIVEBENCH, ENDS, MARKS).map(as_table)
BODIES = st.binary(max_size=200) | DOCUMENTS.map(as_json) | TABLES
PACKED = BODIES.map(gzip.compress)


def check(read: ReadScores) -> None:
    assert read.observations
    for each in read.observations:
        assert each.source_model.isprintable()
        assert 0 < len(each.source_model) <= 256
        assert 0 < len(each.category) <= 256
        each.source_model.encode()
        assert math.isfinite(each.value)
        assert each.metric == "elo" or 0 <= each.value <= 1
        assert (each.low is None) == (each.high is None)
        if each.low is not None and each.high is not None:
            assert each.low <= each.value <= each.high
        assert each.sample_count >= 0
    keys = [(each.source_model, each.metric, each.task) for each in read.observations]
    assert len(keys) == len(set(keys))
    for dropped in read.dropped:
        assert dropped.key.isprintable()


@pytest.mark.parametrize("reader", READERS)
@settings(max_examples=120, deadline=None)
@given(body=BODIES | PACKED)
def test_any_body_is_read_or_refused(reader: Callable[[bytes], ReadScores], body: bytes) -> None:
    with contextlib.suppress(CatalogueFormatError):
        check(reader(body))


@pytest.mark.parametrize("reader", READERS)
@settings(max_examples=40, deadline=None)
@given(body=TABLES | DOCUMENTS.map(as_json), cut=st.integers(0, 400), noise=st.binary(max_size=8))
def test_a_body_that_was_damaged_is_read_or_refused(
    reader: Callable[[bytes], ReadScores], body: bytes, cut: int, noise: bytes
) -> None:
    for damaged in (
        body[:cut],
        body[:cut] + noise + body[cut:],
        gzip.compress(body, mtime=0)[:cut],
        gzip.compress(body, mtime=0)[:cut] + noise,
    ):
        with contextlib.suppress(CatalogueFormatError):
            check(reader(damaged))
