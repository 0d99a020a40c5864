"""Margin rules, and who is below the floor, through the front door."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from structlog.testing import capture_logs

from steelyard.common.v1.usage_pb2 import Usage
from steelyard.pricing.v1 import price_override_pb2
from steelyard.pricing.v1 import pricing_service_pb2 as pb
from steelyard_common.background import BackgroundTask
from tests.fakes import FakeClock, FakeFeedServer
from tests.pricing.builders import (
    a_fact,
    openrouter_body,
    openrouter_model,
    per_million,
    tokens,
    usd,
)
from tests.pricing.conftest import Start, settings_for, start_pricing
from tests.pricing.failures import failure_of
from tests.pricing.tenants import INPUT, OUTPUT, Caller, HeaderAuthenticator, a_seed, rate

INVALID = grpc.StatusCode.INVALID_ARGUMENT, "ERROR_REASON_INVALID_FIELD"
HOUR = 3600
LIST = "/api/v1/models"
MODELS = [openrouter_model(f"acme/model-{number}") for number in range(40)]
OFFER = "openrouter/acme/model-1"
SEED = a_seed(
    a_fact("acme/model", tokens("1", "2"), source="seed"),
    a_fact("acme/other", tokens("1", "2"), source="seed"),
    a_fact("acme/unpriced", source="seed"),
)


def fixed(offer: str, prompt: str, completion: str) -> price_override_pb2.FixedPrice:
    """Return a price in USD per million tokens."""
    return price_override_pb2.FixedPrice(
        offer=offer,
        rates=[rate(INPUT, per_million(prompt)), rate(OUTPUT, per_million(completion))],
    )


def time(clock: FakeClock) -> Timestamp:
    message = Timestamp()
    message.FromDatetime(clock.now())
    return message


def told(entry: price_override_pb2.MarginEntry) -> tuple[str, str, int, bool, list[str]]:
    """Return whose rule it is, the offer, the margin, whether that is too thin, and tenants."""
    rule = entry.rule
    return (
        rule.plan or rule.tenant_id,
        entry.offer,
        entry.margin_basis_points,
        entry.below_floor,
        list(entry.tenant_ids),
    )


@pytest.fixture
async def operator(start: Start) -> Caller:
    return Caller(await start(seed=SEED, authenticator=HeaderAuthenticator()), "operator")


async def test_a_markup_is_part_of_the_price_and_told(operator: Caller) -> None:
    ada = Caller(operator.pricing, "ada")
    await operator.rule(tenant_id="ada", markup_basis_points=2_000)

    (quote,) = await ada.quote("acme/model", options=pb.QuoteOptions(include_rates=True))
    price = await ada.price("acme/model")
    usage = Usage(uncached_input_token_count=1000, output_token_count=500)
    estimate = await ada.call(
        "EstimateCost", pb.EstimateCostRequest(model="acme/model", usage=usage)
    )

    assert quote.cost.total_picodollars == usd("0.0024")
    assert quote.cost.input_picodollars + quote.cost.output_picodollars == usd("0.0024")
    assert (quote.margin_picodollars, quote.negotiated) == (usd("0.0004"), True)
    shown = [each.picodollars for each in price.rates]
    assert shown == [each.unit_picodollars for each in quote.rates]
    assert shown == [per_million("1.2"), per_million("2.4")]
    assert price.source == "seed"
    assert estimate.cost == quote.cost
    assert estimate.margin_picodollars == quote.margin_picodollars
    assert await operator.cost("acme/model") == usd("0.002")


async def test_a_rule_of_the_tenant_comes_before_that_of_its_plan(operator: Caller) -> None:
    ada, bob = Caller(operator.pricing, "ada"), Caller(operator.pricing, "bob")
    await operator.rule(plan="gold", markup_basis_points=1_000, plan_tenant_ids=["ada", "bob"])
    await operator.rule(tenant_id="bob", markup_basis_points=5_000)

    assert await ada.cost("acme/model") == usd("0.0022")
    assert await bob.cost("acme/model") == usd("0.003")

    await operator.call("DeleteMarginRule", pb.DeleteMarginRuleRequest(tenant_id="bob"))
    assert await bob.cost("acme/model") == usd("0.0022")


async def test_a_price_tier_replaces_cost_plus_markup_of_single_offers(operator: Caller) -> None:
    ada = Caller(operator.pricing, "ada")
    await operator.rule(
        plan="gold",
        markup_basis_points=1_000,
        plan_tenant_ids=["ada"],
        fixed_prices=[fixed("model", "3", "4")],
    )

    (first, second) = await ada.quote("acme/model", "acme/other")

    assert first.cost.total_picodollars == usd("0.005")
    assert first.margin_picodollars == usd("0.003")
    assert second.cost.total_picodollars == usd("0.0022")


async def test_a_margin_can_be_a_loss(operator: Caller) -> None:
    ada = Caller(operator.pricing, "ada")
    await operator.rule(tenant_id="ada", fixed_prices=[fixed("acme/model", "0.5", "1")])

    (quote,) = await ada.quote("acme/model")

    assert quote.cost.total_picodollars == usd("0.001")
    assert quote.margin_picodollars == -usd("0.001")


async def test_a_markup_is_on_what_the_override_makes_of_the_cost(operator: Caller) -> None:
    ada = Caller(operator.pricing, "ada")
    await operator.rule(tenant_id="ada", markup_basis_points=2_000)
    await ada.override(provider="acme", factor_basis_points=5_000)

    (quote,) = await ada.quote("acme/model")

    assert quote.cost.total_picodollars == usd("0.0012")
    assert quote.margin_picodollars == usd("0.0002")


async def test_rules_survive_a_restart(start: Start, operator: Caller) -> None:
    kept = [
        await operator.rule(
            plan="gold",
            markup_basis_points=1_000,
            floor_basis_points=500,
            plan_tenant_ids=["zoe", "ada"],
            fixed_prices=[fixed("acme/model", "3", "4")],
        ),
        await operator.rule(tenant_id="ada", markup_basis_points=2_000),
        await operator.rule(tenant_id="bob", markup_basis_points=0),
    ]

    again = Caller(await start(seed=SEED, authenticator=HeaderAuthenticator()), "operator")

    listed = await again.call("ListMarginRules", pb.ListMarginRulesRequest())
    assert list(listed.rules) == kept
    assert await Caller(again.pricing, "zoe").cost("acme/model") == usd("0.005")


async def test_a_dearer_price_puts_the_right_tenants_below_their_floor(
    start: Start, feeds: FakeFeedServer, clock: FakeClock
) -> None:
    url = feeds.publish(LIST, openrouter_body(*MODELS))
    pricing = await start(seed=SEED, openrouter_url=url, authenticator=HeaderAuthenticator())
    await pricing.report()
    operator = Caller(pricing, "operator")
    tier = [fixed(OFFER, "1.25", "2.5")]
    await operator.rule(
        plan="gold",
        floor_basis_points=1_000,
        markup_basis_points=2_000,
        plan_tenant_ids=["ada", "bob", "cut"],
        fixed_prices=tier,
    )
    await operator.rule(
        tenant_id="low", floor_basis_points=100, markup_basis_points=500, fixed_prices=tier
    )
    await operator.rule(tenant_id="markup", floor_basis_points=1_000, markup_basis_points=2_000)
    await Caller(pricing, "cut").override(offer=OFFER, factor_basis_points=8_000)
    assert await operator.report() == []
    await clock.advance(HOUR)
    changed = [
        openrouter_model("acme/model-1", "0.0000012", "0.0000024") if number == 1 else model
        for number, model in enumerate(MODELS)
    ]
    feeds.publish(LIST, openrouter_body(*changed))

    with capture_logs() as logged:
        assert (await pricing.report()).changed_count == 1

    changed_at = time(clock)
    alerts = [line for line in logged if line["event"] == "margin below floor"]
    assert alerts == [
        {
            "event": "margin below floor",
            "log_level": "warning",
            "rule": "plan:gold",
            "offer": OFFER,
            "margin_basis_points": 400,
            "floor_basis_points": 1_000,
            "tenant_ids": ["ada", "bob"],
        }
    ]
    await clock.advance(HOUR)
    (entry,) = await operator.report()
    assert told(entry) == ("gold", OFFER, 400, True, ["ada", "bob"])
    assert entry.change_time == changed_at
    assert (entry.rule.floor_basis_points, list(entry.rule.fixed_prices)) == (1_000, tier)
    assert await operator.report("ada") == [entry]
    assert await operator.report("cut") == []

    with capture_logs() as logged:
        again = await start(seed=SEED, openrouter_url=url, authenticator=HeaderAuthenticator())
    assert [line for line in logged if "margin" in line["event"]] == []
    assert await Caller(again, "operator").report() == [entry]


async def test_a_rule_that_is_below_its_floor_from_the_start_is_told_at_once(
    operator: Caller, clock: FakeClock
) -> None:
    with capture_logs() as logged:
        await operator.rule(
            tenant_id="ada",
            floor_basis_points=1_000,
            markup_basis_points=2_000,
            fixed_prices=[fixed("acme/model", "1", "2"), fixed("acme/other", "1.12", "2.24")],
        )

    below, close = await operator.report()
    assert told(below) == ("ada", "acme/model", 0, True, ["ada"])
    assert below.change_time == time(clock)
    assert told(close) == ("ada", "acme/other", 1_071, False, ["ada"])
    assert not close.HasField("change_time")
    assert [line["offer"] for line in logged if line["event"] == "margin below floor"] == [
        "acme/model"
    ]


async def test_a_margin_that_recovers_is_dated_anew_when_it_falls_again(
    operator: Caller, clock: FakeClock
) -> None:
    ada = Caller(operator.pricing, "ada")
    await operator.rule(
        tenant_id="ada", floor_basis_points=1_000, fixed_prices=[fixed("acme/model", "1", "2")]
    )
    await clock.advance(HOUR)

    cheaper = await ada.override(offer="acme/model", factor_basis_points=5_000)
    assert "acme/model" not in [entry.offer for entry in await operator.report()]
    await clock.advance(HOUR)
    await ada.end(cheaper.override_id)

    entry = next(each for each in await operator.report() if each.offer == "acme/model")
    assert entry.change_time == time(clock)


async def test_a_loss_is_reported_without_a_floor(operator: Caller) -> None:
    await operator.rule(
        tenant_id="ada",
        fixed_prices=[fixed("acme/model", "0.5", "1"), fixed("acme/unpriced", "1", "1")],
    )

    assert [told(entry) for entry in await operator.report()] == [
        ("ada", "acme/model", -10_000, True, ["ada"])
    ]


async def test_replicas_follow_each_other_within_five_seconds(
    operator: Caller, clock: FakeClock, tmp_path: Path
) -> None:
    async with AsyncExitStack() as stack:
        other = await start_pricing(
            stack,
            settings_for(tmp_path),
            clock=clock,
            seed=SEED,
            authenticator=HeaderAuthenticator(),
        )
        watching = asyncio.ensure_future(task(other.service.tasks, "margins").run())
        stack.callback(watching.cancel)
        ada = Caller(other, "ada")
        assert await ada.cost("acme/model") == usd("0.002")

        await operator.rule(tenant_id="ada", markup_basis_points=2_000)
        await clock.wait_for_sleeper()
        await clock.advance(5)

        async with asyncio.timeout(10):
            while await ada.cost("acme/model") != usd("0.0024"):
                pass


def task(tasks: Any, name: str) -> BackgroundTask:
    found = next(each for each in tasks if each.name == name)
    assert isinstance(found, BackgroundTask)
    return found


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({}, "rule"),
        ({"markup_basis_points": 1}, "rule.tenant_id"),
        ({"tenant_id": "a", "plan": "b"}, "rule.tenant_id"),
        ({"tenant_id": "a", "markup_basis_points": 100_001}, "rule.markup_basis_points"),
        ({"tenant_id": "a", "floor_basis_points": 10_000}, "rule.floor_basis_points"),
        ({"tenant_id": "a", "floor_basis_points": -1}, "rule.floor_basis_points"),
        ({"tenant_id": "a", "plan_tenant_ids": ["b"]}, "rule.plan_tenant_ids"),
        ({"plan": "p", "plan_tenant_ids": ["b", "b"]}, "rule.plan_tenant_ids[1]"),
        ({"plan": "p", "plan_tenant_ids": [""]}, "rule.plan_tenant_ids[0]"),
        ({"plan": "p", "plan_tenant_ids": ["new", "taken"]}, "rule.plan_tenant_ids[1]"),
        (
            {"plan": "p", "fixed_prices": [price_override_pb2.FixedPrice(offer="acme/model")]},
            "rule.fixed_prices[0].rates",
        ),
        (
            {
                "plan": "p",
                "fixed_prices": [fixed("acme/model", "1", "1"), fixed("model", "1", "1")],
            },
            "rule.fixed_prices[1].offer",
        ),
        (
            {"plan": "p", "fixed_prices": [fixed("acme/model", "1", "1")] * 1001},
            "rule.fixed_prices",
        ),
    ],
)
async def test_a_rule_that_makes_no_sense_is_refused(
    operator: Caller, fields: dict[str, Any], field: str
) -> None:
    await operator.rule(plan="gold", plan_tenant_ids=["taken"])

    request = pb.SetMarginRuleRequest()
    if fields:
        request.rule.CopyFrom(price_override_pb2.MarginRule(**fields))
    code, reason, metadata = await failure_of(operator.call("SetMarginRule", request))

    assert (code, reason, metadata["field"]) == (*INVALID, field)
    listed = await operator.call("ListMarginRules", pb.ListMarginRulesRequest())
    assert [rule.plan for rule in listed.rules] == ["gold"]


async def test_what_does_not_exist_is_not_found(operator: Caller) -> None:
    code, reason, metadata = await failure_of(
        operator.call("DeleteMarginRule", pb.DeleteMarginRuleRequest(plan="gold"))
    )
    assert (code, reason) == (grpc.StatusCode.NOT_FOUND, "ERROR_REASON_RESOURCE_NOT_FOUND")
    assert metadata == {"resource": "margin_rule", "id": "gold"}

    code, reason, metadata = await failure_of(
        operator.rule(plan="gold", fixed_prices=[fixed("acme/modle", "1", "1")])
    )
    assert (code, reason) == (grpc.StatusCode.NOT_FOUND, "ERROR_REASON_MODEL_NOT_FOUND")
    assert metadata["model"] == "acme/modle"
