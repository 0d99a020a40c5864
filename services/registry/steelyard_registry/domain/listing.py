"""Choosing and ordering models; filters always come before limits."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
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
    """Each must occur in a name of the model; `SearchIndex` finds them."""
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
    max_blended: int | None = None
    """Highest price of one token, in picodollars; offers without a price do not meet it."""

    @property
    def asks_about_offers(self) -> bool:
        """Whether models alone cannot answer."""
        return (
            bool(self.provider or self.capabilities or self.routable_only)
            or self.max_blended is not None
        )


@dataclass(frozen=True, slots=True)
class Market:
    """What conditions about offers look up."""

    providers: Mapping[str, Provider]
    blended: Mapping[str, int] = field(default_factory=dict)
    """Prices by offer; may be empty where no condition is about prices."""


def select(models: Iterable[Model], condition: ModelFilter, market: Market) -> list[Model]:
    """Return the models that meet all conditions but the words, in their order."""
    return [model for model in models if _meets(model, condition, market)]


def matching_offers(model: Model, condition: ModelFilter, market: Market) -> Iterator[Offer]:
    """Yield the offers of a model that meet all conditions about offers."""
    # A model can what one of its offers can: most are out before any offer is looked at.
    if condition.capabilities <= model.capabilities:
        for offer in model.offers:
            if _sells(offer, condition, market):
                yield offer


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
            return float(task_score(model, self.task))
        if self.field is Field.CONTEXT_WINDOW:
            return float(model.context_window or 0)
        if self.field is Field.RELEASE_DATE:
            return float((model.release_date or date.min).toordinal())
        return 0.0


def task_score(model: Model, task: Task) -> float:
    """Return the score at a task, the general one where it has no evidence of its own."""
    return 0.0 if model.quality is None else model.quality.score_for(task)


def _meets(model: Model, condition: ModelFilter, market: Market) -> bool:
    if condition.mode is not None and model.mode is not condition.mode:
        return False
    if model.state is State.DEPRECATED and not condition.include_deprecated:
        return False
    if (model.context_window or 0) < condition.min_context_window:
        return False
    return _is_in_range(model, condition) and _is_sold(model, condition, market)


def _is_in_range(model: Model, condition: ModelFilter) -> bool:
    if model.quality is None and condition.scored_only:
        return False
    return condition.min_quality <= task_score(model, condition.task) <= condition.max_quality


def _is_sold(model: Model, condition: ModelFilter, market: Market) -> bool:
    if not condition.asks_about_offers:
        return True
    return next(matching_offers(model, condition, market), None) is not None


def _sells(offer: Offer, condition: ModelFilter, market: Market) -> bool:
    if condition.provider and offer.provider != condition.provider:
        return False
    if offer.state is State.DEPRECATED and not condition.include_deprecated:
        return False
    if condition.routable_only and not market.providers[offer.provider].is_routable:
        return False
    if not condition.capabilities <= offer.capabilities:
        return False
    if condition.max_blended is None:
        return True
    price = market.blended.get(offer.offer)
    return price is not None and price <= condition.max_blended
