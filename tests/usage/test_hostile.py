"""Bodies of strangers: a usage, None or one typed error, and never a class that is wrong."""

import contextlib
from dataclasses import astuple
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard_usage.conventions import Convention, normalise
from steelyard_usage.counts import MAX_COUNT
from steelyard_usage.provider_usage import UsageFlag
from steelyard_usage.untrusted import MAX_ENTRIES, UsageFormatError, UsageProblem
from tests.usage.builders import reading

NAMES = (
    *("prompt_tokens", "completion_tokens", "total_tokens", "prompt_tokens_details"),
    *("completion_tokens_details", "cached_tokens", "cache_write_tokens", "reasoning_tokens"),
    *("audio_tokens", "image_tokens", "video_tokens", "prompt_cache_hit_tokens"),
    *("prompt_cache_miss_tokens", "input_tokens", "output_tokens", "input_tokens_details"),
    *("output_tokens_details", "cache_read_input_tokens", "cache_creation_input_tokens"),
    *("cache_creation", "ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens", "iterations"),
    *("type", "model", "thinking_tokens", "server_tool_use", "web_search_requests"),
    *("promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount", "totalTokenCount"),
    *("cachedContentTokenCount", "promptTokensDetails", "cacheTokensDetails", "modality"),
    *("tokenCount", "toolUsePromptTokenCount", "inputTokens", "outputTokens", "totalTokens"),
    *("cacheReadInputTokens", "cacheWriteInputTokens", "cacheDetails", "ttl"),
    *("billed_units", "search_units", "prompt_eval_count", "eval_count", "cost", "cost_details"),
    *("upstream_inference_cost", "is_byok", "total_cost"),
)
COUNTS = st.integers(0, 3000) | st.sampled_from([MAX_COUNT, MAX_COUNT - 1])
WORDS = st.sampled_from(["compaction", "advisor_message", "AUDIO", "IMAGE", "1h", "5m"])
NUMBERS = st.integers() | st.floats() | st.decimals()
SCALARS = COUNTS | WORDS | NUMBERS | st.none() | st.booleans() | st.text()


def bodies(scalars: st.SearchStrategy[object]) -> st.SearchStrategy[dict[str, object]]:
    values: st.SearchStrategy[object] = st.recursive(
        scalars,
        lambda inner: (
            st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=6)
        ),
        max_leaves=12,
    )
    return st.dictionaries(st.sampled_from(NAMES), values, max_size=12)


@given(convention=st.sampled_from(Convention), body=bodies(SCALARS) | SCALARS)
def test_any_body_is_a_usage_or_nothing_or_one_error(convention: Convention, body: object) -> None:
    usage = None
    with contextlib.suppress(UsageFormatError):
        usage = normalise(convention, body)
    if usage is not None:
        for counts in (usage.counts, *(each.counts for each in usage.delegated)):
            assert all(type(count) is int and 0 <= count <= MAX_COUNT for count in astuple(counts))
            assert max(counts.prompt_tokens, counts.completion_tokens) <= MAX_COUNT


@given(
    prompt=COUNTS,
    completion=COUNTS,
    inside=st.dictionaries(st.sampled_from(NAMES[5:11]), COUNTS),
    made=st.dictionaries(st.sampled_from(NAMES[7:11]), COUNTS),
)
def test_parts_add_up_to_their_whole_whatever_they_claim(
    prompt: int, completion: int, inside: dict[str, int], made: dict[str, int]
) -> None:
    usage = reading(
        Convention.OPENAI_CHAT,
        {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "prompt_tokens_details": inside,
            "completion_tokens_details": made,
        },
    )

    assert usage.counts.prompt_tokens == prompt
    assert usage.counts.completion_tokens == completion
    if sum(made.values()) > completion:
        assert usage.flags == {UsageFlag.PART_EXCEEDS_WHOLE}


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (-1, UsageProblem.NEGATIVE),
        (-0.5, UsageProblem.NEGATIVE),
        (MAX_COUNT + 1, UsageProblem.TOO_LARGE),
        (10**400, UsageProblem.TOO_LARGE),
        (Decimal("1e999999"), UsageProblem.TOO_LARGE),
        (float("inf"), UsageProblem.NOT_A_COUNT),
        (float("nan"), UsageProblem.NOT_A_COUNT),
        (Decimal("sNaN"), UsageProblem.NOT_A_COUNT),
        (1.5, UsageProblem.NOT_A_COUNT),
        (True, UsageProblem.NOT_A_COUNT),
        ("12", UsageProblem.NOT_A_COUNT),
        ([12], UsageProblem.NOT_A_COUNT),
        ({}, UsageProblem.NOT_A_COUNT),
    ],
)
def test_what_is_no_count_is_refused_with_its_place(value: object, problem: UsageProblem) -> None:
    body = {"prompt_tokens": 1, "prompt_tokens_details": {"cached_tokens": value}}

    with pytest.raises(UsageFormatError) as caught:
        normalise(Convention.OPENAI_CHAT, body)

    assert len(str(caught.value)) < 300
    assert caught.value.place == "usage.prompt_tokens_details.cached_tokens"
    assert caught.value.problem is problem


@pytest.mark.parametrize("value", [12, 12.0, Decimal("12.0"), Decimal("1.2e1")])
def test_whole_numbers_are_counts_however_they_are_written(value: object) -> None:
    usage = reading(Convention.OPENAI_CHAT, {"prompt_tokens": value})

    assert usage.counts.uncached_input_token_count == 12
    assert type(usage.counts.uncached_input_token_count) is int


@pytest.mark.parametrize("body", [[], "usage", 5, True, [{"prompt_tokens": 1}]])
def test_what_is_no_object_is_refused(body: object) -> None:
    for convention in Convention:
        with pytest.raises(UsageFormatError) as caught:
            normalise(convention, body)
        assert caught.value.problem is UsageProblem.NOT_AN_OBJECT


def test_details_that_are_no_list_or_too_long_are_refused() -> None:
    for details, problem in (
        ({}, UsageProblem.NOT_A_LIST),
        ([{}] * (MAX_ENTRIES + 1), UsageProblem.TOO_LARGE),
        ([5], UsageProblem.NOT_AN_OBJECT),
    ):
        with pytest.raises(UsageFormatError) as caught:
            normalise(Convention.GEMINI, {"promptTokenCount": 1, "promptTokensDetails": details})
        assert caught.value.problem is problem


def test_counts_that_are_too_large_together_are_refused() -> None:
    body = {"promptTokenCount": MAX_COUNT, "toolUsePromptTokenCount": 1}

    with pytest.raises(UsageFormatError) as caught:
        normalise(Convention.GEMINI, body)

    assert caught.value.problem is UsageProblem.TOO_LARGE


def test_the_largest_counts_are_read() -> None:
    body = {"prompt_tokens": MAX_COUNT, "completion_tokens": MAX_COUNT}

    assert reading(Convention.OPENAI_CHAT, body).counts.completion_tokens == MAX_COUNT
