"""How good a model is, and every score that says so."""

from typing import Any

from steelyard.registry.v1.quality_pb2 import Quality, QualityBasis, QualityScore, Task, TaskQuality
from steelyard.registry.v1.registry_service_pb2 import GetQualityResponse
from steelyard_edge.views.scalars import day, known, label, moment, text

GENERAL = "general"


def model_quality(model: str, answer: GetQualityResponse) -> dict[str, Any]:
    """Return the blend and its scores; `model` is the name that was asked for."""
    return {
        "model": model,
        "quality": quality_if(answer, "quality"),
        "scores": [_score(each) for each in answer.scores],
    }


def quality_if(message: Any, field: str) -> dict[str, Any] | None:
    """Return the quality in a field, null when it is unset."""
    return _quality(getattr(message, field)) if message.HasField(field) else None


def basis_label(basis: int) -> str | None:
    return label(QualityBasis, basis, "QUALITY_BASIS_")


def _quality(quality: Quality) -> dict[str, Any]:
    return {
        "score": quality.score,
        "uncertainty": quality.uncertainty,
        "basis": basis_label(quality.basis),
        "source": text(quality.source),
        "sources": list(quality.sources),
        "edition_date": day(quality, "edition_date"),
        "stale": quality.stale,
        "correction": quality.correction,
        "tasks": {_task(each): _task_quality(each) for each in quality.tasks},
    }


def _task_quality(quality: TaskQuality) -> dict[str, Any]:
    return {"score": quality.score, "uncertainty": quality.uncertainty}


def _score(score: QualityScore) -> dict[str, Any]:
    return {
        "task": _task(score),
        "score": score.score,
        "uncertainty": score.uncertainty,
        "basis": basis_label(score.basis),
        "source": score.source,
        "edition_date": day(score, "edition_date"),
        "share": score.share,
        "variant": text(score.variant),
        "metric": text(score.metric),
        "category": text(score.category),
        "raw_value": text(score.raw_value),
        "normalization": text(score.normalization),
        "sample_count": known(score.sample_count),
        "source_model": text(score.source_model),
        "stale": score.stale,
        "correction": score.correction,
        "expire_time": moment(score, "expire_time"),
        "note": text(score.note),
    }


def _task(message: QualityScore | TaskQuality) -> str:
    return label(Task, message.task, "TASK_") or GENERAL
