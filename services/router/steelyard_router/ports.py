"""What routing asks of the world, and in which terms it gets its answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeVar

from steelyard_router.domain.catalog import Catalog
from steelyard_router.domain.classifier import Classifier
from steelyard_router.domain.health import OfferHealth
from steelyard_router.domain.rates import Cost, RateCard
from steelyard_router.domain.usage import Forecaster, Usage

T_co = TypeVar("T_co", covariant=True)


class PriceQuote(NamedTuple):
    """What pricing says of one offer; the cost is None when it is unpriced."""

    cost: Cost | None
    is_estimated: bool


@dataclass(frozen=True, slots=True)
class Quotes:
    """Pricing's answer, by offer."""

    by_offer: Mapping[str, PriceQuote]
    version: int
    is_stale: bool


@dataclass(frozen=True, slots=True)
class RateBook:
    """The rate cards of one price snapshot, by offer."""

    cards: Mapping[str, RateCard]
    version: int


@dataclass(frozen=True, slots=True)
class HealthReport:
    """Health's answer, by offer."""

    by_offer: Mapping[str, OfferHealth]
    version: int


class Ask(Protocol[T_co]):
    """A question that is on its way."""

    async def answer(self) -> T_co | None:
        """Return the answer, None when there is none in time."""

    def cancel(self) -> None:
        """Give it up."""


class CatalogSource(Protocol):
    """Where the catalogue comes from."""

    @property
    def is_stale(self) -> bool:
        """Whether the catalogue is not the registry's present one, or its sources are stale."""

    def current(self) -> Catalog:
        """Return the catalogue.

        Raises:
            RegistryUnavailableError: There never was one.
        """


class PriceSource(Protocol):
    """Where prices come from."""

    @property
    def book(self) -> RateBook | None:
        """The rate cards that are known; None while there are none."""

    def ask(
        self, usage: Usage, offers: Sequence[str], service_tier: str, timeout_seconds: float
    ) -> Ask[Quotes]:
        """Ask for the cost of a usage on some offers."""

    def refresh_soon(self) -> None:
        """Look for newer rate cards: those that are known lack offers."""


class HealthSource(Protocol):
    """Where health comes from."""

    @property
    def version(self) -> int:
        """Version of the last answer; 0 before the first."""

    def last_known(self, offer: str) -> OfferHealth:
        """Return what was last heard of an offer."""

    def overview(self) -> Mapping[str, OfferHealth]:
        """Return the offers last heard to be out of the ordinary, roughly.

        The same object as long as nothing of importance changed.
        """

    def ask(self, offers: Sequence[str], timeout_seconds: float) -> Ask[HealthReport]:
        """Ask for the health of some offers."""

    def holds_permit(self, offer: str) -> bool:
        """Say whether a request may probe the half-open circuit of an offer."""

    def take_permit(self, offer: str) -> str:
        """Return the permit for that, to be used once; empty when there is none any more."""


class KeyRing(Protocol):
    """Knows which providers can be called."""

    def providers(self, tenant_id: str) -> frozenset[str]:
        """Return the providers for which the tenant or the platform has a key, or needs none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Everything outside that routing depends on."""

    catalog: CatalogSource
    prices: PriceSource
    health: HealthSource
    keys: KeyRing
    classifier: Classifier
    forecaster: Forecaster
