"""Prices that a tenant agreed on, over REST: stored to the last digit."""

from decimal import Decimal
from typing import Any

import pytest

from steelyard.pricing.v1 import price_pb2
from steelyard_common.errors import ModelNotFoundError, ScopeMissingError
from tests.edge.conftest import RunningEdge, exact
from tests.edge.fakes import GPT_4O, OBSERVED, timestamp

OVERRIDES = "/api/ai/pricing/overrides"
TEN_PERCENT_OFF = {"offer": GPT_4O, "percent_off": 10}


def with_rate(**rate: Any) -> dict[str, Any]:
    return {"offer": GPT_4O, "rates": [{"component": "input_token"} | rate]}


async def test_what_is_created_is_listed_replaced_and_deleted(edge: RunningEdge) -> None:
    created = await edge.post(OVERRIDES, json=TEN_PERCENT_OFF)
    override_id = created.json()["data"]["override_id"]
    listed = await edge.get(OVERRIDES)
    replaced = await edge.ask(
        "PUT", f"{OVERRIDES}/{override_id}", json={"provider": "openai", "percent_off": 20}
    )
    deleted = await edge.ask("DELETE", f"{OVERRIDES}/{override_id}")
    left = await edge.get(OVERRIDES)

    assert [each.status_code for each in (created, listed, replaced, deleted)] == [
        201, 200, 200, 200,
    ]  # fmt: skip
    assert listed.json()["data"]["overrides"] == [created.json()["data"]]
    assert replaced.json()["data"]["override_id"] == override_id
    assert replaced.json()["data"]["offer"] is None
    assert replaced.json()["data"]["factor_basis_points"] == 8000
    assert deleted.json()["data"] == {"override_id": override_id}
    assert left.json()["data"] == {"overrides": [], "next_page_token": None, "total_count": 0}


async def test_all_that_was_agreed_is_stored(edge: RunningEdge) -> None:
    rate = {
        "component": "cache_read_token",
        "usd_per_unit": "0.0000001",
        "service_tier": "batch",
        "above_prompt_tokens": 200_000,
        "windows": [{"weekdays": [6, 7], "start_minute": 0, "end_minute": 1440}],
    }
    body = {
        "offer": GPT_4O,
        "rates": [rate],
        "start_time": "2026-11-01T13:00:00+01:00",
        "note": "Contract of November",
        "unknown": "is ignored",
    }

    data = exact(await edge.post(OVERRIDES, json=body))["data"]

    stored = edge.pricing.overrides[data["override_id"]]
    assert stored.start_time == timestamp(OBSERVED)
    assert stored.rates[0] == price_pb2.PriceRate(
        component=price_pb2.PRICE_COMPONENT_CACHE_READ_TOKEN,
        picodollars=100_000,
        service_tier="batch",
        above_prompt_token_count=200_000,
        windows=[price_pb2.TimeWindow(weekdays=[6, 7], start_minute=0, end_minute=1440)],
    )
    assert data["rates"] == [rate | {"usd_per_unit": Decimal("0.0000001")}]
    assert (data["start_time"], data["end_time"]) == ("2026-11-01T12:00:00Z", None)
    assert (data["factor_basis_points"], data["note"]) == (None, "Contract of November")


@pytest.mark.parametrize(
    ("rate", "picodollars"),
    [
        ('"usd_per_1m_tokens": 2.1', 2_100_000),
        ('"usd_per_1m_tokens": "2.10"', 2_100_000),
        ('"usd_per_1m_tokens": 0.000001', 1),
        ('"usd_per_1m_tokens": 21e-1', 2_100_000),
        ('"usd_per_1m_tokens": 0', 0),
        ('"usd_per_1m_tokens": 1234567.890123', 1_234_567_890_123),
        # No binary float is that close to it.
        ('"usd_per_unit": 1234567.890123456789', 1_234_567_890_123_456_789),
        ('"usd_per_unit": 0.000000000001', 1),
    ],
)
async def test_amounts_are_read_to_the_last_digit(
    edge: RunningEdge, rate: str, picodollars: int
) -> None:
    text = f'{{"offer": "{GPT_4O}", "rates": [{{"component": "input_token", {rate}}}]}}'

    response = await edge.send(OVERRIDES, text)

    assert response.status_code == 201
    assert edge.pricing.last_request.override.rates[0].picodollars == picodollars


async def test_usual_rates_are_also_laid_out_per_1m(edge: RunningEdge) -> None:
    response = await edge.post(OVERRIDES, json=with_rate(usd_per_1m_tokens="2.10"))

    assert '"input_usd_per_token":0.0000021,"input_usd_per_1m_tokens":2.1,' in response.text
    assert response.json()["data"]["output_usd_per_token"] is None


@pytest.mark.parametrize(
    ("factor", "basis_points"),
    [
        ('"percent_off": 10', 9000),
        ('"percent_off": "12.5"', 8750),
        ('"percent_off": 33.33', 6667),
        ('"percent_off": 99.99', 1),
        ('"percent_off": 0', 10_000),
        ('"factor_basis_points": 12000', 12_000),
    ],
)
async def test_a_factor_may_be_said_in_percent_off(
    edge: RunningEdge, factor: str, basis_points: int
) -> None:
    response = await edge.send(OVERRIDES, f'{{"provider": "openai", {factor}}}')

    assert response.status_code == 201
    assert edge.pricing.last_request.override.factor_basis_points == basis_points


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (with_rate(), "rates[0]"),
        (with_rate(usd_per_unit=1, usd_per_1m_tokens=1), "rates[0]"),
        (with_rate(component="magic", usd_per_unit=1), "rates[0].component"),
        (with_rate(component="request", usd_per_1m_tokens=1), "rates[0].usd_per_1m_tokens"),
        (with_rate(usd_per_1m_tokens="0.0000001"), "rates[0].usd_per_1m_tokens"),
        (with_rate(usd_per_unit="0.0000000000001"), "rates[0].usd_per_unit"),
        (with_rate(usd_per_unit="1e-999999"), "rates[0].usd_per_unit"),
        (with_rate(usd_per_unit="1e999999"), "rates[0].usd_per_unit"),
        (with_rate(usd_per_unit="NaN"), "rates[0].usd_per_unit"),
        (with_rate(usd_per_unit=-1), "rates[0].usd_per_unit"),
        (with_rate(usd_per_unit=[1]), "rates[0].usd_per_unit"),
        ({"offer": GPT_4O, "rates": [{"usd_per_unit": 1}]}, "rates[0].component"),
        ({"offer": GPT_4O, "rates": {}}, "rates"),
        (TEN_PERCENT_OFF | {"percent_off": 100}, "percent_off"),
        (TEN_PERCENT_OFF | {"percent_off": -1}, "percent_off"),
        (TEN_PERCENT_OFF | {"percent_off": "0.001"}, "percent_off"),
        (TEN_PERCENT_OFF | {"percent_off": "1e-999999"}, "percent_off"),
        (TEN_PERCENT_OFF | {"percent_off": "sNaN"}, "percent_off"),
        (TEN_PERCENT_OFF | {"factor_basis_points": 9000}, "percent_off"),
        ({"offer": GPT_4O, "factor_basis_points": 0}, "factor_basis_points"),
        (TEN_PERCENT_OFF | {"start_time": "2026-11-01"}, "start_time"),
        (TEN_PERCENT_OFF | {"end_time": "2026-11-01T00:00:00"}, "end_time"),
        (TEN_PERCENT_OFF | {"end_time": "0001-01-01T00:00:00+23:59"}, "end_time"),
        (TEN_PERCENT_OFF | {"note": "x" * 1001}, "note"),
        (TEN_PERCENT_OFF | {"provider": "openai"}, "offer"),
        ([], "body"),
    ],
    ids=str,
)
async def test_a_bad_override_is_named(edge: RunningEdge, body: object, field: str) -> None:
    response = await edge.post(OVERRIDES, json=body)

    assert response.status_code == 422
    assert response.json()["error"]["details"]["fields"][0]["field"] == field
    assert edge.pricing.overrides == {}


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_an_unknown_override_is_404(edge: RunningEdge, method: str) -> None:
    response = await edge.ask(method, f"{OVERRIDES}/ovr_9", json=TEN_PERCENT_OFF)

    assert response.status_code == 404
    assert response.json()["error"]["details"] == {"resource": "override", "id": "ovr_9"}


async def test_an_override_of_an_unknown_model_is_404(edge: RunningEdge) -> None:
    edge.pricing.error = ModelNotFoundError("openai/gpt-40", [GPT_4O])

    response = await edge.post(OVERRIDES, json={"offer": "openai/gpt-40", "percent_off": 1})

    assert response.status_code == 404
    assert response.json()["error"]["details"]["nearest"] == [GPT_4O]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_a_key_that_may_not_change_prices_is_403(edge: RunningEdge, method: str) -> None:
    edge.pricing.error = ScopeMissingError("SCOPE_ADMIN", "SetOverride")
    path = OVERRIDES if method == "POST" else f"{OVERRIDES}/ovr_1"

    response = await edge.ask(method, path, json=TEN_PERCENT_OFF)

    assert response.status_code == 403


async def test_overrides_that_ended_are_listed_when_asked_for(edge: RunningEdge) -> None:
    await edge.get(f"{OVERRIDES}?include_expired=true&page_size=7")

    assert edge.pricing.last_request.include_expired
    assert edge.pricing.last_request.page_size == 7
