"""The formats of OpenAI and of those who speak them."""

import pytest

from steelyard_usage.conventions import Convention, normalise
from steelyard_usage.provider_usage import UsageFlag
from tests.usage.builders import reading, tokens

CHAT = Convention.OPENAI_CHAT
RESPONSES = Convention.OPENAI_RESPONSES


def chat(prompt: int, completion: int, **others: object) -> dict[str, object]:
    return {"prompt_tokens": prompt, "completion_tokens": completion, **others}


def test_cached_and_reasoning_tokens_are_inside() -> None:
    usage = reading(
        CHAT,
        chat(
            1000,
            500,
            total_tokens=1500,
            prompt_tokens_details={"cached_tokens": 768, "audio_tokens": 0},
            completion_tokens_details={"reasoning_tokens": 320},
        ),
    )

    assert tokens(usage) == {
        "uncached_input_token": 232,
        "cache_read_token": 768,
        "output_token": 180,
        "reasoning_token": 320,
    }
    assert usage.counts.request_count == 1
    assert usage.flags == frozenset()


def test_responses_name_the_same_things_otherwise() -> None:
    usage = reading(
        RESPONSES,
        {
            "input_tokens": 4020,
            "input_tokens_details": {"cached_tokens": 8, "cache_write_tokens": 4000},
            "output_tokens": 50,
            "output_tokens_details": {"reasoning_tokens": 20},
            "total_tokens": 4070,
        },
    )

    assert tokens(usage) == {
        "uncached_input_token": 12,
        "cache_read_token": 8,
        "cache_write_token": 4000,
        "output_token": 30,
        "reasoning_token": 20,
    }


def test_media_are_inside() -> None:
    usage = reading(
        CHAT,
        chat(
            100,
            90,
            prompt_tokens_details={"audio_tokens": 30, "image_tokens": 20, "video_tokens": 10},
            completion_tokens_details={"audio_tokens": 50, "image_tokens": 15},
        ),
    )

    assert tokens(usage) == {
        "uncached_input_token": 40,
        "audio_input_token": 30,
        "image_input_token": 20,
        "video_input_token": 10,
        "output_token": 25,
        "audio_output_token": 50,
        "image_output_token": 15,
    }


def test_cached_audio_is_counted_once_and_is_no_fault() -> None:
    usage = reading(
        CHAT, chat(100, 0, prompt_tokens_details={"audio_tokens": 90, "cached_tokens": 60})
    )

    assert tokens(usage) == {"cache_read_token": 60, "audio_input_token": 40}
    assert usage.flags == frozenset()


def test_cached_audio_of_the_realtime_api_is_told_apart() -> None:
    usage = reading(
        RESPONSES,
        {
            "input_tokens": 132,
            "input_token_details": {
                "text_tokens": 119,
                "audio_tokens": 13,
                "cached_tokens": 64,
                "cached_tokens_details": {"text_tokens": 56, "audio_tokens": 8},
            },
            "output_tokens": 121,
            "output_token_details": {"text_tokens": 30, "audio_tokens": 91},
            "total_tokens": 253,
        },
    )

    assert tokens(usage) == {
        "uncached_input_token": 63,
        "cache_read_token": 56,
        "audio_cache_read_token": 8,
        "audio_input_token": 5,
        "output_token": 30,
        "audio_output_token": 91,
    }
    assert usage.flags == frozenset()


def test_a_transcription_has_its_details_in_the_singular() -> None:
    usage = reading(
        RESPONSES,
        {
            "input_tokens": 14,
            "input_token_details": {"audio_tokens": 14},
            "output_tokens": 45,
            "total_tokens": 59,
        },
    )

    assert tokens(usage) == {"audio_input_token": 14, "output_token": 45}


def test_an_embedding_has_no_completion() -> None:
    usage = reading(CHAT, {"prompt_tokens": 4, "total_tokens": 4})

    assert tokens(usage) == {"uncached_input_token": 4}
    assert usage.flags == frozenset()


@pytest.mark.parametrize(
    "cached",
    [
        {"prompt_cache_hit_tokens": 512, "prompt_cache_miss_tokens": 51},
        {"prompt_cache_hit_tokens": 512, "prompt_tokens_details": {"cached_tokens": 512}},
        {"cached_tokens": 512},
        {"cached_prompt_text_tokens": 512},
        {"prompt_tokens_details": None, "cached_tokens": 512},
    ],
)
def test_other_names_of_cached_tokens_count_once(cached: dict[str, object]) -> None:
    usage = reading(CHAT, chat(563, 116, **cached))

    assert tokens(usage) == {
        "uncached_input_token": 51,
        "cache_read_token": 512,
        "output_token": 116,
    }


def test_hits_and_misses_are_a_prompt() -> None:
    usage = reading(CHAT, {"prompt_cache_hit_tokens": 5, "prompt_cache_miss_tokens": 2})

    assert tokens(usage) == {"uncached_input_token": 2, "cache_read_token": 5}


def test_what_mistrals_servers_had_at_hand_earns_no_discount() -> None:
    usage = reading(CHAT, chat(10, 224, num_cached_tokens=9))

    assert tokens(usage) == {"uncached_input_token": 10, "output_token": 224}


@pytest.mark.parametrize("convention", [Convention.OPENAI_CHAT, Convention.XAI_CHAT])
def test_the_total_tells_where_reasoning_is(convention: Convention) -> None:
    details = {"reasoning_tokens": 512}
    inside = chat(156, 561, total_tokens=717, completion_tokens_details=details)
    beside = chat(156, 561, total_tokens=1229, completion_tokens_details=details)

    assert tokens(reading(convention, inside))["output_token"] == 49
    assert tokens(reading(convention, beside))["output_token"] == 561
    for body in (inside, beside):
        assert tokens(reading(convention, body))["reasoning_token"] == 512
        assert reading(convention, body).flags == frozenset()


def test_without_a_total_reasoning_is_beside_at_xai_alone() -> None:
    body = chat(10, 20, completion_tokens_details={"reasoning_tokens": 15})

    assert tokens(reading(Convention.XAI_CHAT, body))["output_token"] == 20
    assert tokens(reading(CHAT, body))["output_token"] == 5


def test_hidden_thoughts_are_found_by_the_total() -> None:
    usage = reading(CHAT, chat(35, 12, total_tokens=109))

    assert tokens(usage) == {
        "uncached_input_token": 35,
        "output_token": 12,
        "reasoning_token": 62,
    }
    assert usage.flags == {UsageFlag.REASONING_INFERRED}


def test_a_total_that_fits_nothing_is_flagged_and_changes_nothing() -> None:
    details = {"reasoning_tokens": 5}

    for total in (29, 31):
        body = chat(10, 20, total_tokens=total, completion_tokens_details=details)
        usage = reading(CHAT, body)
        assert usage.counts.prompt_tokens + usage.counts.completion_tokens == 30
        assert usage.flags == {UsageFlag.TOTAL_MISMATCH}


def test_more_cached_than_sent_is_cut_and_flagged() -> None:
    usage = reading(CHAT, chat(10, 1, prompt_tokens_details={"cached_tokens": 90}))

    assert tokens(usage) == {"cache_read_token": 10, "output_token": 1}
    assert usage.flags == {UsageFlag.PART_EXCEEDS_WHOLE}


def test_a_prompt_that_is_not_told_is_flagged() -> None:
    usage = reading(CHAT, {"completion_tokens": 5})

    assert tokens(usage) == {"output_token": 5}
    assert usage.flags == {UsageFlag.PROMPT_MISSING}


@pytest.mark.parametrize(
    "searches", [{"num_search_queries": 3}, {"server_tool_use": {"web_search_requests": 3}}]
)
def test_searches_of_the_model_are_queries(searches: dict[str, object]) -> None:
    assert reading(CHAT, chat(1, 1, **searches)).counts.query_count == 3


@pytest.mark.parametrize(
    "body", [None, {}, {"total_tokens": 5}, {"prompt_tokens": None, "completion_tokens": None}]
)
def test_nothing_told_is_not_zero(body: object) -> None:
    assert normalise(CHAT, body) is None
    assert normalise(RESPONSES, body) is None


def test_nothing_used_is_zero() -> None:
    assert tokens(reading(CHAT, chat(0, 0, total_tokens=0))) == {}
