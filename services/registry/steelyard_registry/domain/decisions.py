"""What people have said about models and offers, found by offer."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from steelyard_registry.domain.models import Offer, State


@dataclass(frozen=True, slots=True, kw_only=True)
class HandDecision:
    """What a person has said about a model or an offer."""

    name: str
    """Canonical id or offer id."""
    state: State
    actor: str
    note: str
    time: datetime
    offers: tuple[str, ...] = ()
    """The offers that it was about then: they stay out when their model is called otherwise."""


class Decisions:
    """Finds the decision on an offer: its own, then its model's, then an old name's.

    Who is put out of routing stays out with whatever is sold under that name later; who is put
    back is put back with the offers of that moment.
    """

    def __init__(self, by_name: Mapping[str, HandDecision]) -> None:
        self._by_name = by_name
        self._recorded = {
            offer: decision
            for decision in sorted(by_name.values(), key=lambda each: each.time)
            for offer in decision.offers
        }

    def find(self, offer: Offer) -> HandDecision | None:
        """Return what was said of an offer; None when nothing was."""
        own = self._by_name.get(offer.offer)
        if own is not None:
            return own
        of_model = self._by_name.get(offer.model)
        if of_model is not None and (
            of_model.state is State.DEPRECATED or offer.offer in of_model.offers
        ):
            return of_model
        return self._recorded.get(offer.offer)
