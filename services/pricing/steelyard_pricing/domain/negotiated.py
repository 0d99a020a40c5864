"""What a tenant pays a seller and is charged for one offer, where that is not the list price."""

from dataclasses import dataclass, replace

from steelyard_pricing.domain.overrides import BASIS, OVERRIDE, PriceOverride, replaced, scaled
from steelyard_pricing.domain.rates import PriceFact, Rate
from steelyard_pricing.domain.snapshot import Listing


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """The two prices of one offer for one tenant."""

    fact: PriceFact
    """What is charged."""
    cost_fact: PriceFact
    """What the tenant pays the seller. Unpriced where nobody says."""
    override: PriceOverride | None
    """What made the cost."""

    @property
    def is_of_own_rates(self) -> bool:
        """Whether the price is the tenant's word, not a listed one that was changed."""
        return self.override is not None and not self.override.factor


def negotiate(
    listing: Listing,
    override: PriceOverride | None,
    *,
    markup: int,
    fixed: tuple[Rate, ...] | None,
) -> Agreement | None:
    """Return the prices of an offer, None where the list price is not touched.

    Args:
        listing: The offer; it is never changed.
        override: The tenant's, that applies now.
        markup: On cost, in basis points.
        fixed: Rates instead of cost plus markup.
    """
    listed = listing.charged
    if override is not None and override.factor and not listed.rates:
        override = None  # a factor on nothing
    if override is None and not fixed and not (markup and listed.rates):
        return None
    cost = listed.rates if override is None else override.applied_to(listed.rates)
    sell = replaced(scaled(cost, BASIS + markup) if markup else cost, fixed or ())
    source = listed.source if override is None else OVERRIDE
    may_be_free = listed.is_free or fixed or (override is not None and not override.factor)
    cost_fact = replace(listed, rates=cost, source=source)
    is_free = bool(may_be_free) and not any(rate.picodollars for rate in sell)
    return Agreement(
        fact=replace(cost_fact, rates=sell, is_free=is_free),
        cost_fact=cost_fact,
        override=override,
    )
