"""Gemini's generated content."""

import pytest

from steelyard_usage.conventions import Convention, normalise
from steelyard_usage.provider_usage import UsageFlag
from tests.usage.builders import reading, tokens

GEMINI = Convention.GEMINI


def by_modality(**counts: int) -> list[dict[str, object]]:
    return [{"modality": name, "tokenCount": count} for name, count in counts.items()]


def test_cached_tokens_are_inside_and_thoughts_beside() -> None:
    usage = reading(
        GEMINI,
        {
            "promptTokenCount": 3520,
            "cachedContentTokenCount": 3512,
            "candidatesTokenCount": 2,
            "thoughtsTokenCount": 42,
            "totalTokenCount": 3564,
        },
    )

    assert tokens(usage) == {
        "uncached_input_token": 8,
        "cache_read_token": 3512,
        "output_token": 2,
        "reasoning_token": 42,
    }
    assert usage.flags == frozenset()


def test_cached_media_are_cached_tokens_alone_and_audio_apart() -> None:
    usage = reading(
        GEMINI,
        {
            "promptTokenCount": 3297,
            "promptTokensDetails": by_modality(TEXT=83, VIDEO=2893, AUDIO=321),
            "cachedContentTokenCount": 2918,
            "cacheTokensDetails": by_modality(AUDIO=284, TEXT=73, VIDEO=2561),
            "candidatesTokenCount": 55,
        },
    )

    assert tokens(usage) == {
        "uncached_input_token": 10,
        "cache_read_token": 2634,
        "audio_cache_read_token": 284,
        "audio_input_token": 37,
        "video_input_token": 332,
        "output_token": 55,
    }
    assert usage.flags == frozenset()


def test_more_cached_audio_than_was_cached_is_cut_and_flagged() -> None:
    usage = reading(
        GEMINI,
        {
            "promptTokenCount": 100,
            "cachedContentTokenCount": 30,
            "cacheTokensDetails": by_modality(AUDIO=40),
        },
    )

    assert tokens(usage) == {"uncached_input_token": 70, "audio_cache_read_token": 30}
    assert usage.flags == {UsageFlag.PART_EXCEEDS_WHOLE}


def test_prompts_of_tools_are_beside_with_their_media() -> None:
    usage = reading(
        GEMINI,
        {
            "promptTokenCount": 17,
            "toolUsePromptTokenCount": 119,
            "toolUsePromptTokensDetails": by_modality(TEXT=19, DOCUMENT=100),
            "candidatesTokenCount": 201,
            "totalTokenCount": 337,
        },
    )

    assert tokens(usage) == {
        "uncached_input_token": 36,
        "image_input_token": 100,
        "output_token": 201,
    }
    assert usage.flags == frozenset()


def test_what_the_details_do_not_name_is_text() -> None:
    usage = reading(
        GEMINI,
        {
            "promptTokenCount": 33,
            "candidatesTokenCount": 1780,
            "candidatesTokensDetails": by_modality(IMAGE=1120, SMELL=5),
            "thoughtsTokenCount": 529,
        },
    )

    assert tokens(usage) == {
        "uncached_input_token": 33,
        "output_token": 660,
        "image_output_token": 1120,
        "reasoning_token": 529,
    }


def test_the_live_api_calls_candidates_a_response() -> None:
    usage = reading(
        GEMINI,
        {
            "promptTokenCount": 5,
            "responseTokenCount": 20,
            "responseTokensDetails": by_modality(AUDIO=20),
        },
    )

    assert tokens(usage) == {"uncached_input_token": 5, "audio_output_token": 20}


def test_a_count_of_zero_is_left_out() -> None:
    usage = reading(GEMINI, {"promptTokenCount": 15, "thoughtsTokenCount": 2})

    assert tokens(usage) == {"uncached_input_token": 15, "reasoning_token": 2}


def test_another_total_is_flagged() -> None:
    body = {"promptTokenCount": 5, "candidatesTokenCount": 5, "totalTokenCount": 11}

    assert reading(GEMINI, body).flags == {UsageFlag.TOTAL_MISMATCH}


@pytest.mark.parametrize("body", [None, {}, {"totalTokenCount": 7}])
def test_nothing_told_is_not_zero(body: object) -> None:
    assert normalise(GEMINI, body) is None
