"""Ports that answer at once, without gRPC: for many requests in little time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from steelyard_common.clock import Clock
from steelyard_router.domain.catalog import Catalog
from steelyard_router.domain.classifier import RulesClassifier
from steelyard_router.domain.health import UNKNOWN, OfferHealth
from steelyard_router.domain.rates import RateCard, card_cost
from steelyard_router.domain.usage import DefaultForecaster, Usage
from steelyard_router.ports import HealthReport, Ports, PriceQuote, Quotes, RateBook
from steelyard_router.routing import Routing

T = TypeVar("T")


@dataclass
class ReadyAnswer(Generic[T]):
    """An answer that is there already."""

    value: T

    async def answer(self) -> T | None:
        return self.value

    def cancel(self) -> None:
        """There is nothing to give up."""


@dataclass
class FixedCatalog:
    """One catalogue for ever."""

    catalog: Catalog
    is_stale: bool = False

    def current(self) -> Catalog:
        return self.catalog


class CardPrices:
    """Quotes from rate cards."""

    def __init__(self, cards: Mapping[str, RateCard]) -> None:
        self.book = RateBook(cards, 1)

    def ask(
        self, usage: Usage, offers: Sequence[str], service_tier: str, timeout_seconds: float
    ) -> ReadyAnswer[Quotes]:
        cards = self.book.cards
        by_offer = {
            offer: PriceQuote(
                card_cost(cards[offer], usage) if offer in cards else None, is_estimated=False
            )
            for offer in offers
        }
        return ReadyAnswer(Quotes(by_offer, 1, is_stale=False))

    def refresh_soon(self) -> None:
        """Do nothing: the cards stay what they are."""


@dataclass
class KnownHealth:
    """Health as the test says."""

    offers: dict[str, OfferHealth] = field(default_factory=dict)
    version: int = 1
    permits: dict[str, str] = field(default_factory=dict)

    def last_known(self, offer: str) -> OfferHealth:
        return self.offers.get(offer, UNKNOWN)

    def overview(self) -> Mapping[str, OfferHealth]:
        return self.offers

    def ask(self, offers: Sequence[str], timeout_seconds: float) -> ReadyAnswer[HealthReport]:
        return ReadyAnswer(HealthReport({each: self.last_known(each) for each in offers}, 1))

    def holds_permit(self, offer: str) -> bool:
        return offer in self.permits

    def take_permit(self, offer: str) -> str:
        return self.permits.pop(offer, "")


@dataclass
class KeysFor:
    """The same keys for every tenant."""

    present: frozenset[str] = frozenset()

    def providers(self, tenant_id: str) -> frozenset[str]:
        return self.present


def routing(
    catalog: Catalog,
    cards: Mapping[str, RateCard],
    clock: Clock,
    *,
    keys: frozenset[str] = frozenset(),
    health: KnownHealth | None = None,
) -> Routing:
    """Return the real routing on these ports."""
    ports = Ports(
        catalog=FixedCatalog(catalog),
        prices=CardPrices(cards),
        health=health or KnownHealth(),
        keys=KeysFor(keys),
        classifier=RulesClassifier(),
        forecaster=DefaultForecaster(),
    )
    return Routing(ports, clock)
