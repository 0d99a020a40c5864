"""The real feeds of several years."""

from pathlib import Path

import pytest

from steelyard.common.v1.usage_pb2 import Usage
from steelyard.pricing.v1 import pricing_service_pb2 as pb
from steelyard_pricing.adapters.litellm_prices import parse_litellm
from steelyard_pricing.adapters.openrouter_prices import parse_openrouter
from steelyard_pricing.adapters.seed_prices import read_seed_facts
from steelyard_pricing.domain.bounds import MAX_TOKEN_PRICE, MAX_UNIT_PRICE
from steelyard_pricing.domain.components import Component
from steelyard_pricing.domain.gate.catalogue import check
from steelyard_pricing.domain.rates import ParsedSource, PriceFact, Rate
from tests.fakes import FakeFeedServer
from tests.pricing.builders import a_snapshot, per_million, usd
from tests.pricing.conftest import Start

pytestmark = pytest.mark.real_data

# File, offers named, offers with a price, both at least.
LITELLM = {
    "2023-12-14_v1.14.4.json": (140, 125),
    "2025-11-09_v1.79.3.json": (1700, 1600),
    "2026-02-26_v1.81.16.json": (2550, 2350),
    "2026-08-09_v1.92.2.json": (2850, 2650),
    "2026-10-21_v1.106.2.json": (4150, 4000),
}
OPENROUTER = {
    "models_2025-05-23.json": (321, 319),
    "models_2026-07-17.json": (330, 325),
    "models_2026-08-01.json": (320, 315),
}
NEWEST_MAP = "2026-10-21_v1.106.2.json"
NEWEST_LIST = "models_2026-08-01.json"

# USD per million tokens as the sellers' price lists had them: input, cache read, output.
KNOWN = {
    "openai/gpt-4o": ("2.5", "1.25", "10"),
    "openai/gpt-4o-mini": ("0.15", "0.075", "0.6"),
    "openai/gpt-4.1": ("2", "0.5", "8"),
    "openai/gpt-4.1-nano": ("0.1", "0.025", "0.4"),
    "openai/gpt-5": ("1.25", "0.125", "10"),
    "openai/o3": ("2", "0.5", "8"),
    "anthropic/claude-sonnet-4-5": ("3", "0.3", "15"),
    "anthropic/claude-haiku-4-5": ("1", "0.1", "5"),
    "anthropic/claude-opus-4-5": ("5", "0.5", "25"),
    "google/gemini-2.5-pro": ("1.25", "0.125", "10"),
    "google/gemini-2.5-flash": ("0.3", "0.03", "2.5"),
    "mistral/pixtral-large-latest": ("2", "0.2", "6"),
    "deepseek/deepseek-v4-pro": ("1.32", "0.044", "3.96"),
}


@pytest.fixture(scope="session")
def newest(real_data: Path) -> dict[str, PriceFact]:
    """Return the facts of the newest map by offer."""
    return {fact.offer: fact for fact in litellm(real_data, NEWEST_MAP).facts}


def litellm(real_data: Path, name: str) -> ParsedSource:
    return parse_litellm((real_data / "litellm" / name).read_bytes())


def openrouter(real_data: Path, name: str) -> ParsedSource:
    return parse_openrouter((real_data / "openrouter" / name).read_bytes())


def base(fact: PriceFact, component: Component) -> int | None:
    return next(
        (rate.picodollars for rate in fact.rates if rate == Rate(component, rate.picodollars)),
        None,
    )


@pytest.mark.parametrize("name", LITELLM)
def test_every_map_since_2023_loads(real_data: Path, name: str) -> None:
    parsed = litellm(real_data, name)

    named, priced = LITELLM[name]
    assert len(parsed.facts) >= named
    assert sum(fact.is_priced for fact in parsed.facts) >= priced
    assert parsed.dropped_count <= 25
    assert_sane(parsed)


@pytest.mark.parametrize("name", OPENROUTER)
def test_every_list_since_2025_loads(real_data: Path, name: str) -> None:
    parsed = openrouter(real_data, name)

    named, priced = OPENROUTER[name]
    assert len(parsed.facts) >= named
    assert sum(fact.is_priced for fact in parsed.facts) >= priced
    assert parsed.dropped_count == 0
    assert_sane(parsed)


def assert_sane(parsed: ParsedSource) -> None:
    assert len({fact.offer for fact in parsed.facts}) == len(parsed.facts)
    for fact in parsed.facts:
        a_snapshot(fact)
        for rate in fact.rates:
            assert (
                0
                <= rate.picodollars
                <= (MAX_TOKEN_PRICE if rate.component.is_token else MAX_UNIT_PRICE)
            )
        assert not (fact.is_free and any(rate.picodollars for rate in fact.rates))
        assert not (fact.is_free and not fact.rates)


@pytest.mark.parametrize("offer", KNOWN)
def test_known_prices_are_exact(newest: dict[str, PriceFact], offer: str) -> None:
    wanted = [per_million(text) for text in KNOWN[offer]]

    found = [
        base(newest[offer], component)
        for component in (
            Component.INPUT_TOKEN,
            Component.CACHE_READ_TOKEN,
            Component.OUTPUT_TOKEN,
        )
    ]

    assert found == wanted


def test_offers_of_every_unit_have_their_price(newest: dict[str, PriceFact]) -> None:
    assert base(newest["openai/whisper-1"], Component.INPUT_SECOND) == usd("0.0001")
    assert base(newest["openai/tts-1"], Component.INPUT_CHARACTER) == usd("0.000015")
    assert base(newest["cohere/rerank-v3.5"], Component.QUERY) == usd("0.002")
    assert base(newest["mistral/mistral-ocr-2512"], Component.PAGE) == usd("0.002")
    assert base(newest["openai/text-embedding-3-small"], Component.INPUT_TOKEN) == per_million(
        "0.02"
    )


def test_p5_no_pseudo_model_of_openrouter_has_a_price(real_data: Path) -> None:
    for name in OPENROUTER:
        facts = {fact.offer: fact for fact in openrouter(real_data, name).facts}
        assert not facts["openrouter/openrouter/auto"].is_priced


def test_no_hosted_model_of_a_paid_seller_is_free(newest: dict[str, PriceFact]) -> None:
    free = {fact.name.provider for fact in newest.values() if fact.is_free}

    assert free <= {"ollama", "lemonade", "openai", "openrouter", "zhipu"}


def test_the_newest_map_may_replace_the_seed(real_data: Path) -> None:
    seed, _ = read_seed_facts()

    check(litellm(real_data, NEWEST_MAP).facts, [each.fact for each in seed.facts])


def test_litellm_and_openrouter_agree_on_what_native_offers_cost(
    real_data: Path, newest: dict[str, PriceFact]
) -> None:
    agreeing = 0
    for fact in openrouter(real_data, NEWEST_LIST).facts:
        for provider in ("openai", "anthropic"):
            native = newest.get(f"{provider}/{fact.name.model}")
            if native is not None and fact.name.provider_model.startswith(f"{provider}/"):
                agreeing += base(native, Component.INPUT_TOKEN) == base(fact, Component.INPUT_TOKEN)
    assert agreeing >= 25


async def test_a_refresh_on_the_real_feeds_serves_over_4000_models(
    start: Start, feeds: FakeFeedServer, real_data: Path
) -> None:
    pricing = await start(
        litellm_url=feeds.publish("/map", (real_data / "litellm" / NEWEST_MAP).read_bytes()),
        openrouter_url=feeds.publish(
            "/list", (real_data / "openrouter" / NEWEST_LIST).read_bytes()
        ),
        seed=read_seed_facts,
    )

    report = await pricing.report()

    usage = Usage(uncached_input_token_count=1000, output_token_count=500)
    answer = await pricing.stub.EstimateCost(
        pb.EstimateCostRequest(model="gpt-4o", usage=usage), timeout=30
    )
    long = await pricing.stub.EstimateCost(
        pb.EstimateCostRequest(
            model="gemini-2.5-pro", usage=Usage(uncached_input_token_count=250_000)
        ),
        timeout=30,
    )
    assert report.model_count >= 4000
    assert report.fetched_count >= 4400
    assert not any(source.HasField("error") for source in report.sources)
    assert answer.cost.total_picodollars == 7_500_000_000
    assert (long.above_prompt_token_count, long.cost.total_picodollars) == (
        200_000,
        usd("0.625"),
    )
    assert (await pricing.price("openrouter/~openai/gpt-latest")).match == pb.NAME_MATCH_ALIAS
