"""The models that no other one beats in both quality and price."""

from collections.abc import Iterable
from dataclasses import dataclass

from steelyard_registry.domain.listing import Market, ModelFilter, matching_offers, task_score
from steelyard_registry.domain.models import Model, Offer
from steelyard_registry.domain.quality.scores import Basis, Task


@dataclass(frozen=True, slots=True)
class FrontierModel:
    """A model with its quality at the task, and where it is cheapest."""

    model: Model
    score: float
    offer: str
    blended: int
    """Picodollars of one token there."""


def frontier(
    models: Iterable[Model], condition: ModelFilter, market: Market, task: Task
) -> list[FrontierModel]:
    """Return the frontier, best and dearest first; each costs less than the one before it.

    Args:
        models: Those to compare. A score that is only a guess beats nothing.
        condition: Only offers that meet it count. Free offers never do: they are limited trials,
            and one of them would beat everything that is worse.
        market: Has the prices.
        task: What quality is compared at.
    """
    priced = (_cheapest(model, condition, market, task) for model in models if _is_known(model))
    in_order = sorted(
        (each for each in priced if each is not None),
        key=lambda each: (-each.score, each.blended, each.model.model),
    )
    kept: list[FrontierModel] = []
    for each in in_order:
        if not kept or each.blended < kept[-1].blended:
            kept.append(each)
    return kept


def _cheapest(
    model: Model, condition: ModelFilter, market: Market, task: Task
) -> FrontierModel | None:
    prices = (
        (price, offer.offer)
        for offer in matching_offers(model, condition, market)
        if (price := _price(offer, market))
    )
    price, offer = min(prices, default=(0, ""))
    return FrontierModel(model, task_score(model, task), offer, price) if offer else None


def _price(offer: Offer, market: Market) -> int:
    return market.blended.get(offer.offer, 0)


def _is_known(model: Model) -> bool:
    return model.quality is not None and model.quality.basis is not Basis.HEURISTIC
