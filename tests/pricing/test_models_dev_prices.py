"""models.dev's costs become the right rates, and what cannot be a price none."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from steelyard_pricing.adapters.litellm_prices import parse_litellm
from steelyard_pricing.adapters.models_dev_prices import parse_models_dev
from steelyard_pricing.domain.comparison import base_prices
from steelyard_pricing.domain.components import Component
from steelyard_pricing.domain.modes import Capability, Mode
from steelyard_pricing.domain.rates import ParsedSource, PriceFact
from steelyard_pricing.domain.refusal import SourceRefusedError
from tests.fakes import FakeFeedServer
from tests.pricing.builders import litellm_body, per_million
from tests.pricing.conftest import Start

BOTH = (Component.INPUT_TOKEN, Component.OUTPUT_TOKEN)
# Of 1,000: what two sources may be apart and still agree.
AGREEMENT = 5
# Entries; offers with a price, at least; entries with a figure left out, at most; offers that the
# map of the same months prices too, at least.
EDITIONS = {
    "2026-01-12": (2023, 1650, 40, 400),
    "2026-04-21": (4275, 3630, 80, 560),
}


def body(**models: Any) -> bytes:
    """Return a catalogue of one seller, given as model -> fields."""
    return json.dumps({"acme": {"id": "acme", "models": models}}).encode()


def model(cost: Any, inputs: str = "text", outputs: str = "text", **fields: Any) -> dict[str, Any]:
    modalities = {"input": inputs.split(), "output": outputs.split()}
    return {"cost": cost, "modalities": modalities, **fields}


def parse(cost: Any, **fields: Any) -> ParsedSource:
    return parse_models_dev(body(model=model(cost, **fields)))


def read(cost: Any, **fields: Any) -> PriceFact:
    (fact,) = parse(cost, **fields).facts
    return fact


def rates(fact: PriceFact) -> dict[tuple[str, str, int], int]:
    return {
        (rate.component.name, rate.service_tier, rate.above_prompt_tokens): rate.picodollars
        for rate in fact.rates
    }


def base(fact: PriceFact) -> dict[str, int]:
    return {component.name: price for component, price in base_prices(fact).items()}


def test_prices_are_per_million_tokens() -> None:
    fact = read(
        {
            "input": 0.286705,
            "output": 12,
            "cache_read": 0.025,
            "cache_write": 3.75,
            "reasoning": 2.867051,
            "input_audio": 4.44,
            "output_audio": 8.89,
        }
    )

    assert fact.offer == "acme/model"
    assert rates(fact) == {
        ("INPUT_TOKEN", "", 0): 286_705,
        ("OUTPUT_TOKEN", "", 0): per_million("12"),
        ("CACHE_READ_TOKEN", "", 0): 25_000,
        ("CACHE_WRITE_TOKEN", "", 0): per_million("3.75"),
        ("REASONING_TOKEN", "", 0): 2_867_051,
        ("AUDIO_INPUT_TOKEN", "", 0): per_million("4.44"),
        ("AUDIO_OUTPUT_TOKEN", "", 0): per_million("8.89"),
    }


def test_no_price_goes_through_a_binary_float() -> None:
    exact = body(model={"cost": {"output": 1}}).replace(
        b'"output": 1', b'"input": 0.0010075, "output": 0.0010185, "cache_read": 1.0E-3'
    )

    (fact,) = parse_models_dev(exact).facts

    # Half-even; by way of floats they are 1007 and 1019.
    assert base(fact) == {"INPUT_TOKEN": 1008, "OUTPUT_TOKEN": 1018, "CACHE_READ_TOKEN": 1000}


def test_long_context_is_a_band() -> None:
    fact = read(
        {
            "input": 2,
            "output": 12,
            "context_over_200k": {"input": 4, "output": 18, "cache_read": 0.4},
        }
    )

    assert rates(fact) == {
        ("INPUT_TOKEN", "", 0): per_million("2"),
        ("OUTPUT_TOKEN", "", 0): per_million("12"),
        ("INPUT_TOKEN", "", 200_000): per_million("4"),
        ("OUTPUT_TOKEN", "", 200_000): per_million("18"),
        ("CACHE_READ_TOKEN", "", 200_000): per_million("0.4"),
    }


def test_tiers_say_better_where_a_band_begins() -> None:
    parsed = parse(
        {
            "input": 2.5,
            "context_over_200k": {"input": 5},
            "tiers": [
                {"input": 5, "tier": {"type": "context", "size": 272000}},
                {"input": 9, "tier": {"type": "weekday", "size": 3}},
                {"input": 9, "tier": {"size": 0}},
                "odd",
            ],
        }
    )

    (fact,) = parsed.facts
    assert rates(fact) == {
        ("INPUT_TOKEN", "", 0): per_million("2.5"),
        ("INPUT_TOKEN", "", 272_000): per_million("5"),
    }
    assert parsed.dropped_count == 1


def test_a_mode_with_a_service_tier_is_that_tier() -> None:
    priority = {"cost": {"input": 5}, "provider": {"body": {"service_tier": "priority"}}}

    fact = read({"input": 2.5}, experimental={"modes": {"fast": priority}})

    assert rates(fact) == {
        ("INPUT_TOKEN", "", 0): per_million("2.5"),
        ("INPUT_TOKEN", "priority", 0): per_million("5"),
    }


def test_a_cache_read_dearer_than_the_prompt_is_left_out_alone() -> None:
    band = {"input": 1, "cache_read": 2}

    parsed = parse({"input": 0.5, "output": 1.5, "cache_read": 1.25, "context_over_200k": band})

    (fact,) = parsed.facts
    assert base(fact) == {"INPUT_TOKEN": per_million("0.5"), "OUTPUT_TOKEN": per_million("1.5")}
    assert ("CACHE_READ_TOKEN", "", 200_000) not in rates(fact)
    assert ("INPUT_TOKEN", "", 200_000) in rates(fact)
    assert parsed.dropped_count == 1


def test_a_cache_read_may_cost_what_the_prompt_does() -> None:
    parsed = parse({"input": 0.6, "cache_read": 0.6})

    assert base(parsed.facts[0])["CACHE_READ_TOKEN"] == per_million("0.6")
    assert parsed.dropped_count == 0


@pytest.mark.parametrize(
    "figure",
    [
        pytest.param(-1, id="negative"),
        pytest.param(2_500_000, id="a unit too large"),
        pytest.param(7.5e-7, id="per token"),
        pytest.param("3", id="text"),
        pytest.param(True, id="flag"),
        pytest.param([3], id="list"),
        pytest.param({"input": 3}, id="object"),
    ],
)
def test_a_figure_that_is_no_price_is_left_out_alone(figure: Any) -> None:
    parsed = parse_models_dev(
        body(odd=model({"input": figure, "output": 2}), good=model({"input": 1, "output": 2}))
    )

    odd, good = parsed.facts
    assert base(odd) == {"OUTPUT_TOKEN": per_million("2")}
    assert base(good) == {"INPUT_TOKEN": per_million("1"), "OUTPUT_TOKEN": per_million("2")}
    assert (parsed.entry_count, parsed.dropped_count) == (2, 1)


@pytest.mark.parametrize(
    "cost", [None, {}, "free", [1], {"input": 0, "output": 0}, {"input": None}]
)
def test_an_offer_without_a_price_is_no_fact_and_no_fault(cost: Any) -> None:
    parsed = parse_models_dev(body(none=model(cost), good=model({"input": 1})))

    assert [fact.offer for fact in parsed.facts] == ["acme/good"]
    assert (parsed.entry_count, parsed.dropped_count) == (2, 0)


def test_zeros_are_prices_of_what_is_free_alone() -> None:
    zero = {"input": 0, "output": 0}

    parsed = parse_models_dev(
        json.dumps(
            {
                "openrouter": {"models": {"a/b:free": model(zero), "a/b": model(zero)}},
                "lmstudio": {"models": {"openai/gpt-oss-20b": model(zero)}},
                "ollama-cloud": {"models": {"gpt-oss:120b": model(zero)}},
                "zai-coding-plan": {"models": {"glm-4.7": model(zero)}},
            }
        ).encode()
    )

    assert {fact.offer: fact.is_free for fact in parsed.facts} == {
        "openrouter/a/b:free": True,
        "lm_studio/openai/gpt-oss-20b": True,
    }


def test_an_embedding_has_no_completion_to_charge_for() -> None:
    fact = read({"input": 0.02, "output": 0}, family="text-embedding")

    assert fact.mode is Mode.EMBEDDING
    assert base(fact) == {"INPUT_TOKEN": per_million("0.02"), "OUTPUT_TOKEN": 0}


@pytest.mark.parametrize(
    ("inputs", "outputs"),
    [("audio", "text"), ("image", "text"), ("text", "audio"), ("text", "image"), ("text", "video")],
)
def test_prices_of_models_that_do_not_read_and_write_text_are_in_other_units(
    inputs: str, outputs: str
) -> None:
    parsed = parse({"input": 0.035, "output": 0.035}, inputs=inputs, outputs=outputs)

    assert (parsed.facts, parsed.dropped_count) == ((), 1)


def test_an_output_that_may_be_text_or_images_has_no_price() -> None:
    parsed = parse({"input": 0.3, "output": 30}, outputs="text image")

    assert base(parsed.facts[0]) == {"INPUT_TOKEN": per_million("0.3")}
    assert parsed.dropped_count == 1


def test_limits_capabilities_and_evidence_are_taken_over() -> None:
    fields = model(
        {"input": 1, "cache_read": 0.1},
        inputs="text image pdf",
        limit={"context": 400000, "input": 272000, "output": 128000},
        tool_call=True,
        reasoning=True,
        structured_output=False,
        status="deprecated",
    )
    document = {"acme": {"doc": "https://acme.example/models", "models": {"model": fields}}}

    (fact,) = parse_models_dev(json.dumps(document).encode()).facts

    assert (fact.max_input_tokens, fact.max_output_tokens) == (272_000, 128_000)
    assert fact.source_uri == "https://acme.example/models"
    assert fact.deprecation_date is None
    assert fact.capabilities == {
        Capability.VISION,
        Capability.PDF_INPUT,
        Capability.TOOLS,
        Capability.REASONING,
        Capability.PROMPT_CACHING,
    }


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b"<html>", "not_json"),
        (b"", "not_json"),
        (body(model=model({"input": 1}))[:-5], "not_json"),
        (body(model=model({"input": float("nan")})), "nan"),
        (b"[]", "not_an_object"),
        (b"{}", "empty"),
        (b'{"message": "rate limited"}', "empty"),
    ],
)
def test_a_body_that_is_not_the_catalogue_is_refused_with_its_cause(
    content: bytes, cause: str
) -> None:
    with pytest.raises(SourceRefusedError) as caught:
        parse_models_dev(content)

    assert caught.value.cause == cause


async def test_it_is_the_last_of_the_sources_and_adds_what_the_others_lack(
    start: Start, feeds: FakeFeedServer, whole_map: bytes
) -> None:
    second = json.loads(whole_map)
    second["acme/model"] = {
        "litellm_provider": "acme",
        "mode": "chat",
        "input_cost_per_token": 0.000001,
    }
    catalogue = body(model=model({"input": 1.5}), other=model({"input": 3}))
    pricing = await start(
        litellm_url=feeds.publish("/map", litellm_body(second)),
        models_dev_url=feeds.publish("/catalogue", catalogue),
    )

    await pricing.report()

    joined, own = await pricing.price("acme/model"), await pricing.price("acme/other")
    assert (joined.price.source, own.price.source) == ("litellm", "models_dev")
    assert [other.source for other in joined.alternatives] == ["models_dev"]


async def test_a_bad_body_changes_nothing(start: Start, feeds: FakeFeedServer) -> None:
    url = feeds.publish("/catalogue", body(model=model({"input": 1.5})))
    pricing = await start(models_dev_url=url)
    await pricing.report()
    before = await pricing.price("acme/model")
    feeds.publish("/catalogue", b'{"message": "rate limited"}' + b" " * 100)

    report = await pricing.report("models_dev")

    assert report.sources[0].error.cause == "empty"
    assert await pricing.price("acme/model") == before


@pytest.mark.real_data
@pytest.mark.parametrize("edition", EDITIONS)
def test_the_real_catalogue_agrees_with_the_map_of_the_same_months(
    real_data: Path, edition: str
) -> None:
    packed = (real_data / "models_dev" / f"api_{edition}.json.gz").read_bytes()
    litellm = (real_data / "litellm" / "2026-02-26_v1.81.16.json").read_bytes()

    parsed = parse_models_dev(gzip.decompress(packed))

    ours = {fact.offer: base_prices(fact) for fact in parsed.facts}
    theirs = {fact.offer: base_prices(fact) for fact in parse_litellm(litellm).facts}
    pairs = [
        (ours[offer], theirs[offer])
        for offer in ours.keys() & theirs.keys()
        if all(each in ours[offer] and each in theirs[offer] for each in BOTH)
    ]
    agreeing = sum(
        all(abs(one[each] - other[each]) * 1000 <= other[each] * AGREEMENT for each in BOTH)
        for one, other in pairs
    )
    named, priced, dropped, joined = EDITIONS[edition]
    assert parsed.entry_count == named
    assert len(ours) == len(parsed.facts) >= priced
    assert parsed.dropped_count <= dropped
    assert len(pairs) >= joined
    # The others changed between the two dates, or one of the two is wrong.
    assert agreeing / len(pairs) >= 0.84


@pytest.mark.real_data
def test_wrong_rows_of_the_real_catalogue_do_no_harm(real_data: Path) -> None:
    packed = (real_data / "models_dev" / "api_2026-04-21.json.gz").read_bytes()

    facts = {fact.offer: fact for fact in parse_models_dev(gzip.decompress(packed)).facts}

    # A cache read above the prompt; a price per token; a price of images.
    assert base(facts["openai/gpt-3.5-turbo"]) == {
        "INPUT_TOKEN": per_million("0.5"),
        "OUTPUT_TOKEN": per_million("1.5"),
    }
    assert "openrouter/openai/gpt-5.4-mini" not in facts
    assert "OUTPUT_TOKEN" not in base(facts["google/gemini-2.5-flash-image"])
    assert {fact.name.provider for fact in facts.values() if fact.is_free} == {
        "kilo",
        "lm_studio",
        "openrouter",
        "zhipu",
    }
