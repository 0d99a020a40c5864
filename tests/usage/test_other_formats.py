"""Bedrock, Cohere and Ollama."""

import pytest

from steelyard_usage.conventions import Convention, normalise
from steelyard_usage.provider_usage import UsageFlag
from tests.usage.builders import reading, tokens

BEDROCK = Convention.BEDROCK_CONVERSE
COHERE = Convention.COHERE
OLLAMA = Convention.OLLAMA


def test_bedrock_counts_cached_tokens_beside_the_prompt() -> None:
    usage = reading(
        BEDROCK,
        {
            "inputTokens": 22,
            "outputTokens": 13,
            "cacheReadInputTokens": 100,
            "cacheReadInputTokenCount": 100,
            "cacheWriteInputTokens": 2492,
            "cacheWriteInputTokenCount": 2492,
            "serverToolUsage": {},
            "totalTokens": 2627,
        },
    )

    assert tokens(usage) == {
        "uncached_input_token": 22,
        "cache_read_token": 100,
        "cache_write_token": 2492,
        "output_token": 13,
    }
    assert usage.flags == frozenset()


def test_bedrock_tells_writes_apart_by_their_lifetime() -> None:
    usage = reading(
        BEDROCK,
        {
            "inputTokens": 3,
            "outputTokens": 2,
            "cacheWriteInputTokens": 2074,
            "cacheDetails": [
                {"inputTokens": 74, "ttl": "5m"},
                {"inputTokens": 2000, "ttl": "1h"},
            ],
        },
    )

    assert usage.counts.cache_write_token_count == 74
    assert usage.counts.cache_write_1h_token_count == 2000


def test_bedrocks_total_is_checked() -> None:
    body = {"inputTokens": 3, "outputTokens": 2, "totalTokens": 6}

    assert reading(BEDROCK, body).flags == {UsageFlag.TOTAL_MISMATCH}


def test_cohere_charges_for_the_billed_units() -> None:
    usage = reading(
        COHERE,
        {
            "billed_units": {"input_tokens": 2406, "output_tokens": 2},
            "tokens": {"input_tokens": 2935, "output_tokens": 4},
            "cached_tokens": 2928,
        },
    )

    assert tokens(usage) == {"uncached_input_token": 2406, "output_token": 2}


def test_cohere_counts_images_beside_text_and_searches_as_queries() -> None:
    body = {"billed_units": {"input_tokens": 4, "image_tokens": 9, "search_units": 2}}

    assert tokens(reading(COHERE, body)) == {
        "uncached_input_token": 4,
        "image_input_token": 9,
        "query": 2,
    }


def test_ollama_counts_in_the_answer_itself() -> None:
    body = {"model": "qwen3:0.6b", "done": True, "prompt_eval_count": 26, "eval_count": 259}

    assert tokens(reading(OLLAMA, body)) == {"uncached_input_token": 26, "output_token": 259}


@pytest.mark.parametrize("convention", [BEDROCK, COHERE, OLLAMA])
@pytest.mark.parametrize("body", [None, {}, {"billed_units": {}}])
def test_nothing_told_is_not_zero(convention: Convention, body: object) -> None:
    assert normalise(convention, body) is None
