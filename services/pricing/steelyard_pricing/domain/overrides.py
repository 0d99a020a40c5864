"""Prices that one tenant has agreed with a seller."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from steelyard_pricing.domain.quote import divided_half_even
from steelyard_pricing.domain.rates import PriceFact, Rate

BASIS = 10_000
"""Basis points in one."""
MAX_FACTOR = 100 * BASIS
OVERRIDE = "override"
"""Source of a price that an override made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceOverride:
    """What a tenant pays a seller instead of the list price, from `start` until before `end`."""

    override_id: str
    tenant_id: str
    offer: str = ""
    """Exactly one of offer and provider is set."""
    provider: str = ""
    rates: tuple[Rate, ...] = ()
    """Rates instead of the listed ones for the same thing. Exactly one of these and `factor`."""
    factor: int = 0
    """On every listed rate, in basis points; 0 is none."""
    start: datetime
    end: datetime | None = None
    """None means never."""
    note: str = ""
    sequence: int = 0
    """Larger for what was set later."""
    is_current: bool = True
    """Whether it was not replaced since; what was replaced stays for the times before."""

    def is_valid(self, time: datetime) -> bool:
        """Say whether it applies at a time."""
        return self.start <= time and not self.has_ended(time)

    def has_ended(self, time: datetime) -> bool:
        """Say whether it applied only before a time."""
        return self.end is not None and self.end <= time

    def applied_to(self, rates: tuple[Rate, ...]) -> tuple[Rate, ...]:
        """Return what the tenant pays where the seller lists `rates`."""
        return scaled(rates, self.factor) if self.factor else replaced(rates, self.rates)


class TenantOverrides:
    """The overrides of one tenant, found by offer."""

    def __init__(self, overrides: Iterable[PriceOverride]) -> None:
        self._by_offer: dict[str, list[PriceOverride]] = {}
        self._by_provider: dict[str, list[PriceOverride]] = {}
        for override in sorted(overrides, key=lambda each: each.sequence, reverse=True):
            if override.offer:
                self._by_offer.setdefault(override.offer, []).append(override)
            else:
                self._by_provider.setdefault(override.provider, []).append(override)

    def winner(self, fact: PriceFact, time: datetime) -> PriceOverride | None:
        """Return the one that applies: for the offer before its provider, then the newest."""
        name = fact.name
        for found in (self._by_offer.get(name.offer), self._by_provider.get(name.provider)):
            for override in found or ():
                if override.is_valid(time):
                    return override
        return None

    def valid_at(self, time: datetime) -> list[PriceOverride]:
        """Return those that apply at a time, to whatever."""
        return [
            override
            for by_name in (self._by_offer, self._by_provider)
            for overrides in by_name.values()
            for override in overrides
            if override.is_valid(time)
        ]


def replaced(rates: Iterable[Rate], own: Collection[Rate]) -> tuple[Rate, ...]:
    """Return `rates` with `own` for the same component, tier and context band.

    What is listed for some hours goes with the rest: an own price is for all of them.
    """
    taken = {_place(rate) for rate in own}
    return (*(rate for rate in rates if _place(rate) not in taken), *own)


def scaled(rates: Iterable[Rate], factor: int) -> tuple[Rate, ...]:
    """Return `rates` times a factor in basis points, each rounded half-even."""
    return tuple(
        rate._replace(picodollars=scaled_price(rate.picodollars, factor)) for rate in rates
    )


def scaled_price(picodollars: int, factor: int) -> int:
    """Return one price times a factor in basis points, rounded half-even."""
    return divided_half_even(picodollars * factor, BASIS)


def by_tenant(overrides: Iterable[PriceOverride]) -> Mapping[str, TenantOverrides]:
    """Return the overrides of each tenant."""
    groups: dict[str, list[PriceOverride]] = {}
    for override in overrides:
        groups.setdefault(override.tenant_id, []).append(override)
    return {tenant_id: TenantOverrides(group) for tenant_id, group in groups.items()}


def _place(rate: Rate) -> tuple[int, str, int]:
    return rate.component, rate.service_tier, rate.above_prompt_tokens
