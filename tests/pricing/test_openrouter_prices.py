"""OpenRouter's two layouts become the right rates."""

from typing import Any

import pytest

from steelyard_pricing.adapters.openrouter_prices import parse_openrouter
from steelyard_pricing.domain.modes import Capability
from steelyard_pricing.domain.rates import PriceFact
from steelyard_pricing.domain.refusal import SourceRefusedError
from tests.pricing.builders import openrouter_body, openrouter_model, per_million, usd


def read(*models: dict[str, Any]) -> list[PriceFact]:
    return list(parse_openrouter(openrouter_body(*models)).facts)


def rates(fact: PriceFact) -> dict[tuple[str, str, int], int]:
    return {
        (rate.component.name, rate.service_tier, rate.above_prompt_tokens): rate.picodollars
        for rate in fact.rates
    }


def test_prices_are_read_from_decimal_text() -> None:
    (fact,) = read(
        openrouter_model(
            "acme/model",
            "0.0000006000000000000001",
            "0.000006",
            input_cache_read="0.0000001",
            input_cache_write="0.00000125",
            input_cache_write_1h="0.000002",
            internal_reasoning="0.000007",
            web_search="0.01",
            audio="0.000032",
            image_output="0.00003",
            discount="0.5",
        )
    )

    assert fact.offer == "openrouter/acme/model"
    assert rates(fact) == {
        ("INPUT_TOKEN", "", 0): per_million("0.6"),
        ("OUTPUT_TOKEN", "", 0): per_million("6"),
        ("CACHE_READ_TOKEN", "", 0): per_million("0.1"),
        ("CACHE_WRITE_TOKEN", "", 0): per_million("1.25"),
        ("CACHE_WRITE_1H_TOKEN", "", 0): per_million("2"),
        ("REASONING_TOKEN", "", 0): per_million("7"),
        ("QUERY", "", 0): usd("0.01"),
        ("AUDIO_INPUT_TOKEN", "", 0): per_million("32"),
        ("IMAGE_OUTPUT_TOKEN", "", 0): per_million("30"),
    }


def test_an_image_was_priced_whole_in_2025_and_by_token_since() -> None:
    before, since = read(
        openrouter_model("acme/before", image="0.0048", request="0"),
        openrouter_model("acme/since", image="0.0000012"),
    )

    assert rates(before)[("INPUT_IMAGE", "", 0)] == usd("0.0048")
    assert rates(since)[("IMAGE_INPUT_TOKEN", "", 0)] == per_million("1.2")


def test_overrides_are_bands() -> None:
    (fact,) = read(
        openrouter_model(
            "acme/model",
            overrides=[
                {"min_prompt_tokens": 272000, "prompt": "0.000005"},
                {"min_prompt_tokens": "soon", "prompt": "0"},
            ],
        )
    )

    assert rates(fact)[("INPUT_TOKEN", "", 272_000)] == per_million("5")
    assert len(rates(fact)) == 3


@pytest.mark.parametrize("price", ["-1", "-0.5", "NaN", "Infinity", "cheap", "1.0"])
def test_p5_and_b21_a_price_that_is_none_makes_the_model_unpriced(price: str) -> None:
    fact, good = read(openrouter_model("acme/auto", price, price), openrouter_model("acme/good"))

    assert not fact.is_priced
    assert not fact.is_free
    assert good.is_priced


def test_zeros_are_prices_of_models_that_are_named_free_alone() -> None:
    free, song, router = read(
        openrouter_model("acme/model:free", "0", "0"),
        openrouter_model("google/lyria-3", "0", "0"),
        openrouter_model("openrouter/free", "0", "0"),
    )

    assert (free.is_free, song.is_free, router.is_free) == (True, False, True)
    assert not song.is_priced


def test_batch_is_a_tier_of_the_model_and_no_model() -> None:
    (fact,) = read(
        openrouter_model("acme/model"),
        openrouter_model("acme/model:batch", "0.0000005", "0.000001"),
    )

    assert rates(fact)[("INPUT_TOKEN", "batch", 0)] == per_million("0.5")
    assert rates(fact)[("INPUT_TOKEN", "", 0)] == per_million("1")


def test_a_moving_name_is_an_alias_of_the_model_that_it_stands_for() -> None:
    moving = openrouter_model("~acme/model-latest", "9", "9") | {
        "alias_target": {"slug": "acme/model"}
    }

    (fact,) = read(openrouter_model("acme/model"), moving)

    assert fact.aliases == ("openrouter/~acme/model-latest",)
    assert rates(fact)[("INPUT_TOKEN", "", 0)] == per_million("1")


def test_a_moving_name_whose_target_is_not_told_is_an_offer_of_its_own() -> None:
    facts = read(openrouter_model("acme/model"), openrouter_model("~acme/model-latest"))

    assert [fact.offer for fact in facts] == [
        "openrouter/acme/model",
        "openrouter/~acme/model-latest",
    ]


def test_capabilities_come_from_parameters_and_modalities() -> None:
    model = openrouter_model("acme/model", input_cache_read="0.0000001") | {
        "supported_parameters": ["tools", "temperature", "structured_outputs"],
        "architecture": {"input_modalities": ["text", "image"], "output_modalities": ["text"]},
    }

    (fact,) = read(model)

    assert fact.capabilities == {
        Capability.TOOLS,
        Capability.STRUCTURED_OUTPUT,
        Capability.VISION,
        Capability.PROMPT_CACHING,
    }


@pytest.mark.parametrize(
    ("body", "cause"),
    [(b"<html>", "not_json"), (b'{"data": {}}', "not_an_object"), (b'{"data": []}', "empty")],
)
def test_a_body_that_is_not_the_list_is_refused_with_its_cause(body: bytes, cause: str) -> None:
    with pytest.raises(SourceRefusedError) as caught:
        parse_openrouter(body)

    assert caught.value.cause == cause
