"""What past usage costs at the prices of another day, over REST."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from steelyard.common.v1.usage_pb2 import Usage
from steelyard_edge.inputs.reprice_body import PastUsageBody
from tests.edge.conftest import RunningEdge, exact
from tests.edge.fakes import GPT_4O, OBSERVED, timestamp

REPRICE = "/api/ai/pricing/reprice"
USED: dict[str, Any] = {"offer": GPT_4O, "use_time": "2026-11-01T12:00:00Z"}
TOKENS = {
    "input_tokens": 1000,
    "cached_tokens": 400,
    "cache_write_tokens": 50,
    "output_tokens": 300,
    "reasoning_tokens": 100,
}


async def test_each_usage_is_priced_and_summed_up(edge: RunningEdge) -> None:
    body = {"usage": [USED | TOKENS, USED | {"offer": "unknown/x"}]}

    data = exact(await edge.post(REPRICE, json=body))["data"]

    assert data["total_cost_usd"] == data["breakdown"]["input_usd"] == Decimal("0.0015")
    assert data["priced_count"] == 1
    priced, unpriced = data["quotes"]
    assert (priced["cost_usd"], priced["failure"]) == (Decimal("0.0015"), None)
    assert (unpriced["cost_usd"], unpriced["breakdown"]) == (None, None)
    assert (unpriced["failure"], unpriced["margin_usd"]) == ("unknown_offer", None)


async def test_tokens_are_counted_once_and_both_times_arrive(edge: RunningEdge) -> None:
    body = {
        "usage": [USED | TOKENS | {"service_tier": "batch", "audio_input_tokens": 7}],
        "as_known_at": "2026-11-02T12:00:00Z",
        "as_effective_at": "2026-11-03T12:00:00Z",
    }

    await edge.post(REPRICE, json=body)

    request = edge.pricing.last_request
    assert request.usage[0].usage == Usage(
        uncached_input_token_count=600,
        cache_read_token_count=400,
        cache_write_token_count=50,
        output_token_count=200,
        reasoning_token_count=100,
        audio_input_token_count=7,
    )
    assert request.usage[0].use_time == timestamp()
    assert request.usage[0].service_tier == "batch"
    assert request.as_known_at_time == timestamp(OBSERVED + timedelta(days=1))
    assert request.as_effective_at_time == timestamp(OBSERVED + timedelta(days=2))


async def test_every_class_of_usage_can_be_told(edge: RunningEdge) -> None:
    counts = [
        name
        for name in PastUsageBody.__struct_fields__
        if name not in {"offer", "use_time", "service_tier"}
    ]
    told = {name: 2 if name in {"input_tokens", "output_tokens"} else 1 for name in counts}

    await edge.post(REPRICE, json={"usage": [USED | told]})

    usage = edge.pricing.last_request.usage[0].usage
    assert {field.name: value for field, value in usage.ListFields()} == {
        field.name: 1 for field in Usage.DESCRIPTOR.fields
    }


async def test_ten_thousand_usages_are_repriced_at_once(edge: RunningEdge) -> None:
    response = await edge.post(REPRICE, json={"usage": [USED | TOKENS] * 10_000})

    assert response.status_code == 200
    assert response.json()["data"]["priced_count"] == 10_000


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "usage"),
        ({"usage": []}, "usage"),
        ({"usage": [USED] * 10_001}, "usage"),
        ({"usage": [{"offer": GPT_4O}]}, "usage[0].use_time"),
        ({"usage": [{"use_time": USED["use_time"]}]}, "usage[0].offer"),
        ({"usage": [USED, USED | {"input_tokens": -1}]}, "usage[1].input_tokens"),
        ({"usage": [USED, USED | {"cached_tokens": 1}]}, "usage[1].cached_tokens"),
        ({"usage": [USED | {"reasoning_tokens": 1}]}, "usage[0].reasoning_tokens"),
        ({"usage": [USED | {"use_time": "0001-01-01T00:00:00+01:00"}]}, "usage[0].use_time"),
        ({"usage": [USED], "as_known_at": "today"}, "as_known_at"),
    ],
    ids=lambda value: str(value)[:60],
)
async def test_bad_usage_is_named(edge: RunningEdge, body: object, field: str) -> None:
    response = await edge.post(REPRICE, json=body)

    assert response.status_code == 422
    assert response.json()["error"]["details"]["fields"][0]["field"] == field
    assert edge.pricing.requests == []
