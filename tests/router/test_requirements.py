"""What a request needs, and how many tokens it has."""

from typing import Any

import pytest

from steelyard_router.domain.capability import Capability, mask
from steelyard_router.domain.model_choice import ModelChoice, UnknownChoiceError, parse_model
from steelyard_router.domain.requirements import AnswerFormat, RequestShape, needed_capabilities
from steelyard_router.domain.tier import Tier
from steelyard_router.domain.token_count import (
    DEFAULT_IMAGE,
    LOW_DETAIL_IMAGE,
    TILE,
    audio_tokens,
    file_tokens,
    image_tokens,
    text_tokens,
    video_tokens,
)
from steelyard_router.domain.usage import DefaultForecaster, OutputForecast


def a_shape(**changes: Any) -> RequestShape:
    return RequestShape(**({"task_text": "hi", "text": "hi"} | changes))


@pytest.mark.parametrize(
    ("shape", "needs"),
    [
        ({}, ()),
        ({"tool_count": 1}, (Capability.TOOLS,)),
        ({"tool_count": 1, "tool_choice": "auto"}, (Capability.TOOLS,)),
        ({"tool_count": 1, "tool_choice": "none"}, (Capability.TOOLS,)),
        (
            {"tool_count": 1, "tool_choice": "required"},
            (Capability.TOOLS, Capability.TOOL_CHOICE),
        ),
        (
            {"tool_count": 2, "tool_choice": "get_weather", "parallel_tool_calls": True},
            (Capability.TOOLS, Capability.TOOL_CHOICE, Capability.PARALLEL_TOOLS),
        ),
        ({"parallel_tool_calls": True}, ()),
        ({"answer_format": AnswerFormat.JSON_OBJECT}, ()),
        ({"answer_format": AnswerFormat.JSON_SCHEMA}, (Capability.STRUCTURED_OUTPUT,)),
        ({"image_count": 1}, (Capability.VISION,)),
        ({"file_count": 1}, (Capability.PDF_INPUT,)),
        ({"audio_tokens": 10}, (Capability.AUDIO_INPUT,)),
        ({"video_tokens": 10}, (Capability.VIDEO_INPUT,)),
    ],
)
def test_what_a_request_shows_is_what_it_needs(
    shape: dict[str, Any], needs: tuple[Capability, ...]
) -> None:
    assert needed_capabilities(a_shape(**shape)) == mask(needs)


@pytest.mark.parametrize(
    ("detail", "width", "height", "tokens"),
    [
        ("low", 4096, 4096, LOW_DETAIL_IMAGE),
        ("", 0, 0, DEFAULT_IMAGE),
        ("high", 512, 512, LOW_DETAIL_IMAGE + TILE),
        ("high", 1024, 1024, LOW_DETAIL_IMAGE + 4 * TILE),
        ("auto", 2048, 4096, LOW_DETAIL_IMAGE + 6 * TILE),
    ],
)
def test_images_count_by_tiles(detail: str, width: int, height: int, tokens: int) -> None:
    assert image_tokens(detail, width, height) == tokens


def test_media_of_unknown_size_count_by_a_middle_value() -> None:
    assert audio_tokens(0) == audio_tokens(60 * 16_000) == 60 * 32
    assert video_tokens(0) == video_tokens(60 * 250_000) == 60 * 263
    assert file_tokens(0) == file_tokens(10 * 50_000) == 10_000


def test_a_long_text_is_counted_by_samples_about_as_a_whole_one() -> None:
    sentence = "A steelyard finds an unknown weight by the position of a known one. "
    one, many = text_tokens(sentence * 50), text_tokens(sentence * 5000)

    assert many == pytest.approx(one * 100, rel=0.03)


def test_every_message_and_tool_adds_its_frame() -> None:
    bare = a_shape().input_tokens

    assert a_shape(message_count=3).input_tokens == bare + 8
    assert a_shape(tool_count=2).input_tokens == bare + 16
    assert a_shape(file_tokens=100).input_tokens == bare + 100


@pytest.mark.parametrize(
    ("limit", "forecast"),
    [
        (None, OutputForecast(500, 850)),
        (10_000, OutputForecast(500, 850)),
        (600, OutputForecast(500, 600)),
        (7, OutputForecast(7, 7)),
    ],
)
def test_no_completion_is_expected_to_be_longer_than_its_limit(
    limit: int | None, forecast: OutputForecast
) -> None:
    assert DefaultForecaster().forecast(limit) == forecast


@pytest.mark.parametrize(
    ("model", "choice"),
    [
        ("", ModelChoice()),
        ("auto", ModelChoice()),
        ("auto:cheap", ModelChoice(policy="cheap")),
        ("auto:balanced", ModelChoice(policy="balanced")),
        ("tier:heavy", ModelChoice(tier=Tier.HEAVY)),
        ("gpt-4o", ModelChoice(name="gpt-4o")),
        ("openrouter/auto", ModelChoice(name="openrouter/auto")),
    ],
)
def test_a_model_is_a_free_choice_a_policy_a_tier_or_a_name(
    model: str, choice: ModelChoice
) -> None:
    assert parse_model(model) == choice


@pytest.mark.parametrize(
    ("model", "listed"), [("auto:best!", "auto:best"), ("tier:", "tier:micro")]
)
def test_an_unknown_choice_lists_the_known_ones(model: str, listed: str) -> None:
    with pytest.raises(UnknownChoiceError, match=listed):
        parse_model(model)
