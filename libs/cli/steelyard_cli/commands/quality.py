"""`steelyard quality`."""

from typing import Any

from steelyard.registry.v1 import registry_service_pb2 as pb
from steelyard.registry.v1.quality_pb2 import Quality, QualityBasis, QualityScore, Task, TaskQuality
from steelyard.registry.v1.registry_service_pb2_grpc import RegistryServiceStub
from steelyard_cli.output import (
    UNKNOWN,
    day_if,
    label,
    moment_if,
    print_facts,
    print_json,
    print_line,
    print_table,
)
from steelyard_cli.services import Connection, ask

GENERAL = "general"


def show_quality(model: str, *, as_json: bool) -> None:
    """Print what a model's scores blend to, and every score with where it comes from."""

    async def question(connection: Connection) -> pb.GetQualityResponse:
        stub = RegistryServiceStub(connection.channel)
        return await stub.GetQuality(pb.GetQualityRequest(model=model), timeout=connection.seconds)

    answer = ask("registry", question)
    if as_json:
        print_json(as_document(model, answer))
    else:
        _print(model, answer)


def as_document(model: str, answer: pb.GetQualityResponse) -> dict[str, Any]:
    """Return all scores for JSON, with the names of the REST route."""
    return {
        "model": model,
        "quality": quality_document(answer.quality) if answer.HasField("quality") else None,
        "scores": [_score_document(each) for each in answer.scores],
    }


def quality_document(quality: Quality) -> dict[str, Any]:
    """Return a blend for JSON."""
    return {
        "score": quality.score,
        "uncertainty": quality.uncertainty,
        "basis": label(QualityBasis, quality.basis, "QUALITY_BASIS_"),
        "source": quality.source or None,
        "sources": list(quality.sources),
        "edition_date": day_if(quality, "edition_date"),
        "stale": quality.stale,
        "correction": quality.correction,
        "tasks": {
            _task(each): {"score": each.score, "uncertainty": each.uncertainty}
            for each in quality.tasks
        },
    }


def score_text(score: Quality | TaskQuality | QualityScore) -> str:
    """Return a score with half the width of its interval, for people."""
    return f"{score.score:.1f} ±{score.uncertainty:.1f}"


def _score_document(score: QualityScore) -> dict[str, Any]:
    return {
        "task": _task(score),
        "score": score.score,
        "uncertainty": score.uncertainty,
        "basis": label(QualityBasis, score.basis, "QUALITY_BASIS_"),
        "source": score.source,
        "edition_date": day_if(score, "edition_date"),
        "share": score.share,
        "variant": score.variant or None,
        "metric": score.metric or None,
        "category": score.category or None,
        "raw_value": score.raw_value or None,
        "normalization": score.normalization or None,
        "sample_count": score.sample_count or None,
        "source_model": score.source_model or None,
        "stale": score.stale,
        "correction": score.correction,
        "expire_time": moment_if(score, "expire_time"),
        "note": score.note or None,
    }


def _print(model: str, answer: pb.GetQualityResponse) -> None:
    quality = answer.quality
    if not answer.HasField("quality"):
        print_line("Nothing is known of its quality.")
        return
    edition = day_if(quality, "edition_date")
    facts = {
        "model": model,
        "quality": score_text(quality),
        "evidence": label(QualityBasis, quality.basis, "QUALITY_BASIS_") or UNKNOWN,
        "sources": ", ".join(quality.sources) or quality.source or UNKNOWN,
        "edition": f"{edition}{', stale' * quality.stale}" if edition else UNKNOWN,
    }
    print_facts(facts | {_task(each): score_text(each) for each in quality.tasks})
    if answer.scores:
        print_line()
        print_table(
            ["task", "score>", "share>", "source", "edition", "figure", "variant", ""],
            [_row(each) for each in answer.scores],
        )


def _row(score: QualityScore) -> list[str]:
    marks = [mark for mark in ("correction", "stale") if getattr(score, mark)]
    return [
        _task(score),
        score_text(score),
        f"{score.share:.0%}" if score.share else UNKNOWN,
        score.source,
        str(day_if(score, "edition_date") or UNKNOWN),
        " ".join(part for part in (score.metric, score.raw_value) if part),
        score.variant,
        ", ".join(marks),
    ]


def _task(message: QualityScore | TaskQuality) -> str:
    return label(Task, message.task, "TASK_") or GENERAL
