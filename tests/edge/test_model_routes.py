"""Models, and how good they are for their price, over REST."""

from decimal import Decimal

import pytest
from google.type.date_pb2 import Date

from steelyard.common.v1 import model_traits_pb2 as traits
from steelyard.registry.v1 import model_pb2, quality_pb2
from steelyard.registry.v1 import registry_service_pb2 as pb
from steelyard_common.errors import PricingUnavailableError
from tests.edge.conftest import RunningEdge, exact
from tests.edge.fake_registry import OBSERVED, a_model, a_quality, an_offer

REGISTRY = "/api/llm-registry"
MODELS = f"{REGISTRY}/models"


async def test_models_by_quality_come_best_first(edge: RunningEdge) -> None:
    edge.registry.models["llama"] = a_model("llama", 79.9)

    data = (await edge.get(f"{MODELS}/by-quality")).json()["data"]

    assert [each["model"] for each in data["models"]] == ["o3", "gpt-4o"]
    assert (data["count"], data["total_count"]) == (2, 2)
    assert edge.registry.last_request == pb.ListModelsByQualityRequest(
        min_quality=80, max_quality=100, limit=50
    )


async def test_models_by_quality_are_filtered_by_what_the_query_says(edge: RunningEdge) -> None:
    response = await edge.get(
        f"{MODELS}/by-quality",
        params={
            "min_quality": 0,
            "max_quality": 99.5,
            "limit": 1,
            "capabilities": "tools, vision,tools",
            "task": "coding",
            "include_deprecated": "true",
        },
    )

    assert response.json()["data"]["models"] == []
    assert edge.registry.last_request == pb.ListModelsByQualityRequest(
        min_quality=0,
        max_quality=99.5,
        capabilities=[traits.CAPABILITY_TOOLS, traits.CAPABILITY_VISION],
        task=quality_pb2.TASK_CODING,
        limit=1,
        include_deprecated=True,
    )


async def test_a_model_comes_with_its_quality_and_every_offer(edge: RunningEdge) -> None:
    edge.registry.models["gpt-4o"] = a_model(
        "gpt-4o",
        86,
        display_name="GPT-4o",
        aliases=["gpt-4o-2024-08-06"],
        release_date=Date(year=2024, month=5, day=13),
        knowledge_cutoff_date=Date(year=2023, month=10),
        quality=a_quality(
            86.5,
            tasks=[
                quality_pb2.TaskQuality(task=quality_pb2.TASK_CODING, score=80, uncertainty=3),
            ],
        ),
        offers=[
            an_offer("openai", "gpt-4o", inferred_capabilities=[traits.CAPABILITY_VISION]),
            an_offer(
                "openrouter",
                "openai/gpt-4o",
                state=model_pb2.LIFECYCLE_STATE_DEPRECATED,
                deprecation_date=Date(year=2026, month=10, day=1),
                deprecation_reason=model_pb2.DEPRECATION_REASON_DATE_PASSED,
            ),
            an_offer("openai", "gpt-4o-2024-08-06"),
        ],
    )

    data = exact(await edge.get(f"{MODELS}/gpt-4o"))["data"]

    assert (data["model"], data["maker"], data["mode"]) == ("gpt-4o", "openai", "chat")
    assert (data["context_window"], data["max_output_tokens"]) == (128_000, 16_384)
    # A month is no day.
    assert (data["release_date"], data["knowledge_cutoff"]) == ("2024-05-13", None)
    assert (data["state"], data["catalog_version"]) == ("active", 7)
    assert data["providers"] == ["openai", "openrouter"]
    assert data["quality"]["score"] == Decimal("86.5")
    assert data["quality"]["sources"] == ["arena", "llm-stats"]
    assert (data["quality"]["basis"], data["quality"]["edition_date"]) == (
        "measured", "2025-12-11",
    )  # fmt: skip
    assert data["quality"]["tasks"] == {"coding": {"score": 80, "uncertainty": 3}}
    own, elsewhere, _ = data["offers"]
    assert own["capabilities"] == ["tools"]
    assert own["inferred_capabilities"] == ["vision"]
    assert (own["deprecation_date"], own["deprecation_reason"]) == (None, None)
    assert elsewhere["offer"] == "openrouter/openai/gpt-4o"
    assert (elsewhere["state"], elsewhere["deprecation_date"]) == ("deprecated", "2026-10-01")
    assert elsewhere["deprecation_reason"] == "date_passed"


async def test_a_model_without_facts_has_nulls_and_no_zeros(edge: RunningEdge) -> None:
    edge.registry.models["new"] = model_pb2.Model(model="new")

    data = (await edge.get(f"{MODELS}/new")).json()["data"]
    quality = (await edge.get(f"{MODELS}/new/quality")).json()["data"]

    absent = ("maker", "mode", "context_window", "max_output_tokens", "release_date", "quality")
    assert [data[name] for name in absent] == [None] * len(absent)
    assert (data["offers"], data["providers"]) == ([], [])
    assert quality == {"model": "new", "quality": None, "scores": []}


@pytest.mark.parametrize("name", ["openai/gpt-4o", "openai%2Fgpt-4o", "gpt-4o"])
async def test_a_model_is_found_by_a_name_with_slashes(edge: RunningEdge, name: str) -> None:
    model = (await edge.get(f"{MODELS}/{name}")).json()["data"]
    quality = (await edge.get(f"{MODELS}/{name}/quality")).json()["data"]

    assert model["model"] == "gpt-4o"
    assert quality["model"] == name.replace("%2F", "/")
    assert quality["quality"]["score"] == 86


@pytest.mark.parametrize("suffix", ["", "/quality"])
async def test_an_unknown_model_is_404_with_what_comes_near(edge: RunningEdge, suffix: str) -> None:
    response = await edge.get(f"{MODELS}/gpt-40{suffix}")

    assert response.status_code == 404
    assert response.json()["error"]["details"]["nearest"] == ["gpt-4o", "o3"]


async def test_quality_comes_with_every_score(edge: RunningEdge) -> None:
    edge.registry.scores = [
        quality_pb2.QualityScore(
            model="o3",
            score=92.25,
            uncertainty=1.5,
            basis=quality_pb2.QUALITY_BASIS_MEASURED,
            source="arena",
            edition_date=Date(year=2025, month=12, day=11),
            raw_value="1434",
            metric="elo",
            variant="high",
            share=1.0,
            sample_count=20_000,
        ),
        quality_pb2.QualityScore(
            model="o3",
            task=quality_pb2.TASK_MATH,
            score=90,
            basis=quality_pb2.QUALITY_BASIS_CURATED,
            source="operator",
            correction=True,
            expire_time=OBSERVED,
        ),
    ]

    scores = exact(await edge.get(f"{MODELS}/o3/quality"))["data"]["scores"]

    assert (scores[0]["task"], scores[0]["score"]) == ("general", Decimal("92.25"))
    assert (scores[0]["raw_value"], scores[0]["metric"]) == ("1434", "elo")
    assert (scores[0]["variant"], scores[0]["share"]) == ("high", 1)
    assert (scores[1]["task"], scores[1]["sample_count"]) == ("math", None)
    assert (scores[1]["correction"], scores[1]["expire_time"]) == (True, "2026-11-01T12:00:00Z")


async def test_a_search_asks_for_all_conditions_together(edge: RunningEdge) -> None:
    data = (
        await edge.get(
            f"{MODELS}/search",
            params={
                "query": "gpt",
                "provider": "azure",
                "capabilities": "tools",
                "min_quality": 85,
                "max_quality": 99,
                "min_context": 128_000,
                "max_price_usd_per_million": "4.375",
                "mode": "chat",
                "task": "general",
                "routable_only": "true",
            },
        )
    ).json()["data"]

    assert [each["model"] for each in data["models"]] == ["gpt-4o"]
    assert (data["count"], data["total_count"]) == (1, 1)
    assert edge.registry.last_request == pb.SearchModelsRequest(
        query="gpt",
        filter=pb.ModelFilter(
            provider="azure",
            mode=traits.MODE_CHAT,
            capabilities=[traits.CAPABILITY_TOOLS],
            min_quality=85,
            max_quality=99,
            task=quality_pb2.TASK_GENERAL,
            min_context_window_token_count=128_000,
            max_blended_picodollars=4_375_000,
            routable_only=True,
        ),
        limit=20,
    )


async def test_a_search_without_conditions_sets_none(edge: RunningEdge) -> None:
    await edge.get(f"{MODELS}/search")

    assert edge.registry.last_request == pb.SearchModelsRequest(filter=pb.ModelFilter(), limit=20)


@pytest.mark.parametrize(
    ("usd", "picodollars"),
    [
        ("0", 0),
        ("1", 1_000_000),
        ("0.15", 150_000),
        ("0.0000019", 1),
        ("0.0000009999999999999999999999999", 0),
        ("2.4999999999999999999", 2_499_999),
        ("1e-400", 0),
        ("1000000", 10**12),
    ],
)
async def test_a_price_ceiling_never_lets_a_dearer_model_through(
    edge: RunningEdge, usd: str, picodollars: int
) -> None:
    await edge.get(f"{MODELS}/search?max_price_usd_per_million={usd}")

    condition = edge.registry.last_request.filter
    assert condition.HasField("max_blended_picodollars")
    assert condition.max_blended_picodollars == picodollars


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("search?limit=0", "limit"),
        ("search?limit=201", "limit"),
        ("search?mode=chatty", "mode"),
        ("search?mode=unspecified", "mode"),
        ("search?task=cooking", "task"),
        ("search?capabilities=tools,flying", "capabilities"),
        ("search?capabilities=tools')%20OR%201=1--", "capabilities"),
        ("search?min_quality=nan", "min_quality"),
        ("search?min_quality=101", "min_quality"),
        ("search?min_quality=90&max_quality=80", "min_quality"),
        ("search?min_context=-1", "min_context"),
        ("search?max_price_usd_per_million=-1", "max_price_usd_per_million"),
        ("search?max_price_usd_per_million=NaN", "max_price_usd_per_million"),
        ("search?max_price_usd_per_million=Infinity", "max_price_usd_per_million"),
        ("search?max_price_usd_per_million=1e30", "max_price_usd_per_million"),
        ("search?max_price_usd_per_million=cheap", "max_price_usd_per_million"),
        ("by-quality?min_quality=-0.1", "min_quality"),
        ("by-quality?max_quality=inf", "max_quality"),
        ("by-quality?min_quality=90&max_quality=80", "min_quality"),
        ("by-quality?limit=1001", "limit"),
        ("by-quality?task=TASK_CODING", "task"),
        ("by-quality?capabilities=CAPABILITY_TOOLS", "capabilities"),
    ],
)
async def test_a_bad_condition_is_named(edge: RunningEdge, query: str, field: str) -> None:
    response = await edge.get(f"{MODELS}/{query}")

    assert response.status_code == 422
    assert response.json()["error"]["details"]["fields"][0]["field"] == field


async def test_an_unknown_capability_is_told_which_there_are(edge: RunningEdge) -> None:
    response = await edge.get(f"{MODELS}/by-quality?capabilities=flying")

    problem = response.json()["error"]["details"]["fields"][0]["problem"]
    assert problem.startswith("must be one of tools, tool_choice, ")
    assert edge.registry.requests == []


async def test_models_are_listed_page_by_page(edge: RunningEdge) -> None:
    first = (await edge.get(f"{MODELS}?page_size=1&order_by=quality%20desc")).json()["data"]
    token = first["next_page_token"]
    second = (await edge.get(f"{MODELS}?page_size=1&page_token={token}")).json()["data"]

    assert edge.registry.requests[0].order_by == "quality desc"
    assert [each["models"][0]["model"] for each in (first, second)] == ["gpt-4o", "o3"]
    assert (first["total_count"], second["next_page_token"]) == (2, None)


async def test_the_frontier_has_exact_prices(edge: RunningEdge) -> None:
    edge.registry.frontier = pb.ListFrontierResponse(
        models=[
            pb.FrontierModel(
                model=a_model("o3", 92),
                score=91.5,
                cheapest_offer="openai/o3",
                blended_picodollars=3_500_000,
            )
        ],
        price_snapshot_version=9,
    )

    data = exact(await edge.get(f"{REGISTRY}/frontier?task=coding&provider=openai"))["data"]

    assert (data["count"], data["price_snapshot_version"]) == (1, 9)
    only = data["models"][0]
    assert (only["score"], only["cheapest_offer"]) == (Decimal("91.5"), "openai/o3")
    assert only["blended_usd_per_1m_tokens"] == Decimal("3.5")
    assert only["blended_usd_per_token"] == Decimal("0.0000035")
    assert only["model"]["quality"]["score"] == 92
    assert edge.registry.last_request.task == quality_pb2.TASK_CODING
    assert edge.registry.last_request.filter.provider == "openai"


async def test_a_frontier_without_prices_is_503(edge: RunningEdge) -> None:
    edge.registry.error = PricingUnavailableError()

    response = await edge.get(f"{REGISTRY}/frontier")

    assert response.status_code == 503
    assert response.json()["error"]["reason"] == "ERROR_REASON_PRICING_UNAVAILABLE"


async def test_tier_bands_come_with_examples(edge: RunningEdge) -> None:
    edge.registry.bands = pb.ListTierBandsResponse(
        bands=[
            pb.TierBand(
                tier="versatile",
                min_quality=86,
                max_quality=90,
                label="86-90",
                model_count=12,
                examples=[a_model("gpt-4o", 86)],
            )
        ]
    )

    data = (await edge.get(f"{REGISTRY}/tier-bands?example_count=1")).json()["data"]

    only = data["bands"][0]
    assert (only["tier"], only["label"], only["model_count"]) == ("versatile", "86-90", 12)
    assert [each["model"] for each in only["examples"]] == ["gpt-4o"]
    assert edge.registry.last_request == pb.ListTierBandsRequest(example_count=1)
