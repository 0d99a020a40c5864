"""What answers about quality look like, for OpenAPI."""

from datetime import date, datetime
from typing import Literal

from steelyard_edge.schemas import Documented

Basis = Literal["measured", "curated", "heuristic"]


class TaskQuality(Documented):
    """How good a model is at one task."""

    score: float
    uncertainty: float


class Quality(Documented):
    """How good a model is, blended from its scores."""

    score: float
    """0 to 100."""
    uncertainty: float
    """Half width of the 95 % interval, in points."""
    basis: Basis | None
    source: str | None
    """The one that weighs most."""
    sources: list[str]
    """All in the blend, the weightiest first."""
    edition_date: date | None
    stale: bool
    """True when the edition is older than 120 days."""
    correction: bool
    """True when a person set the score."""
    tasks: dict[str, TaskQuality]
    """By task, e.g. `coding`; tasks without evidence of their own are absent."""


class Score(Documented):
    """One score from one source."""

    task: str
    score: float
    uncertainty: float
    basis: Basis | None
    source: str
    edition_date: date | None
    share: float
    """Part that it has in the blend of its task, 0 to 1; 0 means it was set aside."""
    variant: str | None
    """How the source ran the model, e.g. `thinking-32k`."""
    metric: str | None
    category: str | None
    """The source's own word for the task."""
    raw_value: str | None
    """The figure as the source prints it."""
    normalization: str | None
    """How it was brought to 0 to 100."""
    sample_count: int | None
    source_model: str | None
    """Name that the source uses for the model."""
    stale: bool
    correction: bool
    expire_time: datetime | None
    note: str | None


class ModelQuality(Documented):
    """All that is known of a model's quality."""

    model: str
    quality: Quality | None
    scores: list[Score]
