"""Choosing and ordering models; filters always come before limits."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from steelyard_registry.domain.models import Model, Offer, State
from steelyard_registry.domain.modes import Capability, Mode
from steelyard_registry.domain.providers import Provider
from steelyard_registry.domain.quality.scores import Task

Place = tuple[float, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFilter:
    """Conditions that must all hold; those about offers must hold for one offer together."""

    words: tuple[str, ...] = ()
    """Each must occur in the id, an alias, the maker or the name, without regard to case."""
    provider: str = ""
    mode: Mode | None = None
    capabilities: frozenset[Capability] = frozenset()
    min_quality: float = 0.0
    max_quality: float = 100.0
    min_context_window: int = 0
    include_deprecated: bool = False
    routable_only: bool = False
    task: Task = Task.GENERAL
    scored_only: bool = False
    """Leave out kinds of work that have no scores."""

    @property
    def asks_about_offers(self) -> bool:
        """Whether models alone cannot answer."""
        return bool(self.provider or self.capabilities or self.routable_only)


def select(
    models: Iterable[Model], condition: ModelFilter, providers: Mapping[str, Provider]
) -> list[Model]:
    """Return the models that meet all conditions, in their order."""
    return [model for model in models if _meets(model, condition, providers)]


class Field(StrEnum):
    """What lists are ordered by; ties go by id, upwards."""

    MODEL = "model"
    QUALITY = "quality"
    CONTEXT_WINDOW = "context_window"
    RELEASE_DATE = "release_date"


@dataclass(frozen=True, slots=True)
class Order:
    """An order of models, in which every model has a place of its own."""

    field: Field = Field.MODEL
    is_descending: bool = False
    task: Task = Task.GENERAL

    def place(self, model: Model) -> Place:
        """Return where a model stands; places compare like the models in ascending order."""
        value = self._value(model)
        return (-value if self.is_descending else value), model.model

    def sorted(self, models: Iterable[Model]) -> list[Model]:
        """Return models in this order."""
        return sorted(models, key=self.place, reverse=self._is_backwards)

    def after(self, models: Iterable[Model], place: Place) -> list[Model]:
        """Return those of sorted models that come after a place, which may be vacant by now."""
        if self._is_backwards:
            return [model for model in models if self.place(model) < place]
        return [model for model in models if self.place(model) > place]

    @property
    def _is_backwards(self) -> bool:
        return self.is_descending and self.field is Field.MODEL

    def _value(self, model: Model) -> float:
        if self.field is Field.QUALITY:
            return task_score(model, self.task)
        if self.field is Field.CONTEXT_WINDOW:
            return float(model.context_window or 0)
        if self.field is Field.RELEASE_DATE:
            return float((model.release_date or date.min).toordinal())
        return 0.0


def task_score(model: Model, task: Task) -> float:
    """Return the score at a task, the general one where it has no evidence of its own."""
    return 0.0 if model.quality is None else model.quality.score_for(task)


def ranked_by_words(models: Iterable[Model], words: tuple[str, ...]) -> list[Model]:
    """Sort what a search found: the id itself, ids that begin so, then by quality."""
    query = "-".join(words)
    return sorted(
        models,
        key=lambda model: (
            model.model != query,
            not model.model.startswith(query),
            not all(word in model.model for word in words),
            -model.score,
            model.model,
        ),
    )


def searchable(model: Model) -> str:
    """Return the text in which words are looked for."""
    return "\n".join((model.model, model.maker, model.display_name, *model.aliases)).lower()


def _meets(model: Model, condition: ModelFilter, providers: Mapping[str, Provider]) -> bool:
    if condition.mode is not None and model.mode is not condition.mode:
        return False
    if condition.scored_only and model.quality is None:
        return False
    score = task_score(model, condition.task)
    if not condition.min_quality <= score <= condition.max_quality:
        return False
    if (model.context_window or 0) < condition.min_context_window:
        return False
    if not _is_sold(model, condition, providers):
        return False
    text = searchable(model) if condition.words else ""
    return all(word in text for word in condition.words)


def _is_sold(model: Model, condition: ModelFilter, providers: Mapping[str, Provider]) -> bool:
    if condition.asks_about_offers:
        return any(_sells(offer, condition, providers) for offer in model.offers)
    return condition.include_deprecated or model.state is not State.DEPRECATED


def _sells(offer: Offer, condition: ModelFilter, providers: Mapping[str, Provider]) -> bool:
    if condition.provider and offer.provider != condition.provider:
        return False
    if offer.state is State.DEPRECATED and not condition.include_deprecated:
        return False
    if condition.routable_only and not providers[offer.provider].is_routable:
        return False
    return condition.capabilities <= offer.capabilities
