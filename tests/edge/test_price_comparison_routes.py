"""Where models are cheapest, which prompts are cached, and which offers end, over REST."""

from decimal import Decimal

import pytest
from google.type.date_pb2 import Date

from steelyard.common.v1 import model_traits_pb2 as traits
from steelyard.common.v1.cost_pb2 import CostBreakdown
from steelyard.common.v1.usage_pb2 import Usage
from steelyard.pricing.v1 import pricing_service_pb2 as pb
from tests.edge.conftest import RunningEdge, exact
from tests.edge.fakes import GPT_4O, a_price

PRICING = "/api/ai/pricing"


def ranked(offer: str, picodollars: int) -> pb.RankedOffer:
    return pb.RankedOffer(price=a_price(offer), cost=CostBreakdown(total_picodollars=picodollars))


async def test_the_cheapest_come_with_their_cost_and_price(edge: RunningEdge) -> None:
    edge.pricing.cheapest = pb.ListCheapestResponse(
        offers=[ranked("groq/llama", 57_500_000_000)], free_count=3, unpriced_count=4
    )

    data = exact(await edge.get(f"{PRICING}/cheapest"))["data"]

    assert data["offers"][0]["offer"] == "groq/llama"
    assert data["offers"][0]["cost_usd"] == Decimal("0.0575")
    assert data["offers"][0]["pricing"]["input_usd_per_1m_tokens"] == Decimal("2.5")
    assert (data["free_count"], data["unpriced_count"]) == (3, 4)
    assert edge.pricing.last_request == pb.ListCheapestRequest(limit=10)


async def test_the_cheapest_are_filtered_by_what_the_query_says(edge: RunningEdge) -> None:
    await edge.get(
        f"{PRICING}/cheapest",
        params={
            "limit": 3,
            "mode": "chat",
            "provider": "groq",
            "capabilities": "tools, vision",
            "input_tokens": 1000,
            "output_tokens": 0,
        },
    )

    assert edge.pricing.last_request == pb.ListCheapestRequest(
        limit=3,
        mode=traits.MODE_CHAT,
        provider="groq",
        capabilities=[traits.CAPABILITY_TOOLS, traits.CAPABILITY_VISION],
        usage=Usage(uncached_input_token_count=1000),
    )


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("mode=chatty", "mode"),
        ("mode=unspecified", "mode"),
        ("capabilities=tools,flying", "capabilities"),
        ("input_tokens=-1", "input_tokens"),
        ("output_tokens=1.5", "output_tokens"),
    ],
)
async def test_a_bad_ranking_is_named(edge: RunningEdge, query: str, field: str) -> None:
    response = await edge.get(f"{PRICING}/cheapest?{query}")

    assert response.status_code == 422
    assert response.json()["error"]["details"]["fields"][0]["field"] == field


async def test_sellers_of_a_model_are_compared(edge: RunningEdge) -> None:
    edge.pricing.comparison = pb.CompareProvidersResponse(
        providers=[
            pb.ProviderComparison(provider="groq", priced_count=1, mean_picodollars=10**12),
            pb.ProviderComparison(provider="ollama", free_count=1),
        ],
        offers=[ranked("groq/llama", 10**12)],
        snapshot_version=7,
    )

    response = await edge.get(f"{PRICING}/compare?model=llama&mode=chat&input_tokens=5")

    data = response.json()["data"]
    assert (data["model"], data["snapshot_version"]) == ("llama", 7)
    assert [each["mean_usd"] for each in data["providers"]] == [1, None]
    assert [each["offer"] for each in data["offers"]] == ["groq/llama"]
    assert edge.pricing.last_request == pb.CompareProvidersRequest(
        model="llama", mode=traits.MODE_CHAT, usage=Usage(uncached_input_token_count=5)
    )


async def test_without_a_model_all_sellers_are_compared(edge: RunningEdge) -> None:
    data = (await edge.get(f"{PRICING}/compare")).json()["data"]

    assert data["model"] is None
    assert edge.pricing.last_request == pb.CompareProvidersRequest()


async def test_a_cache_policy_has_the_published_prices_and_no_others(edge: RunningEdge) -> None:
    edge.pricing.cache_policies["openrouter/openai/gpt-4o"] = pb.GetCachePolicyResponse(
        offer="openrouter/openai/gpt-4o",
        supported=True,
        supported_source="price",
        min_token_count=1024,
        min_token_source="provider_default",  # noqa: S106
        read_picodollars=1_250_000,
        write_picodollars=0,
    )

    response = await edge.get(f"{PRICING}/cache-policy/openrouter/openai%2Fgpt-4o")

    data = exact(response)["data"]
    assert (data["model"], data["offer"]) == ("openrouter/openai/gpt-4o",) * 2
    assert (data["supported"], data["min_tokens"]) == (True, 1024)
    assert data["read_usd_per_token"] == Decimal("0.00000125")
    assert data["read_usd_per_1m_tokens"] == Decimal("1.25")
    assert data["write_usd_per_token"] == 0
    assert data["write_1h_usd_per_token"] is None


async def test_a_cache_of_which_nothing_is_known_is_not_called_unsupported(
    edge: RunningEdge,
) -> None:
    edge.pricing.cache_policies["x"] = pb.GetCachePolicyResponse(supported_source="unknown")

    data = (await edge.get(f"{PRICING}/cache-policy/x")).json()["data"]

    assert (data["supported"], data["min_tokens"]) == (None, None)


async def test_the_cache_of_an_unknown_model_is_404(edge: RunningEdge) -> None:
    response = await edge.get(f"{PRICING}/cache-policy/gpt-40")

    assert response.status_code == 404
    assert response.json()["error"]["details"]["nearest"] == ["gpt-4o"]


async def test_offers_that_end_come_with_what_may_replace_them(edge: RunningEdge) -> None:
    ending = a_price(GPT_4O, deprecation_date=Date(year=2026, month=12, day=1))
    edge.pricing.deprecations = [
        pb.Deprecation(
            price=ending,
            replacement=a_price("openai/gpt-5"),
            replacement_reason="same_seller",
            cost_ratio=0.5,
        ),
        pb.Deprecation(price=a_price("groq/x")),
    ]

    data = (await edge.get(f"{PRICING}/deprecations?provider=openai")).json()["data"]

    assert (data["total_count"], data["next_page_token"]) == (1, None)
    assert data["deprecations"][0]["deprecation_date"] == "2026-12-01"
    assert data["deprecations"][0]["replacement"]["offer"] == "openai/gpt-5"
    assert data["deprecations"][0]["cost_ratio"] == 0.5


async def test_an_offer_that_nothing_replaces_says_so(edge: RunningEdge) -> None:
    edge.pricing.deprecations = [pb.Deprecation(price=a_price())]

    response = await edge.get(f"{PRICING}/deprecations?until=2026-12-31&include_past=true")

    only = response.json()["data"]["deprecations"][0]
    assert only["replacement"] is None
    assert (only["replacement_reason"], only["cost_ratio"]) == (None, None)
    request = edge.pricing.last_request
    assert request.until_date == Date(year=2026, month=12, day=31)
    assert request.include_past


@pytest.mark.parametrize("day", ["tomorrow", "0", "1798761600", "2026-02-30", "2026-1-1", ""])
async def test_a_bad_day_is_named(edge: RunningEdge, day: str) -> None:
    response = await edge.get(f"{PRICING}/deprecations", params={"until": day})

    assert response.status_code == 422
    assert response.json()["error"]["details"]["fields"][0]["field"] == "until"
