"""Markups and the floors under them, over REST."""

from typing import Any

import pytest

from steelyard.pricing.v1 import price_override_pb2 as pb
from steelyard_common.errors import ScopeMissingError
from tests.edge.conftest import RunningEdge
from tests.edge.fakes import GPT_4O, timestamp

MARGINS = "/api/ai/pricing/margins"
PLAN: dict[str, Any] = {
    "plan": "pro",
    "markup_basis_points": 2000,
    "floor_basis_points": 1000,
    "plan_tenant_ids": ["ten_1"],
    "fixed_prices": [
        {"offer": GPT_4O, "rates": [{"component": "input_token", "usd_per_1m_tokens": 3}]}
    ],
}


async def test_a_rule_is_set_listed_and_deleted(edge: RunningEdge) -> None:
    stored = await edge.ask("PUT", MARGINS, json=PLAN)
    listed = await edge.get(MARGINS)
    deleted = await edge.ask("DELETE", f"{MARGINS}?plan=pro")
    left = await edge.get(MARGINS)

    assert [each.status_code for each in (stored, listed, deleted)] == [200, 200, 200]
    rule = stored.json()["data"]
    assert (rule["tenant_id"], rule["plan"]) == (None, "pro")
    assert (rule["markup_basis_points"], rule["floor_basis_points"]) == (2000, 1000)
    assert rule["fixed_prices"][0]["input_usd_per_1m_tokens"] == 3
    assert rule["plan_tenant_ids"] == ["ten_1"]
    assert edge.pricing.requests[0].rule.fixed_prices[0].rates[0].picodollars == 3_000_000
    assert listed.json()["data"]["rules"] == [rule]
    assert deleted.json()["data"] == {"tenant_id": None, "plan": "pro"}
    assert left.json()["data"] == {"rules": []}


async def test_a_rule_that_is_not_there_is_404(edge: RunningEdge) -> None:
    response = await edge.ask("DELETE", f"{MARGINS}?tenant_id=ten_1")

    assert response.status_code == 404
    assert response.json()["error"]["details"] == {"resource": "margin_rule", "id": "ten_1"}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (PLAN | {"tenant_id": "ten_1"}, "tenant_id"),
        (PLAN | {"markup_basis_points": 2**31}, "markup_basis_points"),
        (PLAN | {"markup_basis_points": 1.5}, "markup_basis_points"),
        (PLAN | {"plan_tenant_ids": "ten_1"}, "plan_tenant_ids"),
        (PLAN | {"fixed_prices": [{"offer": GPT_4O}]}, "fixed_prices[0].rates"),
        (
            PLAN | {"fixed_prices": [{"offer": GPT_4O, "rates": [{"component": "page"}]}]},
            "fixed_prices[0].rates[0]",
        ),
        ([], "body"),
    ],
    ids=str,
)
async def test_a_bad_rule_is_named(edge: RunningEdge, body: object, field: str) -> None:
    response = await edge.ask("PUT", MARGINS, json=body)

    assert response.status_code == 422
    assert response.json()["error"]["details"]["fields"][0]["field"] == field
    assert edge.pricing.margin_rules == {}


async def test_the_report_says_who_is_below_the_floor(edge: RunningEdge) -> None:
    entry = pb.MarginEntry(
        rule=pb.MarginRule(plan="pro", floor_basis_points=1000),
        offer=GPT_4O,
        margin_basis_points=-250,
        below_floor=True,
        change_time=timestamp(),
        tenant_ids=["ten_1", "ten_2"],
    )
    edge.pricing.margin_entries = [entry, pb.MarginEntry(tenant_ids=["ten_3"])]

    response = await edge.get(f"{MARGINS}/report?tenant_id=ten_1")

    assert response.json()["data"] == {
        "entries": [
            {
                "rule": {"tenant_id": None, "plan": "pro"},
                "offer": GPT_4O,
                "margin_basis_points": -250,
                "floor_basis_points": 1000,
                "below_floor": True,
                "change_time": "2026-11-01T12:00:00Z",
                "tenant_ids": ["ten_1", "ten_2"],
            }
        ],
        "snapshot_version": 7,
    }


@pytest.mark.parametrize(
    ("method", "path"), [("GET", ""), ("PUT", ""), ("DELETE", "?plan=pro"), ("GET", "/report")]
)
async def test_margins_are_for_administrators(edge: RunningEdge, method: str, path: str) -> None:
    edge.pricing.error = ScopeMissingError("SCOPE_ADMIN", "ListMarginRules")

    response = await edge.ask(method, MARGINS + path, json=PLAN)

    assert response.status_code == 403
