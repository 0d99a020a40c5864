"""Margin rules and what they come to."""

from collections.abc import Callable, Iterable

from steelyard.pricing.v1 import price_override_pb2 as pb
from steelyard.pricing.v1 import pricing_service_pb2
from steelyard_common.errors import InvalidFieldError
from steelyard_common.message_times import to_timestamp
from steelyard_pricing.domain.margin_watch import ThinMargin
from steelyard_pricing.domain.margins import Margin, MarginRule, RuleKey, RuleScope
from steelyard_pricing.domain.overrides import BASIS
from steelyard_pricing.domain.rates import Rate
from steelyard_pricing.messages.overrides import read_text
from steelyard_pricing.messages.prices import to_rate
from steelyard_pricing.messages.rates import from_rates
from steelyard_pricing.messages.requests import MAX_NAME

MAX_MARKUP = 10 * BASIS
MAX_FLOOR = BASIS - 1
MAX_FIXED_PRICES = 1_000
MAX_PLAN_TENANTS = 10_000
MAX_RULE_NAME = 128
MAX_REPORT_BYTES = 3 * 1024 * 1024
"""A client takes four megabytes: what is thicker than the rest is left out."""

_PATH = "rule"


def from_rule(message: pb.MarginRule, offer_of: Callable[[str], str]) -> MarginRule:
    """Return a rule; `offer_of` resolves the name of an offer.

    Raises:
        InvalidFieldError: A field is out of range.
        ModelNotFoundError: No offer has one of the names.
    """
    key = read_rule_key(message.tenant_id, message.plan, f"{_PATH}.")
    if not 0 <= message.markup_basis_points <= MAX_MARKUP:
        raise InvalidFieldError(f"{_PATH}.markup_basis_points", f"must be from 0 to {MAX_MARKUP}")
    if not 0 <= message.floor_basis_points <= MAX_FLOOR:
        raise InvalidFieldError(f"{_PATH}.floor_basis_points", f"must be from 0 to {MAX_FLOOR}")
    return MarginRule(
        key=key,
        markup=message.markup_basis_points,
        floor=message.floor_basis_points,
        plan_tenants=_plan_tenants(message),
        fixed_prices=_fixed_prices(message, offer_of),
    )


def to_rule(rule: MarginRule) -> pb.MarginRule:
    """Return the message of a rule."""
    return pb.MarginRule(
        tenant_id=rule.tenant_id,
        plan=rule.plan,
        markup_basis_points=rule.markup,
        floor_basis_points=rule.floor,
        fixed_prices=[
            pb.FixedPrice(offer=offer, rates=map(to_rate, rates))
            for offer, rates in rule.fixed_prices.items()
        ],
        plan_tenant_ids=rule.plan_tenants,
    )


def write_entries(
    response: pricing_service_pb2.GetMarginReportResponse, margins: Iterable[ThinMargin]
) -> None:
    """Add margins in their order, as many as one message carries."""
    room = MAX_REPORT_BYTES
    for thin in margins:
        entry = _to_entry(thin)
        room -= entry.ByteSize()
        if room < 0:
            return
        response.entries.append(entry)


def _to_entry(thin: ThinMargin) -> pb.MarginEntry:
    """Return the message of a margin."""
    margin = thin.margin
    return pb.MarginEntry(
        rule=_rule_of(margin),
        offer=margin.offer,
        margin_basis_points=margin.basis_points,
        below_floor=margin.is_below_floor,
        change_time=to_timestamp(thin.change_time),
        tenant_ids=margin.tenant_ids,
    )


def read_rule_key(tenant_id: str, plan: str, path: str = "") -> RuleKey:
    """Return whom a rule is for."""
    if bool(tenant_id) == bool(plan):
        raise InvalidFieldError(f"{path}tenant_id", "either this or plan must be set")
    if tenant_id:
        return RuleKey(RuleScope.TENANT, read_text(tenant_id, f"{path}tenant_id", MAX_RULE_NAME))
    return RuleKey(RuleScope.PLAN, read_text(plan, f"{path}plan", MAX_RULE_NAME))


def tenant_field(tenant_ids: list[str], tenant_id: str) -> str:
    """Return the path of a tenant of a plan."""
    return f"{_PATH}.plan_tenant_ids[{tenant_ids.index(tenant_id)}]"


def _plan_tenants(message: pb.MarginRule) -> tuple[str, ...]:
    field = f"{_PATH}.plan_tenant_ids"
    tenant_ids = tuple(message.plan_tenant_ids)
    if tenant_ids and not message.plan:
        raise InvalidFieldError(field, "can only be set with plan")
    if len(tenant_ids) > MAX_PLAN_TENANTS:
        raise InvalidFieldError(field, f"must have at most {MAX_PLAN_TENANTS} entries")
    seen: set[str] = set()
    for index, tenant_id in enumerate(tenant_ids):
        path = f"{field}[{index}]"
        if not read_text(tenant_id, path, MAX_RULE_NAME):
            raise InvalidFieldError(path, "must not be empty")
        if tenant_id in seen:
            raise InvalidFieldError(path, "repeats an earlier one")
        seen.add(tenant_id)
    return tenant_ids


def _fixed_prices(
    message: pb.MarginRule, offer_of: Callable[[str], str]
) -> dict[str, tuple[Rate, ...]]:
    field = f"{_PATH}.fixed_prices"
    if len(message.fixed_prices) > MAX_FIXED_PRICES:
        raise InvalidFieldError(field, f"must have at most {MAX_FIXED_PRICES} entries")
    found: dict[str, tuple[Rate, ...]] = {}
    for index, fixed in enumerate(message.fixed_prices):
        path = f"{field}[{index}]"
        offer = offer_of(read_text(fixed.offer, f"{path}.offer", MAX_NAME))
        if offer in found:
            raise InvalidFieldError(f"{path}.offer", f"is {offer}, as in an earlier one")
        found[offer] = from_rates(fixed.rates, f"{path}.rates")
    return found


def _rule_of(margin: Margin) -> pb.MarginRule:
    """Return the rule with what concerns the offer: a report may name a rule a thousand times."""
    rule = margin.rule
    message = pb.MarginRule(
        tenant_id=rule.tenant_id,
        plan=rule.plan,
        markup_basis_points=rule.markup,
        floor_basis_points=rule.floor,
    )
    if fixed := rule.fixed_prices.get(margin.offer):
        message.fixed_prices.add(offer=margin.offer, rates=map(to_rate, fixed))
    return message
