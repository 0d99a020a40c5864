"""Gemini: cached tokens are inside the prompt, thoughts and prompts of tools beside.

Counts of 0 are left out. What the details by modality do not name is text. Documents are read as
images, and billed like them. Of what the cache served, audio alone has a price of its own.
"""

from collections.abc import Mapping

from steelyard_usage.provider_usage import ProviderUsage
from steelyard_usage.reading import Reading
from steelyard_usage.shares import Completion, Prompt
from steelyard_usage.untrusted import Section

_MEDIA = {"AUDIO": "audio", "IMAGE": "image", "DOCUMENT": "image", "VIDEO": "video"}
# The second name is that of embeddings or of the live API.
_PROMPT_DETAILS = ("promptTokensDetails", "promptTokenDetails")
_COMPLETION = ("candidatesTokenCount", "responseTokenCount")
_COMPLETION_DETAILS = ("candidatesTokensDetails", "responseTokensDetails")

_Media = Mapping[str, int]


def read_generate_content(body: Section) -> ProviderUsage | None:
    """Read the `usageMetadata` of a generated content."""
    prompt_tokens, candidates = body.count("promptTokenCount"), body.count(*_COMPLETION)
    thoughts = body.count("thoughtsTokenCount")
    if {prompt_tokens, candidates, thoughts} == {None}:
        return None
    return Reading(
        prompt=_prompt(body, prompt_tokens or 0),
        completion=Completion(
            whole=(candidates or 0) + (thoughts or 0),
            reasoning=thoughts or 0,
            **_media(body, *_COMPLETION_DETAILS),
        ),
        total=body.count("totalTokenCount"),
    ).usage(body)


def _prompt(body: Section, prompt_tokens: int) -> Prompt:
    sent, by_tools = _media(body, *_PROMPT_DETAILS), _media(body, "toolUsePromptTokensDetails")
    cached = _media(body, "cacheTokensDetails")
    uncached = {
        medium: max(0, sent[medium] + by_tools[medium] - cached[medium]) for medium in cached
    }
    return Prompt(
        whole=prompt_tokens + body.tokens("toolUsePromptTokenCount"),
        cache_read=body.tokens("cachedContentTokenCount"),
        audio_cache_read=cached["audio"],
        **uncached,
    )


def _media(body: Section, *names: str) -> _Media:
    """Return the tokens that are no text, by medium."""
    tokens = dict.fromkeys(_MEDIA.values(), 0)
    for entry in body.entries(*names):
        medium = _MEDIA.get(entry.text("modality").upper())
        count = entry.tokens("tokenCount")
        if medium is not None:
            tokens[medium] += count
    return tokens
