"""Bedrock's Converse: cached tokens are beside the prompt, reasoning is not told apart."""

from steelyard_usage.provider_usage import ProviderUsage, UsageFlag
from steelyard_usage.reading import Reading
from steelyard_usage.shares import Completion, Prompt
from steelyard_usage.untrusted import Section

# Some answers have both names, with the same count.
_READ = ("cacheReadInputTokens", "cacheReadInputTokenCount")
_WRITE = ("cacheWriteInputTokens", "cacheWriteInputTokenCount")


def read_converse(body: Section) -> ProviderUsage | None:
    """Read the `usage` of a conversation's turn."""
    uncached, output_tokens = body.count("inputTokens"), body.count("outputTokens")
    if uncached is None and output_tokens is None:
        return None
    return Reading(
        prompt=_prompt(body, uncached or 0),
        completion=Completion(whole=output_tokens or 0),
        total=body.count("totalTokens"),
        flags=frozenset({UsageFlag.PROMPT_MISSING} if uncached is None else ()),
    ).usage(body)


def _prompt(body: Section, uncached: int) -> Prompt:
    read = body.tokens(*_READ)
    by_lifetime = {"5m": 0, "1h": 0}
    for entry in body.entries("cacheDetails"):
        lifetime = "1h" if entry.text("ttl") == "1h" else "5m"
        by_lifetime[lifetime] += entry.tokens("inputTokens")
    writes = max(body.tokens(*_WRITE), sum(by_lifetime.values()))
    return Prompt(
        whole=uncached + read + writes,
        cache_read=read,
        cache_write=writes - by_lifetime["1h"],
        cache_write_1h=by_lifetime["1h"],
    )
