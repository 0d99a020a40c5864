"""LiteLLM's fields become the right rates, and a bad field costs nobody else anything."""

from collections.abc import Mapping
from typing import Any

import pytest

from steelyard_pricing.adapters.litellm_prices import parse_litellm
from steelyard_pricing.domain.components import Component
from steelyard_pricing.domain.modes import Capability, Mode
from steelyard_pricing.domain.rates import PriceFact, TimeWindow
from steelyard_pricing.domain.refusal import SourceRefusedError
from tests.pricing.builders import litellm_body, per_million, usd

Rates = dict[tuple[str, str, int], int]


def read(fields: Mapping[str, Any], key: str = "model", provider: str = "acme") -> PriceFact:
    entry = {"litellm_provider": provider, "mode": "chat", **fields}
    (fact,) = parse_litellm(litellm_body({key: entry})).facts
    return fact


def rates(fact: PriceFact) -> Rates:
    return {
        (rate.component.name, rate.service_tier, rate.above_prompt_tokens): rate.picodollars
        for rate in fact.rates
        if not rate.windows
    }


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("input_cost_per_token", ("INPUT_TOKEN", "", 0)),
        ("input_cost_per_token_batches", ("INPUT_TOKEN", "batch", 0)),
        ("input_cost_per_token_flex", ("INPUT_TOKEN", "flex", 0)),
        ("input_cost_per_token_above_200k_tokens", ("INPUT_TOKEN", "", 200_000)),
        ("input_cost_per_token_above_272k_tokens_priority", ("INPUT_TOKEN", "priority", 272_000)),
        ("cache_read_input_token_cost", ("CACHE_READ_TOKEN", "", 0)),
        ("input_cost_per_token_cache_hit", ("CACHE_READ_TOKEN", "", 0)),
        ("cache_creation_input_token_cost", ("CACHE_WRITE_TOKEN", "", 0)),
        ("cache_creation_input_token_cost_above_1hr", ("CACHE_WRITE_1H_TOKEN", "", 0)),
        (
            "cache_creation_input_token_cost_above_1hr_above_200k_tokens",
            ("CACHE_WRITE_1H_TOKEN", "", 200_000),
        ),
        ("output_cost_per_token", ("OUTPUT_TOKEN", "", 0)),
        ("output_cost_per_reasoning_token", ("REASONING_TOKEN", "", 0)),
        ("input_cost_per_audio_token", ("AUDIO_INPUT_TOKEN", "", 0)),
        ("output_cost_per_audio_token", ("AUDIO_OUTPUT_TOKEN", "", 0)),
        ("cache_read_input_audio_token_cost", ("AUDIO_CACHE_READ_TOKEN", "", 0)),
        ("input_cost_per_image_token", ("IMAGE_INPUT_TOKEN", "", 0)),
        ("output_cost_per_image_token", ("IMAGE_OUTPUT_TOKEN", "", 0)),
        ("output_cost_per_image_token_batches", ("IMAGE_OUTPUT_TOKEN", "batch", 0)),
        ("input_cost_per_video_token", ("VIDEO_INPUT_TOKEN", "", 0)),
        ("input_cost_per_request", ("REQUEST", "", 0)),
        ("input_cost_per_image", ("INPUT_IMAGE", "", 0)),
        ("output_cost_per_image", ("OUTPUT_IMAGE", "", 0)),
        ("input_cost_per_second", ("INPUT_SECOND", "", 0)),
        ("input_cost_per_audio_per_second", ("INPUT_SECOND", "", 0)),
        ("output_cost_per_video_per_second", ("OUTPUT_SECOND", "", 0)),
        ("output_cost_per_second_1080p", ("OUTPUT_SECOND", "1080p", 0)),
        ("input_cost_per_character", ("INPUT_CHARACTER", "", 0)),
        ("input_cost_per_query", ("QUERY", "", 0)),
        ("ocr_cost_per_page", ("PAGE", "", 0)),
    ],
)
def test_each_field_is_a_rate_of_its_component_tier_and_band(
    field: str, expected: tuple[str, str, int]
) -> None:
    assert rates(read({field: 0.000003})) == {expected: per_million("3")}


@pytest.mark.parametrize(
    "field",
    [
        "input_dbu_cost_per_token",
        "google_maps_grounding_cost_per_query",
        "input_cost_per_video_per_second_above_15s_interval",
        "max_input_tokens",
        "code_interpreter_cost_per_session",
        "output_cost_per_tokens",
    ],
)
def test_other_fields_are_no_prices(field: str) -> None:
    assert read({field: 0.000003}).rates == ()


def test_ranges_of_prompt_sizes_are_bands_above_their_start() -> None:
    fact = read(
        {
            "tiered_pricing": [
                {"range": [0, 256000.0], "input_cost_per_token": 5e-8},
                {"range": [256000.0, 1000000.0], "input_cost_per_token": 2.5e-7},
            ]
        }
    )

    assert rates(fact) == {
        ("INPUT_TOKEN", "", 0): per_million("0.05"),
        ("INPUT_TOKEN", "", 256_000): per_million("0.25"),
    }


def test_off_peak_prices_apply_in_their_hours_on_their_days() -> None:
    fact = read(
        {
            "input_cost_per_token": 3e-7,
            "off_peak_pricing": {
                "input_cost_per_token": 1.5e-7,
                "windows": [
                    {"hours_utc": ["00:00-01:00", "10:00-00:00"], "weekdays": [1, 2, 3, 4, 5]},
                    {"hours_utc": "00:00-00:00", "weekdays": [6, 7]},
                ],
            },
        }
    )

    (windowed,) = (rate for rate in fact.rates if rate.windows)
    assert rates(fact) == {("INPUT_TOKEN", "", 0): per_million("0.3")}
    assert windowed.picodollars == per_million("0.15")
    assert windowed.windows == (
        TimeWindow((1, 2, 3, 4, 5), 0, 60),
        TimeWindow((1, 2, 3, 4, 5), 600, 1440),
        TimeWindow((6, 7), 0, 1440),
    )


@pytest.mark.parametrize(
    "off_peak",
    [
        {"windows": [{"hours_utc": "soon"}]},
        {"windows": [{"hours_utc": "10:00-12:00", "weekdays": [0]}]},
        {"windows": []},
        {"windows": ["always"]},
        {"windows": [{"hours_utc": "10:00-12:00"}], "weekday_timezone": "Mars/Olympus"},
        {"windows": [{"hours_utc": "10:00-12:00"}], "weekday_timezone": "Europe/Berlin"},
        {"windows": [{"hours_utc": "10:00-12:00"}], "weekday_timezone": 8},
    ],
)
def test_hours_that_cannot_be_read_give_no_discount(off_peak: dict[str, Any]) -> None:
    parsed = parse_litellm(
        litellm_body(
            {
                "model": {
                    "litellm_provider": "acme",
                    "input_cost_per_token": 3e-7,
                    "off_peak_pricing": {"input_cost_per_token": 1e-7, **off_peak},
                }
            }
        )
    )

    assert [rate.picodollars for rate in parsed.facts[0].rates] == [per_million("0.3")]
    assert parsed.dropped_count == 1


def test_weekdays_may_be_those_of_another_zone() -> None:
    fact = read(
        {
            "off_peak_pricing": {
                "input_cost_per_token": 1e-7,
                "weekday_timezone": "Asia/Shanghai",
                "windows": [{"hours_utc": "10:00-00:00", "weekdays": [1]}],
            }
        }
    )

    assert set(fact.rates[0].windows) == {TimeWindow((1,), 600, 960), TimeWindow((7,), 960, 1440)}


@pytest.mark.parametrize("figure", [-1, -0.000001, "0.1", [], {}, True, 0.06, 1e30])
def test_p7_a_bad_figure_drops_the_field_and_nothing_else(figure: object) -> None:
    parsed = parse_litellm(
        litellm_body(
            {
                "bad": {
                    "litellm_provider": "acme",
                    "mode": "chat",
                    "input_cost_per_token": figure,
                    "output_cost_per_token": 2e-6,
                },
                "good": {"litellm_provider": "acme", "input_cost_per_token": 1e-6},
            }
        )
    )

    bad, good = parsed.facts
    assert rates(bad) == {("OUTPUT_TOKEN", "", 0): per_million("2")}
    assert rates(good) == {("INPUT_TOKEN", "", 0): per_million("1")}
    assert parsed.dropped_count == 1


def test_p6_a_price_of_null_is_absent() -> None:
    fact = read({"input_cost_per_token": None, "output_cost_per_token": 2e-6})

    assert rates(fact) == {("OUTPUT_TOKEN", "", 0): per_million("2")}


def test_a_model_with_two_zeros_is_unpriced_at_a_seller_that_charges() -> None:
    fact = read({"input_cost_per_token": 0, "output_cost_per_token": 0.0}, provider="volcengine")

    assert (fact.rates, fact.is_free) == ((), False)


def test_a_zero_among_prices_of_a_model_that_writes_is_not_a_price() -> None:
    fact = read({"input_cost_per_token": 1.4e-7, "output_cost_per_token": 0})

    assert rates(fact) == {("INPUT_TOKEN", "", 0): per_million("0.14")}


def test_a_zero_among_prices_of_a_model_that_writes_nothing_is_one() -> None:
    fact = read({"input_cost_per_token": 1e-7, "output_cost_per_token": 0, "mode": "embedding"})

    assert rates(fact)[("OUTPUT_TOKEN", "", 0)] == 0


@pytest.mark.parametrize(
    ("key", "provider", "is_free"),
    [
        ("ollama/llama3", "ollama", True),
        ("ollama/qwen3-coder:480b-cloud", "ollama", False),
        ("omni-moderation-latest", "openai", True),
        ("openrouter/acme/model:free", "openrouter", True),
        ("zai/glm-4.5-flash", "zai", True),
        ("zai/glm-4.5", "zai", False),
    ],
)
def test_zeros_are_prices_where_the_seller_says_free(
    key: str, provider: str, *, is_free: bool
) -> None:
    fact = read({"input_cost_per_token": 0, "output_cost_per_token": 0}, key, provider)

    assert fact.is_free is is_free
    assert bool(fact.rates) is is_free


def test_a_model_that_costs_something_is_not_free_whatever_its_name_says() -> None:
    fact = read({"input_cost_per_token": 1e-6}, "openrouter/acme/model:free", "openrouter")

    assert not fact.is_free
    assert rates(fact) == {("INPUT_TOKEN", "", 0): per_million("1")}


def test_what_an_image_model_charges_for_input_is_for_the_images_it_makes() -> None:
    by_pixel = read(
        {
            "mode": "image_generation",
            "input_cost_per_pixel": 1.5e-8,
            "output_cost_per_pixel": 0.0,
        }
    )
    by_image = read(
        {
            "mode": "image_generation",
            "input_cost_per_image": 0.011,
            "input_cost_per_pixel": 1e-8,
            "output_cost_per_pixel": 0.0,
        }
    )
    by_both = read(
        {
            "mode": "image_edit",
            "input_cost_per_image": 0.0006,
            "output_cost_per_image": 0.0672,
        }
    )

    assert rates(by_pixel) == {("OUTPUT_PIXEL", "", 0): 15_000}
    assert rates(by_image) == {("OUTPUT_IMAGE", "", 0): usd("0.011")}
    assert rates(by_both) == {
        ("INPUT_IMAGE", "", 0): usd("0.0006"),
        ("OUTPUT_IMAGE", "", 0): usd("0.0672"),
    }


def test_a_search_by_a_model_costs_what_a_medium_one_does() -> None:
    fact = read(
        {
            "search_context_cost_per_query": {
                "search_context_size_low": 0.03,
                "search_context_size_medium": 0.035,
                "search_context_size_high": 0.05,
            }
        }
    )

    assert rates(fact) == {("QUERY", "", 0): usd("0.035")}


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("chat", Mode.CHAT),
        ("responses", Mode.CHAT),
        ("image_edit", Mode.IMAGE),
        ("audio_speech", Mode.SPEECH),
        ("guardrail", Mode.OTHER),
        (None, Mode.UNSPECIFIED),
    ],
)
def test_modes_are_those_of_the_contract(mode: str | None, expected: Mode) -> None:
    assert read({"mode": mode}).mode is expected


def test_p2_p3_and_p4_capabilities_come_from_flags_and_from_nothing_else() -> None:
    fact = read(
        {
            "supports_function_calling": True,
            "supports_prompt_caching": True,
            "supports_vision": False,
            "supports_reasoning": "yes",
        },
        "gemini/gemini-2.5-flash-mini",
        "gemini",
    )

    assert fact.capabilities == {Capability.TOOLS, Capability.PROMPT_CACHING}
    assert fact.supports_caching is True
    assert read({}).supports_caching is None


def test_limits_dates_and_evidence_are_kept() -> None:
    fact = read(
        {
            "max_input_tokens": "200000",
            "max_output_tokens": 8192,
            "prompt_cache_min_tokens": 4096.0,
            "deprecation_date": "2027-02-30",
            "source": "https://example.com/prices",
        }
    )

    assert (fact.max_input_tokens, fact.max_output_tokens, fact.cache_min_tokens) == (
        200_000,
        8192,
        4096,
    )
    assert fact.deprecation_date is None
    assert fact.source_uri == "https://example.com/prices"


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        (b"<html>", "not_json"),
        (b'{"a": {"litellm_provider": "x", "input_cost_per_token": NaN}}', "nan"),
        (b'{"a": {"litellm_provider": "x", "input_cost_per_token": 1e400}', "not_json"),
        (b"[" * 100_000, "too_deep"),
        (b"[]", "not_an_object"),
        (b"{}", "empty"),
        (b'{"sample_spec": {"litellm_provider": "x"}}', "empty"),
        (b"\xff\xfe", "not_json"),
    ],
)
def test_a_body_that_is_not_the_map_is_refused_with_its_cause(body: bytes, cause: str) -> None:
    with pytest.raises(SourceRefusedError) as caught:
        parse_litellm(body)

    assert caught.value.cause == cause


def test_components_of_sound_and_film_keep_the_dearer_price() -> None:
    fact = read(
        {"input_cost_per_audio_per_second": 0.0001, "input_cost_per_video_per_second": 0.0007}
    )

    assert rates(fact) == {(Component.INPUT_SECOND.name, "", 0): usd("0.0007")}
