"""The bundled table of curated quality scores."""

import tomllib
from importlib.resources import files
from typing import Any

from steelyard_registry.domain.quality.scores import Basis, QualityScore, Task

SOURCE = "curated"
MAX_SCORE = 100


def read_curated_scores() -> dict[str, tuple[QualityScore, ...]]:
    """Return our own scores by canonical model id."""
    text = (files("steelyard_registry") / "data" / "quality.toml").read_text("utf-8")
    return parse_curated_scores(text)


def parse_curated_scores(text: str) -> dict[str, tuple[QualityScore, ...]]:
    """Read a table in the format of `data/quality.toml`.

    Raises:
        ValueError: A score is missing something or out of range.
    """
    document = tomllib.loads(text)
    evidence: dict[str, Any] = document["evidence"]
    rows: dict[str, dict[str, Any]] = document["scores"]
    return {model: (_score(model, row, evidence),) for model, row in rows.items()}


def _score(model: str, row: dict[str, Any], evidence: dict[str, Any]) -> QualityScore:
    kind = evidence[row["evidence"]]
    score, uncertainty = float(row["score"]), float(row.get("uncertainty", kind["uncertainty"]))
    if not (0 <= score <= MAX_SCORE and uncertainty > 0):
        raise ValueError(f"the score of {model} is out of range")
    return QualityScore(
        model=model,
        score=score,
        uncertainty=uncertainty,
        basis=Basis.CURATED,
        source=SOURCE,
        edition_date=kind["edition_date"],
        normalization=kind["method"],
        task=Task[row.get("task", "general").upper()],
        note=row.get("note", kind["note"]),
    )
