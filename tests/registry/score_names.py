"""Names of models in the real leaderboards and benchmark tables, and what they are made of."""

import csv
import gzip
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from steelyard_registry.domain.quality.editions import ScoreSource

# Words that tell sizes, tiers and kinds of models apart.
TIERS = frozenset(
    re.findall(
        r"\w+",
        "air airx audio base code coder codex deep distill embed fable fast flash flashx haiku"
        " heavy highspeed image instant large lightning lite live max medium micro mini mythos"
        " nano omni opus plus pro scout search small sonnet super tiny tts turbo ultra vision vl x",
    )
)
# Builds of the same weights: the word follows `instruct` and names no size.
_SERVING_BUILD = re.compile(r"(?<=instruct)-(?:turbo|lite|fp8-fast)$")
_PARAMETERS = re.compile(r"(?<![a-z\d.])(?:\d+x|[ae])?\d+(?:\.\d+)?[bt](?![a-z\d])")
_CONTEXT = re.compile(r"(?<![a-z\d])(?:\d+k|bf16|fp8)(?![a-z\d])")
_DATE = re.compile(
    r"(?<!\d)(?:20\d\d-\d\d-\d\d|20\d{6}|\d\d-20\d\d|20\d{4}|\d{4}|00[12]|\d\d-\d\d)(?!\d)"
)


def read_names(data: Path) -> dict[ScoreSource, set[str]]:
    """Return every name of every edition by source."""
    analysis = data / "benchmarks" / "artificial_analysis_2026-10-03.json"
    scores = data / "benchmarks" / "llm_stats_scores_2025-10-16.csv"
    return {
        ScoreSource.ARENA: set(_arena_names(data)),
        ScoreSource.ARTIFICIAL_ANALYSIS: {
            model["slug"] for model in json.loads(analysis.read_bytes())["models"]
        },
        ScoreSource.LLM_STATS: {row["model_id"] for row in _rows(scores)},
    }


def full_edition(data: Path, day: str) -> set[str]:
    """Return the names of the overall category of one Arena edition."""
    body = (data / "lmarena" / f"leaderboard-text_{day}.json.gz").read_bytes()
    return set(json.loads(gzip.decompress(body))["full"])


def tiers(name: str) -> Counter[str]:
    """Return the words of a name that tell sizes and kinds apart."""
    plain = _SERVING_BUILD.sub("", name.lower().partition(":")[0].replace("+", "-plus"))
    return Counter(word for word in re.split(r"[^a-z]+", plain) if word in TIERS)


def sizes(name: str) -> Counter[str]:
    """Return the counts of parameters in a name."""
    return Counter(_PARAMETERS.findall(_plain(name)))


def version(name: str) -> str:
    """Return the digits of a name's version: no dates, no counts, `2.0` like `2`."""
    plain = _plain(name)
    for pattern in (_DATE, _PARAMETERS, _CONTEXT):
        plain = pattern.sub("", plain)
    return "".join(re.findall(r"\d+", plain)).rstrip("0")


def kind_of_thinking(name: str) -> str:
    """Return whether a name says that the model always thinks, or never; empty when neither."""
    words = re.split(r"[^a-z\d]+", name.lower())
    if re.search(r"no[nt]?-?(?:thinking|reasoning)", name.lower()):
        return "never"
    return "always" if {"thinking", "think", "reasoning"} & set(words) else ""


def _plain(name: str) -> str:
    return re.sub(r"[\s_():@/]+", "-", name.lower().rpartition("/")[2])


def _arena_names(data: Path) -> Iterator[str]:
    for path in sorted((data / "lmarena").glob("leaderboard-text_*.json.gz")):
        for ratings in json.loads(gzip.decompress(path.read_bytes())).values():
            yield from ratings
    for path in sorted((data / "lmarena").glob("lm*.csv")):
        yield from (row["model"] for row in _rows(path))
    history = next((data / "lmarena").glob("history_wide_*.csv"))
    yield from history.read_text("utf-8").partition("\n")[0].split(",")[1:]
    # Not a source of its own, but names of the same kind, many of them nobody's.
    yield from (row[""] for row in _rows(data / "benchmarks" / "alpaca_eval2_2024-12.csv"))


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))
