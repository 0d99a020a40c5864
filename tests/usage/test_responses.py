"""Where responses and streams keep their usage."""

import pytest

from steelyard_usage.conventions import Convention
from steelyard_usage.responses import merged, usage_body
from steelyard_usage.untrusted import MAX_ENTRIES, UsageFormatError
from tests.usage.builders import reading, tokens


def of_stream(convention: Convention, events: list[object]) -> dict[str, int]:
    body = merged(usage_body(convention, event) for event in events)
    return tokens(reading(convention, body))


def test_openai_tells_at_the_end_of_a_stream() -> None:
    events: list[object] = [
        {"choices": [{"delta": {"content": "4"}}], "usage": None},
        {"choices": [{"delta": {"content": "2"}}]},
        {"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 2}},
    ]

    assert of_stream(Convention.OPENAI_CHAT, events) == {
        "uncached_input_token": 9,
        "output_token": 2,
    }


def test_running_totals_are_not_added() -> None:
    events: list[object] = [
        {"usage": {"prompt_tokens": 9, "completion_tokens": made}} for made in (1, 2, 3)
    ]

    assert of_stream(Convention.OPENAI_CHAT, events)["output_token"] == 3


def test_groq_tells_in_a_field_of_its_own() -> None:
    events: list[object] = [{"x_groq": {"usage": {"prompt_tokens": 9, "completion_tokens": 2}}}]

    assert of_stream(Convention.OPENAI_CHAT, events)["output_token"] == 2


def test_responses_tell_in_the_completed_response() -> None:
    events: list[object] = [
        {"type": "response.created", "response": {"usage": None}},
        {
            "type": "response.completed",
            "response": {"usage": {"input_tokens": 3, "output_tokens": 4}},
        },
    ]

    assert of_stream(Convention.OPENAI_RESPONSES, events) == {
        "uncached_input_token": 3,
        "output_token": 4,
    }


def test_anthropic_tells_the_prompt_first_and_the_output_last() -> None:
    start = {
        "input_tokens": 25,
        "cache_read_input_tokens": 900,
        "cache_creation_input_tokens": 40,
        "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 40},
        "output_tokens": 1,
    }
    events: list[object] = [
        {"type": "message_start", "message": {"usage": start}},
        {"type": "content_block_delta", "delta": {"text": "hi"}},
        {"type": "message_delta", "usage": {"output_tokens": 15, "input_tokens": None}},
    ]

    assert of_stream(Convention.ANTHROPIC_MESSAGES, events) == {
        "uncached_input_token": 25,
        "cache_read_token": 900,
        "cache_write_1h_token": 40,
        "output_token": 15,
    }


def test_gemini_leaves_out_what_did_not_change() -> None:
    events: list[object] = [
        {"usageMetadata": {"promptTokenCount": 8, "totalTokenCount": 8}},
        {
            "usageMetadata": {
                "candidatesTokenCount": 5,
                "thoughtsTokenCount": 30,
                "totalTokenCount": 43,
            }
        },
    ]

    assert of_stream(Convention.GEMINI, events) == {
        "uncached_input_token": 8,
        "output_token": 5,
        "reasoning_token": 30,
    }


@pytest.mark.parametrize(
    ("convention", "response"),
    [
        (Convention.BEDROCK_CONVERSE, {"usage": {"inputTokens": 1, "outputTokens": 2}}),
        (
            Convention.BEDROCK_CONVERSE,
            {"metadata": {"usage": {"inputTokens": 1, "outputTokens": 2}}},
        ),
        (
            Convention.COHERE,
            {"delta": {"usage": {"billed_units": {"input_tokens": 1, "output_tokens": 2}}}},
        ),
        (Convention.OLLAMA, {"done": True, "prompt_eval_count": 1, "eval_count": 2}),
    ],
)
def test_each_format_has_its_place(convention: Convention, response: object) -> None:
    assert of_stream(convention, [response]) == {"uncached_input_token": 1, "output_token": 2}


@pytest.mark.parametrize("convention", Convention)
@pytest.mark.parametrize("response", [None, [], "usage", 5, {"metadata": "none"}])
def test_a_response_without_usage_has_none(convention: Convention, response: object) -> None:
    if convention is not Convention.OLLAMA:
        assert usage_body(convention, response) is None


def test_a_stream_that_tells_nothing_has_no_usage() -> None:
    assert merged([None, {}, None]) is None


@pytest.mark.parametrize("body", [[], "5", 5, True])
def test_a_body_in_a_stream_that_is_no_object_is_refused(body: object) -> None:
    with pytest.raises(UsageFormatError):
        merged([{"prompt_tokens": 1}, body])


def test_a_stream_cannot_pile_up_fields() -> None:
    with pytest.raises(UsageFormatError):
        merged({f"field{index}": 1} for index in range(MAX_ENTRIES + 1))
