"""What models cost, over REST."""

from decimal import Decimal

import pytest

from steelyard.common.v1.cost_pb2 import CostBreakdown
from steelyard.common.v1.usage_pb2 import Usage
from steelyard.pricing.v1 import price_pb2
from steelyard.pricing.v1 import pricing_service_pb2 as pb
from steelyard_common.errors import PriceNotFoundError, RefreshInProgressError
from tests.edge.conftest import RunningEdge, exact
from tests.edge.fakes import GPT_4O, a_price, a_rate, timestamp

PRICING = "/api/ai/pricing"
ESTIMATE = f"{PRICING}/estimate"


async def test_an_estimate_is_exact_to_the_last_digit(edge: RunningEdge) -> None:
    response = await edge.post(
        ESTIMATE, json={"model": "gpt-4o", "input_tokens": 1000, "output_tokens": 500}
    )

    assert '"estimated_cost_usd":0.0075' in response.text
    assert '"unit_usd":0.0000025' in response.text
    data = exact(response)["data"]
    assert data["estimated_cost_usd"] == Decimal("0.0075")
    assert data["breakdown"]["input_usd"] == Decimal("0.0025")
    assert data["breakdown"]["output_usd"] == Decimal("0.005")
    assert (data["model"], data["offer"]) == ("gpt-4o", "openai/gpt-4o")
    assert (data["input_tokens"], data["output_tokens"]) == (1000, 500)
    assert data["estimated"] is False


async def test_a_success_comes_in_the_envelope(edge: RunningEdge) -> None:
    body = (await edge.post(ESTIMATE, json={"input_tokens": 1})).json()

    assert set(body) == {"success", "data", "error", "message", "timestamp"}
    assert (body["success"], body["error"], body["message"]) == (True, None, "")
    assert body["timestamp"] == "2026-11-02T09:30:00Z"


async def test_an_estimate_without_a_model_is_for_gpt_4o_mini(edge: RunningEdge) -> None:
    data = (await edge.post(ESTIMATE, json={"input_tokens": 10})).json()["data"]

    assert data["model"] == "gpt-4o-mini"
    assert edge.pricing.last_request.usage.output_token_count == 500


async def test_cached_and_reasoning_tokens_are_counted_once(edge: RunningEdge) -> None:
    response = await edge.post(
        ESTIMATE,
        json={
            "input_tokens": 1000,
            "cached_tokens": 400,
            "cache_write_tokens": 50,
            "output_tokens": 300,
            "reasoning_tokens": 100,
            "service_tier": "batch",
            "unknown_field": {"is": "ignored"},
        },
    )

    assert edge.pricing.last_request.usage == Usage(
        uncached_input_token_count=600,
        cache_read_token_count=400,
        cache_write_token_count=50,
        output_token_count=200,
        reasoning_token_count=100,
    )
    assert edge.pricing.last_request.service_tier == "batch"
    data = response.json()["data"]
    assert (data["input_tokens"], data["cached_tokens"]) == (1000, 400)
    assert (data["output_tokens"], data["reasoning_tokens"]) == (300, 100)


async def test_a_prompt_is_estimated_by_the_service(edge: RunningEdge) -> None:
    response = await edge.post(ESTIMATE, json={"prompt": "x" * 400, "output_tokens": 7})

    request = edge.pricing.last_request
    assert not request.HasField("usage")
    assert (len(request.prompt), request.expected_output_token_count) == (400, 7)
    assert response.json()["data"]["tokens_estimated"] is True


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"input_tokens": -1}, "input_tokens"),
        ({"input_tokens": "12"}, "input_tokens"),
        ({"input_tokens": 1.5}, "input_tokens"),
        ({"input_tokens": True}, "input_tokens"),
        ({"input_tokens": 10**30}, "input_tokens"),
        ({"input_tokens": 1, "output_tokens": None}, "output_tokens"),
        ({"input_tokens": 1, "model": ""}, "model"),
        ({"input_tokens": 1, "model": 4}, "model"),
        ({"prompt": ["no"]}, "prompt"),
    ],
)
async def test_a_field_of_the_wrong_kind_is_named(
    edge: RunningEdge, body: dict[str, object], field: str
) -> None:
    response = await edge.post(ESTIMATE, json=body)

    assert response.status_code == 422
    error = response.json()["error"]
    assert error["reason"] == "ERROR_REASON_INVALID_FIELD"
    assert [each["field"] for each in error["details"]["fields"]] == [field]
    assert edge.pricing.requests == []


async def test_every_wrong_field_is_named_at_once(edge: RunningEdge) -> None:
    response = await edge.post(ESTIMATE, json={"input_tokens": -1, "output_tokens": "x"})

    fields = response.json()["error"]["details"]["fields"]
    assert [each["field"] for each in fields] == ["input_tokens", "output_tokens"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"input_tokens": 10, "cached_tokens": 11},
        {"prompt": "x", "cached_tokens": 1},
        {"input_tokens": 1, "output_tokens": 1, "reasoning_tokens": 2},
    ],
)
async def test_counts_that_contradict_each_other_are_refused(
    edge: RunningEdge, body: dict[str, object]
) -> None:
    response = await edge.post(ESTIMATE, json=body)

    assert response.status_code == 422
    assert "tokens" in response.json()["error"]["message"]


async def test_an_estimate_needs_a_body(edge: RunningEdge) -> None:
    assert (await edge.post(ESTIMATE)).status_code == 422


async def test_a_price_is_shown_per_token_and_per_million(edge: RunningEdge) -> None:
    response = await edge.get(f"{PRICING}/model/{GPT_4O}")

    assert '"input_usd_per_token":0.0000025' in response.text
    assert '"input_usd_per_1m_tokens":2.5,' in response.text
    assert '"output_usd_per_1m_tokens":10,' in response.text
    data = response.json()["data"]
    assert data["model"] == "gpt-4o"
    assert data["match"] == "exact"
    assert data["pricing"]["cache_read_usd_per_token"] is None
    assert data["pricing"]["observed_time"] == "2026-11-01T12:00:00Z"
    assert data["pricing"]["deprecation_date"] is None


async def test_tiers_and_bands_and_windows_are_kept_apart(edge: RunningEdge) -> None:
    token = price_pb2.PRICE_COMPONENT_INPUT_TOKEN
    edge.pricing.prices["deepseek/chat"] = a_price(
        "deepseek/chat",
        a_rate(token, 1_250_000),
        a_rate(token, 2_500_000, above_prompt_token_count=200_000),
        a_rate(token, 625_000, service_tier="batch"),
        a_rate(token, 1, windows=[price_pb2.TimeWindow(start_minute=990, end_minute=30)]),
        a_rate(price_pb2.PRICE_COMPONENT_CACHE_READ_TOKEN, 310_000),
        a_rate(price_pb2.PRICE_COMPONENT_QUERY, 35_000_000_000),
    )

    pricing = exact(await edge.get(f"{PRICING}/model/deepseek/chat"))["data"]["pricing"]

    assert pricing["input_usd_per_token"] == Decimal("0.00000125")
    assert pricing["cache_read_usd_per_1m_tokens"] == Decimal("0.31")
    assert [
        (tier["service_tier"], tier["above_prompt_tokens"], tier["input_usd_per_1m_tokens"])
        for tier in pricing["tiers"]
    ] == [("batch", 0, Decimal("0.625")), ("standard", 200_000, Decimal("2.5"))]
    assert [rate["component"] for rate in pricing["rates"]].count("input_token") == 4
    assert pricing["rates"][3]["windows"] == [
        {"weekdays": [], "start_minute": 990, "end_minute": 30}
    ]
    assert pricing["rates"][5] == {
        "component": "query",
        "usd_per_unit": Decimal("0.035"),
        "service_tier": "standard",
        "above_prompt_tokens": 0,
        "windows": [],
    }


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("openrouter/openai/gpt-4o", "openrouter/openai/gpt-4o"),
        ("openrouter%2Fopenai%2Fgpt-4o", "openrouter/openai/gpt-4o"),
        ("openrouter/openai%2fgpt-4o", "openrouter/openai/gpt-4o"),
        ("ollama/llama3%3A8b", "ollama/llama3:8b"),
        ("azure/my%20model", "azure/my model"),
        ("odd%252Fname", "odd%2Fname"),
        ("a//b", "a//b"),
        ("~anthropic/claude-latest", "~anthropic/claude-latest"),
        ("m%C3%B6del", "mödel"),
    ],
)
async def test_model_names_arrive_with_their_slashes(
    edge: RunningEdge, path: str, name: str
) -> None:
    edge.pricing.prices[name] = a_price("openai/x")

    response = await edge.get(f"{PRICING}/model/{path}")

    assert response.status_code == 200
    assert edge.pricing.last_request.name == name


@pytest.mark.parametrize(
    ("query", "view"),
    [
        ("", pb.PRICE_VIEW_UNSPECIFIED),
        ("?view=list", pb.PRICE_VIEW_LIST),
        ("?view=effective", pb.PRICE_VIEW_EFFECTIVE),
    ],
)
async def test_a_price_is_the_callers_own_or_the_listed_one(
    edge: RunningEdge, query: str, view: int
) -> None:
    response = await edge.get(f"{PRICING}/model/{GPT_4O}{query}")

    assert response.status_code == 200
    assert edge.pricing.last_request == pb.GetPriceRequest(name=GPT_4O, view=view)  # type: ignore[arg-type]


async def test_a_price_may_be_of_another_instant(edge: RunningEdge) -> None:
    response = await edge.get(f"{PRICING}/model/{GPT_4O}?at=2026-11-01T12:00:00Z")

    assert response.status_code == 200
    assert edge.pricing.last_request.at_time == timestamp()


@pytest.mark.parametrize(
    ("query", "field"), [("view=mine", "view"), ("at=noon", "at"), ("at=1700000000", "at")]
)
async def test_a_bad_view_or_instant_is_named(edge: RunningEdge, query: str, field: str) -> None:
    response = await edge.get(f"{PRICING}/model/{GPT_4O}?{query}")

    assert response.status_code == 422
    assert response.json()["error"]["details"]["fields"][0]["field"] == field


async def test_an_unknown_model_is_404_with_the_nearest_names(edge: RunningEdge) -> None:
    response = await edge.get(f"{PRICING}/model/gpt-4-mini")

    assert response.status_code == 404
    body = response.json()
    assert body["success"] is False
    assert body["data"] is None
    assert body["error"]["reason"] == "ERROR_REASON_MODEL_NOT_FOUND"
    assert body["error"]["details"] == {
        "model": "gpt-4-mini",
        "nearest": ["gpt-4o", "gpt-4o-mini"],
    }
    assert "gpt-4-mini" in body["message"]


async def test_an_unpriced_model_is_404_not_free(edge: RunningEdge) -> None:
    edge.pricing.error = PriceNotFoundError("openrouter/auto")

    response = await edge.get(f"{PRICING}/model/openrouter/auto")

    assert response.status_code == 404
    assert response.json()["error"]["reason"] == "ERROR_REASON_PRICE_NOT_FOUND"


async def test_alternatives_come_with_the_price(edge: RunningEdge) -> None:
    edge.pricing.prices["azure/gpt-4o"] = a_price("azure/gpt-4o", estimated=True, stale=True)

    data = (await edge.get(f"{PRICING}/model/{GPT_4O}")).json()["data"]

    assert [each["offer"] for each in data["alternatives"]] == ["azure/gpt-4o"]
    assert data["alternatives"][0]["estimated"] is True


async def test_a_provider_tells_how_many_models_it_has_beyond_the_limit(edge: RunningEdge) -> None:
    edge.pricing.prices["openai/o3"] = a_price("openai/o3")
    edge.pricing.prices["groq/x"] = a_price("groq/x")

    data = (await edge.get(f"{PRICING}/provider/openai?limit=1")).json()["data"]

    assert data["provider"] == "openai"
    assert data["model_count"] == 2
    assert [each["offer"] for each in data["models"]] == [GPT_4O]
    assert edge.pricing.last_request.include_unpriced


async def test_an_unknown_provider_is_404(edge: RunningEdge) -> None:
    response = await edge.get(f"{PRICING}/provider/opnai")

    assert response.status_code == 404
    assert response.json()["error"]["reason"] == "ERROR_REASON_PROVIDER_NOT_FOUND"


@pytest.mark.parametrize("limit", ["0", "-1", "1001", "ten", "1.5", ""])
async def test_a_bad_limit_is_named(edge: RunningEdge, limit: str) -> None:
    response = await edge.get(f"{PRICING}/provider/openai", params={"limit": limit})

    assert response.status_code == 422
    assert response.json()["error"]["details"]["fields"][0]["field"] == "limit"


@pytest.mark.parametrize(
    ("query", "forced"), [("", False), ("?force=true", True), ("?force=0", False)]
)
async def test_a_refresh_returns_its_report(edge: RunningEdge, query: str, forced: bool) -> None:  # noqa: FBT001
    edge.pricing.report = pb.RefreshReport(
        model_count=4200,
        fetched_count=4600,
        added_count=3,
        changed_count=2,
        removed_count=1,
        quarantined_count=4,
        sources=[
            pb.SourceReport(
                source="openrouter",
                outcome=pb.REFRESH_PHASE_REJECTED,
                quarantined_count=1,
                error=pb.SourceError(cause="not_json", message="got HTML", time=timestamp()),
            )
        ],
    )

    data = (await edge.post(f"{PRICING}/refresh{query}")).json()["data"]

    assert edge.pricing.last_request.force is forced
    assert data["models_fetched"] == 4600
    assert (data["added"], data["changed"], data["removed"], data["quarantined"]) == (3, 2, 1, 4)
    assert data["sources"][0]["outcome"] == "rejected"
    assert data["sources"][0]["quarantined"] == 1
    assert data["sources"][0]["error"]["cause"] == "not_json"


async def test_a_second_refresh_is_a_conflict(edge: RunningEdge) -> None:
    edge.pricing.error = RefreshInProgressError("litellm")

    response = await edge.post(f"{PRICING}/refresh")

    assert response.status_code == 409
    assert response.json()["error"]["details"] == {"source": "litellm"}


async def test_a_bad_force_is_named(edge: RunningEdge) -> None:
    response = await edge.post(f"{PRICING}/refresh?force=perhaps")

    assert response.status_code == 422
    assert response.json()["error"]["details"]["fields"][0]["field"] == "force"


async def test_the_overview_says_how_fresh_and_where_cheap(edge: RunningEdge) -> None:
    edge.pricing.status = pb.GetCatalogStatusResponse(
        model_count=4200,
        priced_count=4100,
        provider_count=70,
        snapshot_version=9,
        last_updated_time=timestamp(),
        cache_valid=True,
        quarantined_count=5,
        sources=[
            pb.SourceStatus(source="litellm", enabled=True, success_rate=1.0),
            pb.SourceStatus(source="openrouter", last_error=pb.SourceError(cause="timeout")),
        ],
    )
    edge.pricing.cheapest = pb.ListCheapestResponse(
        offers=[
            pb.RankedOffer(
                price=a_price("groq/llama"), cost=CostBreakdown(total_picodollars=57_500_000_000)
            )
        ]
    )
    edge.pricing.comparison = pb.CompareProvidersResponse(
        providers=[
            pb.ProviderComparison(
                provider="groq", offer_count=2, priced_count=1, mean_picodollars=3 * 10**12
            ),
            pb.ProviderComparison(provider="ollama", offer_count=1, free_count=1),
        ]
    )

    data = exact(await edge.get(PRICING))["data"]

    assert (data["model_count"], data["cache_valid"]) == (4200, True)
    assert data["quarantined_count"] == 5
    assert data["last_updated"] == "2026-11-01T12:00:00Z"
    assert [each["source"] for each in data["sources"]] == ["litellm", "openrouter"]
    assert data["sources"][1]["success_rate"] is None
    assert data["cheapest_models"][0]["cost_usd"] == Decimal("0.0575")
    assert [each["mean_usd"] for each in data["provider_comparison"]] == [3, None]
    limits = [
        each.limit for each in edge.pricing.requests if isinstance(each, pb.ListCheapestRequest)
    ]
    assert limits == [5]


async def test_a_catalogue_that_was_never_read_has_no_date(edge: RunningEdge) -> None:
    data = (await edge.get(PRICING)).json()["data"]

    assert data["last_updated"] is None
    assert data["cache_valid"] is False
