"""Anthropic's messages."""

import pytest

from steelyard_usage.conventions import Convention, normalise
from steelyard_usage.counts import UsageCounts
from steelyard_usage.provider_usage import DelegatedUsage, UsageFlag
from tests.usage.builders import reading, tokens

MESSAGES = Convention.ANTHROPIC_MESSAGES


def message(**others: object) -> dict[str, object]:
    return {"input_tokens": 6, "output_tokens": 489, **others}


def test_cached_tokens_are_beside_the_prompt() -> None:
    usage = reading(
        MESSAGES,
        message(
            cache_read_input_tokens=20_443,
            cache_creation_input_tokens=574,
            output_tokens_details={"thinking_tokens": 77},
        ),
    )

    assert tokens(usage) == {
        "uncached_input_token": 6,
        "cache_read_token": 20_443,
        "cache_write_token": 574,
        "output_token": 412,
        "reasoning_token": 77,
    }
    assert usage.flags == frozenset()


def test_writes_are_told_apart_by_their_lifetime() -> None:
    usage = reading(
        MESSAGES,
        message(
            cache_creation_input_tokens=700,
            cache_creation={"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 600},
        ),
    )

    assert usage.counts.cache_write_token_count == 100
    assert usage.counts.cache_write_1h_token_count == 600
    assert usage.flags == frozenset()


@pytest.mark.parametrize(("whole", "five_minutes"), [(700, 100), (650, 90), (0, 90)])
def test_of_two_sums_of_writes_the_larger_holds(whole: int, five_minutes: int) -> None:
    split = {"ephemeral_5m_input_tokens": 90, "ephemeral_1h_input_tokens": 600}

    usage = reading(MESSAGES, message(cache_creation_input_tokens=whole, cache_creation=split))

    assert usage.counts.cache_write_token_count == five_minutes
    assert usage.counts.cache_write_1h_token_count == 600
    assert usage.flags == {UsageFlag.TOTAL_MISMATCH}


def test_searches_are_queries_and_fetches_are_free() -> None:
    tools = {"web_search_requests": 10, "web_fetch_requests": 3}

    assert reading(MESSAGES, message(server_tool_use=tools)).counts.query_count == 10


def test_a_compaction_is_billed_on_top() -> None:
    usage = reading(
        MESSAGES,
        {
            "input_tokens": 180,
            "output_tokens": 8,
            "iterations": [
                {
                    "type": "compaction",
                    "input_tokens": 100,
                    "output_tokens": 82,
                    "cache_creation_input_tokens": 55_096,
                    "cache_creation": {"ephemeral_5m_input_tokens": 55_096},
                },
                {"type": "message", "input_tokens": 180, "output_tokens": 8},
            ],
        },
    )

    assert tokens(usage) == {
        "uncached_input_token": 280,
        "cache_write_token": 55_096,
        "output_token": 90,
    }
    assert usage.counts.request_count == 1


def test_an_advisor_is_billed_at_its_own_prices() -> None:
    advisor = {"type": "advisor_message", "model": "claude-opus-4-8", "input_tokens": 2518}

    usage = reading(MESSAGES, message(iterations=[{**advisor, "output_tokens": 22}]))

    assert tokens(usage) == {"uncached_input_token": 6, "output_token": 489}
    assert usage.delegated == (
        DelegatedUsage(
            "claude-opus-4-8",
            UsageCounts(uncached_input_token_count=2518, output_token_count=22),
        ),
    )


def test_more_thinking_than_output_is_cut_and_flagged() -> None:
    usage = reading(MESSAGES, message(output_tokens_details={"thinking_tokens": 500}))

    assert tokens(usage) == {"uncached_input_token": 6, "reasoning_token": 489}
    assert usage.flags == {UsageFlag.PART_EXCEEDS_WHOLE}


def test_the_last_event_of_a_stream_alone_lacks_the_prompt() -> None:
    assert reading(MESSAGES, {"output_tokens": 5}).flags == {UsageFlag.PROMPT_MISSING}


@pytest.mark.parametrize("body", [None, {}, {"service_tier": "standard"}])
def test_nothing_told_is_not_zero(body: object) -> None:
    assert normalise(MESSAGES, body) is None
