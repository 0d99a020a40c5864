"""What is charged on top of cost, and where that is too little."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from steelyard_pricing.domain.comparison import base_prices
from steelyard_pricing.domain.components import Component
from steelyard_pricing.domain.negotiated import negotiate
from steelyard_pricing.domain.overrides import BASIS, PriceOverride, TenantOverrides, scaled_price
from steelyard_pricing.domain.rates import PriceFact, Rate
from steelyard_pricing.domain.snapshot import Listing

THINNEST = -100 * BASIS
"""A margin below this is shown as this: what is charged is next to nothing."""
_PROMPT_SHARE = 3
_NOBODY: Mapping[str, PriceOverride] = {}

TokenPrices = tuple[int | None, int | None]
"""Of a prompt token and one of completion."""


class RuleScope(StrEnum):
    """Whom a rule is for."""

    PLAN = "plan"
    TENANT = "tenant"


class RuleKey(NamedTuple):
    """Names a rule; those of plans sort first, each by name."""

    scope: RuleScope
    name: str


class MarginKey(NamedTuple):
    """Names one margin that is watched."""

    rule: RuleKey
    offer: str
    tenant_id: str
    """The tenant whose override makes its cost its own; empty for all the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginRule:
    """The markup on the prices of a tenant or a plan, and the floor under it."""

    key: RuleKey
    markup: int = 0
    """On cost, in basis points."""
    floor: int = 0
    """Smallest margin in basis points of the price."""
    fixed_prices: Mapping[str, tuple[Rate, ...]] = field(default_factory=dict)
    """By offer: what is charged instead of cost plus markup."""
    plan_tenants: tuple[str, ...] = ()

    @property
    def tenant_id(self) -> str:
        return self.key.name if self.key.scope is RuleScope.TENANT else ""

    @property
    def plan(self) -> str:
        return self.key.name if self.key.scope is RuleScope.PLAN else ""


@dataclass(frozen=True, slots=True)
class Margin:
    """The margin of one rule on one offer, of those tenants for which the offer costs the same."""

    rule: MarginRule
    offer: str
    own_cost_of: str
    """The tenant whose override makes the cost; empty for all the others."""
    basis_points: int
    """Of the price."""
    tenant_ids: tuple[str, ...]

    @property
    def key(self) -> MarginKey:
        return MarginKey(self.rule.key, self.offer, self.own_cost_of)

    @property
    def is_below_floor(self) -> bool:
        return self.basis_points < self.rule.floor


def tenants_of(rules: Iterable[MarginRule]) -> Mapping[str, MarginRule]:
    """Return the rule of each tenant: its own, else that of its plan."""
    found: dict[str, MarginRule] = {}
    for rule in sorted(rules, key=lambda rule: rule.key):  # plans come first
        for tenant_id in (rule.tenant_id,) if rule.tenant_id else rule.plan_tenants:
            found[tenant_id] = rule
    return found


def thin_margins(
    listings: Sequence[Listing],
    rules: Sequence[MarginRule],
    overrides: Mapping[str, TenantOverrides],
    time: datetime,
) -> list[Margin]:
    """Return the margins that are below their floor or close to it, thinnest first.

    A margin is that on three prompt tokens and one of completion at base rates. Offers without a
    price of tokens have none.
    """
    if not rules:
        return []
    rule_of = tenants_of(rules)
    members: dict[RuleKey, list[str]] = {rule.key: [] for rule in rules}
    for tenant_id, rule in sorted(rule_of.items()):
        members[rule.key].append(tenant_id)
    costs = [(listing, _token_prices(listing.charged)) for listing in listings]
    scope = _OverrideScope(listings, overrides, time)
    found: list[Margin] = []
    for rule in rules:
        found += _of_rule(rule, members[rule.key], costs, scope.of(members[rule.key]))
    return sorted(found, key=lambda margin: (margin.basis_points, margin.key))


def margin_basis_points(sell: TokenPrices, cost: TokenPrices) -> int | None:
    """Return the margin of prices in basis points, rounded down; None where there is no such thing.

    Rounding down keeps it below the floor exactly where the margin itself is.
    """
    prompt, completion = cost
    if prompt is None and completion is None:
        return None
    if (prompt is None and sell[0] is not None) or (completion is None and sell[1] is not None):
        return None  # something is charged, and nobody knows what it costs
    paid = _PROMPT_SHARE * (prompt or 0) + (completion or 0)
    charged = _PROMPT_SHARE * (sell[0] or 0) + (sell[1] or 0)
    if not charged:
        return THINNEST if paid else None
    return max(THINNEST, (charged - paid) * BASIS // charged)


class _OverrideScope:
    """Which overrides apply to which offers at a time."""

    def __init__(
        self,
        listings: Iterable[Listing],
        overrides: Mapping[str, TenantOverrides],
        time: datetime,
    ) -> None:
        self._overrides = overrides
        self._time = time
        self._by_offer: dict[str, Listing] = {}
        self._by_provider: dict[str, list[Listing]] = {}
        for listing in listings:
            self._by_offer[listing.offer] = listing
            self._by_provider.setdefault(listing.fact.name.provider, []).append(listing)

    def of(self, tenants: Iterable[str]) -> Mapping[str, Mapping[str, PriceOverride]]:
        """Return the override of each tenant that has one, by offer."""
        found: dict[str, dict[str, PriceOverride]] = {}
        for tenant_id in tenants:
            overrides = self._overrides.get(tenant_id)
            if overrides is None:
                continue
            touched = {
                listing.offer: listing
                for override in overrides.valid_at(self._time)
                for listing in self._touched(override)
            }
            for offer, listing in touched.items():
                winner = overrides.winner(listing.fact, self._time)
                if winner is not None:
                    found.setdefault(offer, {})[tenant_id] = winner
        return found

    def _touched(self, override: PriceOverride) -> Iterable[Listing]:
        if override.provider:
            return self._by_provider.get(override.provider, ())
        listing = self._by_offer.get(override.offer)
        return () if listing is None else (listing,)


def _of_rule(
    rule: MarginRule,
    tenants: Sequence[str],
    costs: Iterable[tuple[Listing, TokenPrices]],
    overrides: Mapping[str, Mapping[str, PriceOverride]],
) -> Iterator[Margin]:
    limit = 11 * rule.floor
    for listing, prices in costs:
        own = overrides.get(listing.offer, _NOBODY)
        for tenant_id, override in own.items():
            margin = _margin(rule, listing, prices, override)
            if margin is not None and 10 * margin < limit:
                yield Margin(rule, listing.offer, tenant_id, margin, (tenant_id,))
        # A plan that has no tenants yet is watched all the same.
        if tenants and len(own) == len(tenants):
            continue
        margin = _margin(rule, listing, prices, None)
        if margin is not None and 10 * margin < limit:
            rest = tuple(tenant_id for tenant_id in tenants if tenant_id not in own)
            yield Margin(rule, listing.offer, "", margin, rest)


def _margin(
    rule: MarginRule, listing: Listing, listed: TokenPrices, override: PriceOverride | None
) -> int | None:
    fixed = rule.fixed_prices.get(listing.offer)
    if fixed is not None or (override is not None and override.rates):
        agreed = negotiate(listing, override, markup=rule.markup, fixed=fixed)
        if agreed is not None:
            return margin_basis_points(_token_prices(agreed.fact), _token_prices(agreed.cost_fact))
    # The bulk of a catalogue: no rate is made for it.
    cost = listed if override is None else _scaled(listed, override.factor)
    return margin_basis_points(_scaled(cost, BASIS + rule.markup), cost)


def _token_prices(fact: PriceFact) -> TokenPrices:
    prices = base_prices(fact)
    return prices.get(Component.INPUT_TOKEN), prices.get(Component.OUTPUT_TOKEN)


def _scaled(prices: TokenPrices, factor: int) -> TokenPrices:
    prompt, completion = prices
    return (
        None if prompt is None else scaled_price(prompt, factor),
        None if completion is None else scaled_price(completion, factor),
    )
