"""What is charged on top of cost, and where that is too little."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from steelyard_pricing.domain.comparison import base_prices
from steelyard_pricing.domain.components import Component
from steelyard_pricing.domain.negotiated import Agreement, negotiate
from steelyard_pricing.domain.overrides import BASIS, TenantOverrides, scaled_price
from steelyard_pricing.domain.rates import Rate
from steelyard_pricing.domain.snapshot import Listing

THINNEST = -100 * BASIS
"""A margin below this is shown as this: what is charged is next to nothing."""
_PROMPT_SHARE = 3


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


@dataclass(frozen=True, slots=True, kw_only=True)
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

    @property
    def is_thin(self) -> bool:
        """Whether it is below the floor, or less than a tenth above it."""
        return self.is_below_floor or 10 * self.basis_points < 11 * self.rule.floor


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
    valid = {
        tenant_id: now_valid
        for tenant_id in rule_of.keys() & overrides.keys()
        if (now_valid := overrides[tenant_id].valid_at(time)) is not None
    }
    costs = [(listing, base_prices(listing.charged)) for listing in listings]
    found = [
        margin
        for rule in rules
        for margin in _of_rule(rule, members[rule.key], costs, valid, time)
        if margin.is_thin
    ]
    return sorted(found, key=lambda margin: (margin.basis_points, margin.key))


def margin_basis_points(sell: Mapping[Component, int], cost: Mapping[Component, int]) -> int | None:
    """Return the margin of prices in basis points, rounded down; None where there is no such thing.

    Rounding down keeps it below the floor exactly where the margin itself is.
    """
    if not cost or not sell.keys() <= cost.keys():
        return None
    charged, paid = _mix(sell), _mix(cost)
    if not charged:
        return THINNEST if paid else None
    return max(THINNEST, (charged - paid) * BASIS // charged)


def _of_rule(
    rule: MarginRule,
    tenants: Sequence[str],
    costs: Iterable[tuple[Listing, Mapping[Component, int]]],
    overrides: Mapping[str, TenantOverrides],
    time: datetime,
) -> Iterator[Margin]:
    negotiating = [tenant_id for tenant_id in tenants if tenant_id in overrides]
    for listing, prices in costs:
        apart: set[str] = set()
        for tenant_id in negotiating:
            winner = overrides[tenant_id].winner(listing.fact, time)
            if winner is not None:
                apart.add(tenant_id)
                agreed = negotiate(
                    listing, winner, markup=rule.markup, fixed=rule.fixed_prices.get(listing.offer)
                )
                yield from _margin(rule, listing, tenant_id, (tenant_id,), _of_agreement(agreed))
        rest = tuple(tenant_id for tenant_id in tenants if tenant_id not in apart)
        # A plan that has no tenants yet is watched all the same.
        if rest or not tenants:
            yield from _margin(rule, listing, "", rest, _at_list_cost(rule, listing, prices))


def _margin(
    rule: MarginRule,
    listing: Listing,
    own_cost_of: str,
    tenant_ids: tuple[str, ...],
    basis_points: int | None,
) -> Iterator[Margin]:
    if basis_points is not None:
        yield Margin(
            rule=rule,
            offer=listing.offer,
            own_cost_of=own_cost_of,
            basis_points=basis_points,
            tenant_ids=tenant_ids,
        )


def _at_list_cost(
    rule: MarginRule, listing: Listing, prices: Mapping[Component, int]
) -> int | None:
    fixed = rule.fixed_prices.get(listing.offer)
    if fixed is not None:
        return _of_agreement(negotiate(listing, None, markup=rule.markup, fixed=fixed))
    # The bulk of a catalogue: nothing is made for it.
    costs = _of_tokens(prices)
    factor = BASIS + rule.markup
    return margin_basis_points(
        {component: scaled_price(price, factor) for component, price in costs.items()}, costs
    )


def _of_agreement(agreed: Agreement | None) -> int | None:
    if agreed is None:
        return None
    return margin_basis_points(
        _of_tokens(base_prices(agreed.fact)), _of_tokens(base_prices(agreed.cost_fact))
    )


def _of_tokens(prices: Mapping[Component, int]) -> dict[Component, int]:
    return {
        component: prices[component]
        for component in (Component.INPUT_TOKEN, Component.OUTPUT_TOKEN)
        if component in prices
    }


def _mix(prices: Mapping[Component, int]) -> int:
    return _PROMPT_SHARE * prices.get(Component.INPUT_TOKEN, 0) + prices.get(
        Component.OUTPUT_TOKEN, 0
    )
