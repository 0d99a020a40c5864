"""The formats of OpenAI, which most providers speak.

Cached tokens and those of media are inside the prompt, cached audio inside both, which the realtime
API alone tells. Reasoning is inside the completion, except
at xAI and at Gemini's compatible endpoint, where the total gives it away.
"""

from dataclasses import dataclass

from steelyard_usage.counts import UsageCounts
from steelyard_usage.provider_usage import ProviderUsage, UsageFlag
from steelyard_usage.reading import Reading
from steelyard_usage.shares import Completion, Prompt
from steelyard_usage.untrusted import Section


@dataclass(frozen=True, slots=True)
class _Names:
    """What the parts of a body are called, the usual name first."""

    prompt: str
    completion: str
    prompt_details: tuple[str, ...]
    completion_details: tuple[str, ...]


_CHAT = _Names(
    "prompt_tokens",
    "completion_tokens",
    ("prompt_tokens_details", "prompt_token_details"),
    ("completion_tokens_details", "completion_token_details"),
)
# The singular is that of transcriptions and of the realtime API.
_RESPONSES = _Names(
    "input_tokens",
    "output_tokens",
    ("input_tokens_details", "input_token_details"),
    ("output_tokens_details", "output_token_details"),
)
# DeepSeek, Moonshot and Together, xAI. Mistral's `num_cached_tokens` is none of these: it counts
# what its servers had at hand (9 of 10 tokens), while the discount is for whole blocks of 64, which
# `prompt_tokens_details` tells since there is one.
_CACHED = ("prompt_cache_hit_tokens", "cached_tokens", "cached_prompt_text_tokens")


def read_chat(body: Section) -> ProviderUsage | None:
    """Read the `usage` of a chat completion, an embedding or a legacy completion."""
    return _read(body, _CHAT)


def read_responses(body: Section) -> ProviderUsage | None:
    """Read the `usage` of a response, an image or a transcription."""
    return _read(body, _RESPONSES)


def read_xai(body: Section) -> ProviderUsage | None:
    """Read the `usage` of a chat completion whose reasoning is beside the completion."""
    return _read(body, _CHAT, is_reasoning_beside=True)


def _read(
    body: Section, names: _Names, *, is_reasoning_beside: bool = False
) -> ProviderUsage | None:
    prompt_tokens, completion_tokens = _prompt_tokens(body, names), body.count(names.completion)
    if prompt_tokens is None and completion_tokens is None:
        return None
    total = body.count("total_tokens")
    completion, flags = _completion(
        body.section(*names.completion_details),
        completion_tokens,
        # What the total has on top of the prompt; nothing, unless both are told.
        None if total is None or prompt_tokens is None else total - prompt_tokens,
        is_reasoning_beside=is_reasoning_beside,
    )
    if prompt_tokens is None:
        flags |= {UsageFlag.PROMPT_MISSING}
    return Reading(
        prompt=_prompt(body, names, prompt_tokens or 0),
        completion=completion,
        others=UsageCounts(query_count=_queries(body)),
        total=total,
        flags=flags,
    ).usage(body)


def _prompt_tokens(body: Section, names: _Names) -> int | None:
    tokens = body.count(names.prompt)
    if tokens is not None:
        return tokens
    hits, misses = body.count("prompt_cache_hit_tokens"), body.count("prompt_cache_miss_tokens")
    return None if hits is None or misses is None else hits + misses


def _prompt(body: Section, names: _Names, whole: int) -> Prompt:
    details = body.section(*names.prompt_details)
    cached = details.count("cached_tokens")
    audio = details.tokens("audio_tokens")
    cached_audio = details.section("cached_tokens_details").tokens("audio_tokens")
    return Prompt(
        whole=whole,
        cache_read=body.tokens(*_CACHED) if cached is None else cached,
        cache_write=details.tokens("cache_write_tokens"),
        audio_cache_read=cached_audio,
        audio=max(0, audio - cached_audio),
        image=details.tokens("image_tokens"),
        video=details.tokens("video_tokens"),
    )


def _completion(
    details: Section, told: int | None, by_total: int | None, *, is_reasoning_beside: bool
) -> tuple[Completion, frozenset[UsageFlag]]:
    """Return the completion with all reasoning inside.

    Args:
        details: What the completion consists of.
        told: Its tokens, None when absent.
        by_total: Its tokens as the total has them, None when unknown.
        is_reasoning_beside: Where reasoning is when the total does not tell.
    """
    whole = told or 0
    reasoning = details.tokens("reasoning_tokens")
    flags: frozenset[UsageFlag] = frozenset()
    beside = reasoning if is_reasoning_beside else 0
    if by_total is not None:
        beside = reasoning if by_total == whole + reasoning else 0
        if told is not None and reasoning == 0 and by_total > whole:
            beside = reasoning = by_total - whole
            flags = frozenset({UsageFlag.REASONING_INFERRED})
    completion = Completion(
        whole=whole + beside,
        reasoning=reasoning,
        audio=details.tokens("audio_tokens"),
        image=details.tokens("image_tokens"),
        video=details.tokens("video_tokens"),
    )
    return completion, flags


def _queries(body: Section) -> int:
    """Return web searches: those of OpenRouter, and Perplexity's."""
    tools = body.section("server_tool_use")
    searches = tools.count("web_search_requests")
    return body.tokens("num_search_queries") if searches is None else searches
