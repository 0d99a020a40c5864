"""Prices as one tenant sees them, compiled once for each snapshot."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from steelyard_pricing.domain.components import CostPart
from steelyard_pricing.domain.margins import MarginRule, tenants_of
from steelyard_pricing.domain.negotiated import Agreement, negotiate
from steelyard_pricing.domain.overrides import PriceOverride, TenantOverrides, by_tenant
from steelyard_pricing.domain.quote import Parts, UsageLines, cost_parts
from steelyard_pricing.domain.rate_card import CardCompiler, RateCard
from steelyard_pricing.domain.rates import PriceFact
from steelyard_pricing.domain.snapshot import Listing

MAX_CARDS = 1_000
"""Offers that one view keeps compiled: tenants ask for some hundreds."""

_TOTAL = int(CostPart.TOTAL)
_NO_OVERRIDES = TenantOverrides(())


@dataclass(frozen=True, slots=True)
class NegotiatedPrice:
    """An offer's price for one tenant, ready for quotes."""

    agreement: Agreement
    card: RateCard
    """What is charged."""
    cost_card: RateCard | None
    """What the tenant pays the seller; None where that is the same, or not known."""

    @property
    def fact(self) -> PriceFact:
        """What is charged, as a fact."""
        return self.agreement.fact

    def margin(
        self,
        parts: Parts,
        usage: UsageLines,
        service_tier: str,
        minute_of_week: Callable[[], int],
    ) -> int:
        """Return the part of a charge that is not cost; 0 where the cost is not known."""
        if self.cost_card is None:
            return 0
        prices = self.cost_card.prices(service_tier, minute_of_week)
        costs = cost_parts(usage, prices.bands[prices.band_index(usage.prompt_tokens)])
        return 0 if costs is None else parts[_TOTAL] - costs[_TOTAL]


@dataclass(frozen=True, slots=True, eq=False)
class Terms:
    """What one tenant has negotiated, or all those tenants of a plan that have no override."""

    overrides: TenantOverrides = _NO_OVERRIDES
    rule: MarginRule | None = None

    def agreement(self, listing: Listing, override: PriceOverride | None) -> Agreement | None:
        """Return the prices of an offer with an override that applies."""
        if self.rule is None:
            return negotiate(listing, override, markup=0, fixed=None)
        fixed = self.rule.fixed_prices.get(listing.offer)
        return negotiate(listing, override, markup=self.rule.markup, fixed=fixed)


@dataclass(slots=True)
class PriceView:
    """The prices of one snapshot under the same terms."""

    terms: Terms
    snapshot_version: int
    _prices: dict[tuple[str, int], NegotiatedPrice | None] = field(default_factory=dict)

    def find(self, listing: Listing, time: datetime) -> NegotiatedPrice | None:
        """Return the price of an offer at a time, None where it is the list price."""
        override = self.terms.overrides.winner(listing.fact, time)
        key = listing.offer, override.sequence if override is not None else 0
        if key in self._prices:
            return self._prices[key]
        if len(self._prices) >= MAX_CARDS:
            self._prices.clear()
        price = self._prices[key] = _compiled(self.terms.agreement(listing, override))
        return price


def terms_of(
    overrides: Sequence[PriceOverride], rules: Sequence[MarginRule]
) -> Mapping[str, Terms]:
    """Return the terms of each tenant that has any."""
    own, rule_of = by_tenant(overrides), tenants_of(rules)
    shared = {rule.key: Terms(rule=rule) for rule in rules}
    found: dict[str, Terms] = {}
    for tenant_id in own.keys() | rule_of.keys():
        rule = rule_of.get(tenant_id)
        if tenant_id in own or rule is None:
            found[tenant_id] = Terms(own.get(tenant_id, _NO_OVERRIDES), rule)
        else:
            found[tenant_id] = shared[rule.key]
    return found


def _compiled(agreement: Agreement | None) -> NegotiatedPrice | None:
    if agreement is None:
        return None
    compiler = CardCompiler()
    fact, cost_fact = agreement.fact, agreement.cost_fact
    has_margin = cost_fact.is_priced and cost_fact.rates != fact.rates
    return NegotiatedPrice(
        agreement,
        card=compiler.compile(fact),
        cost_card=compiler.compile(cost_fact) if has_margin else None,
    )
