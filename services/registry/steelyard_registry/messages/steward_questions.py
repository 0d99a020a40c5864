"""What people decide, checked."""

import math
from datetime import UTC, datetime

from steelyard.registry.v1 import quality_pb2
from steelyard_common.errors import InvalidFieldError
from steelyard_registry.domain.events import EventKind
from steelyard_registry.domain.models import Model
from steelyard_registry.domain.quality.scores import Basis, QualityScore, Task

SOURCE = "operator"
DEFAULT_UNCERTAINTY = 2.0
MAX_SCORE = 100.0
MAX_UNCERTAINTY = 50.0
MAX_NOTE = 1000


def from_note(note: str) -> str:
    """Return why, in somebody's words.

    Raises:
        InvalidFieldError: It is too long.
    """
    if len(note) > MAX_NOTE:
        raise InvalidFieldError("note", f"must have at most {MAX_NOTE} characters")
    return note


def from_score(message: quality_pb2.QualityScore, model: Model, now: datetime) -> QualityScore:
    """Return a score that a person sets.

    Raises:
        InvalidFieldError: A part is out of range, or it is over before it begins.
    """
    return QualityScore(
        model=model.model,
        # It stays with what is sold, should the model be called otherwise one day.
        source_model=model.offers[0].offer,
        score=_number("score.score", message.score, MAX_SCORE),
        uncertainty=_number("score.uncertainty", message.uncertainty, MAX_UNCERTAINTY)
        or DEFAULT_UNCERTAINTY,
        basis=Basis.CURATED,
        source=SOURCE,
        edition_date=now.date(),
        normalization="set by a person",
        task=from_score_task(message.task, field="score.task"),
        note=_note(message.note),
        is_correction=True,
        expire_time=_expire_time(message, now),
    )


def from_score_task(task: int, *, field: str = "task") -> Task:
    """Return the task that a score is for; general when it is not given.

    Raises:
        InvalidFieldError: There is no such task.
    """
    try:
        return Task(task or Task.GENERAL)
    except ValueError:
        raise InvalidFieldError(field, f"{task} is not known") from None


def from_event_kind(kind: int) -> EventKind | None:
    """Return a kind of event; None for any.

    Raises:
        InvalidFieldError: There is no such kind.
    """
    try:
        return EventKind(kind) if kind else None
    except ValueError:
        raise InvalidFieldError("kind", f"{kind} is not known") from None


def _number(field: str, value: float, maximum: float) -> float:
    if math.isnan(value) or not 0 <= value <= maximum:
        raise InvalidFieldError(field, f"must be from 0 to {maximum:g}")
    return value


def _note(note: str) -> str:
    if len(note) > MAX_NOTE:
        raise InvalidFieldError("score.note", f"must have at most {MAX_NOTE} characters")
    return note


def _expire_time(message: quality_pb2.QualityScore, now: datetime) -> datetime | None:
    if not message.HasField("expire_time"):
        return None
    try:
        time = message.expire_time.ToDatetime(tzinfo=UTC)
    except (OverflowError, ValueError):
        raise InvalidFieldError("score.expire_time", "is not a time") from None
    if time <= now:
        raise InvalidFieldError("score.expire_time", "must be in the future")
    return time
