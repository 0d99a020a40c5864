"""What tenants agreed on with sellers, and what is charged on top."""

from typing import Any

from steelyard.pricing.v1.price_override_pb2 import MarginEntry, MarginRule, PriceOverride
from steelyard.pricing.v1.pricing_service_pb2 import (
    GetMarginReportResponse,
    ListMarginRulesResponse,
    ListOverridesResponse,
)
from steelyard_edge.views.price import rates
from steelyard_edge.views.scalars import moment, page, text


def overrides(answer: ListOverridesResponse) -> dict[str, Any]:
    return {"overrides": [override(each) for each in answer.overrides], **page(answer.page_info)}


def override(agreed: PriceOverride) -> dict[str, Any]:
    return {
        "override_id": agreed.override_id,
        "offer": text(agreed.offer),
        "provider": text(agreed.provider),
        **rates(agreed.rates),
        "factor_basis_points": agreed.factor_basis_points or None,
        "start_time": moment(agreed, "start_time"),
        "end_time": moment(agreed, "end_time"),
        "note": text(agreed.note),
    }


def margin_rules(answer: ListMarginRulesResponse) -> dict[str, Any]:
    return {"rules": [margin_rule(each) for each in answer.rules]}


def margin_rule(rule: MarginRule) -> dict[str, Any]:
    return {
        "tenant_id": text(rule.tenant_id),
        "plan": text(rule.plan),
        "markup_basis_points": rule.markup_basis_points,
        "floor_basis_points": rule.floor_basis_points,
        "fixed_prices": [{"offer": each.offer, **rates(each.rates)} for each in rule.fixed_prices],
        "plan_tenant_ids": list(rule.plan_tenant_ids),
    }


def margin_report(answer: GetMarginReportResponse) -> dict[str, Any]:
    return {
        "entries": [_margin_entry(each) for each in answer.entries],
        "snapshot_version": answer.snapshot_version,
    }


def _margin_entry(entry: MarginEntry) -> dict[str, Any]:
    return {
        # Without the fixed prices: up to a thousand of them, once an entry.
        "rule": {"tenant_id": text(entry.rule.tenant_id), "plan": text(entry.rule.plan)},
        "offer": entry.offer,
        "margin_basis_points": entry.margin_basis_points,
        "floor_basis_points": entry.rule.floor_basis_points,
        "below_floor": entry.below_floor,
        "change_time": moment(entry, "change_time"),
        "tenant_ids": list(entry.tenant_ids),
    }
