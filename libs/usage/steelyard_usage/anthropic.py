"""Anthropic's messages: cached tokens are beside the prompt, thinking is inside the completion.

With compaction or an advisor, one request samples several times. The counts on top are those of
the answer alone; `iterations` lists all samplings, and all are billed: a compaction at the prices
of the same model, an advisor at its own.
"""

from steelyard_usage.counts import UsageCounts
from steelyard_usage.provider_usage import DelegatedUsage, ProviderUsage, UsageFlag
from steelyard_usage.reading import Reading, checked
from steelyard_usage.shares import Completion, Prompt
from steelyard_usage.untrusted import Section

_MAX_MODEL = 200
_COMPACTION = "compaction"
_ADVISOR = "advisor_message"


def read_messages(body: Section) -> ProviderUsage | None:
    """Read the `usage` of a message."""
    input_tokens, output_tokens = body.count("input_tokens"), body.count("output_tokens")
    if input_tokens is None and output_tokens is None:
        return None
    extra, delegated, flags = _iterations(body)
    if input_tokens is None:
        flags |= {UsageFlag.PROMPT_MISSING}
    if _writes_disagree(body):
        flags |= {UsageFlag.TOTAL_MISMATCH}
    searches = body.section("server_tool_use").tokens("web_search_requests")
    return Reading(
        prompt=_prompt(body),
        completion=_completion(body),
        others=UsageCounts(query_count=searches) + extra,
        delegated=delegated,
        flags=flags,
    ).usage(body)


def _prompt(body: Section) -> Prompt:
    uncached, read = body.tokens("input_tokens"), body.tokens("cache_read_input_tokens")
    by_lifetime = body.section("cache_creation")
    hour = by_lifetime.tokens("ephemeral_1h_input_tokens")
    # Without a split all writes live five minutes; one that has more than their sum is believed.
    writes = max(
        body.tokens("cache_creation_input_tokens"),
        hour + by_lifetime.tokens("ephemeral_5m_input_tokens"),
    )
    return Prompt(
        whole=uncached + read + writes,
        cache_read=read,
        cache_write=writes - hour,
        cache_write_1h=hour,
    )


def _writes_disagree(body: Section) -> bool:
    by_lifetime = body.section("cache_creation")
    split = [
        by_lifetime.count("ephemeral_5m_input_tokens"),
        by_lifetime.count("ephemeral_1h_input_tokens"),
    ]
    if split == [None, None]:
        return False
    return body.tokens("cache_creation_input_tokens") != sum(part or 0 for part in split)


def _completion(body: Section) -> Completion:
    return Completion(
        whole=body.tokens("output_tokens"),
        reasoning=body.section("output_tokens_details").tokens("thinking_tokens"),
    )


def _iterations(
    body: Section,
) -> tuple[UsageCounts, tuple[DelegatedUsage, ...], frozenset[UsageFlag]]:
    """Return what compactions used, what advisors used, and what is odd about either."""
    compactions = UsageCounts()
    advisors: list[DelegatedUsage] = []
    flags: frozenset[UsageFlag] = frozenset()
    for iteration in body.entries("iterations"):
        kind = iteration.text("type")
        if kind not in {_COMPACTION, _ADVISOR}:
            continue
        prompt, completion = _prompt(iteration), _completion(iteration)
        counts = checked(prompt.counts() + completion.counts())
        if prompt.is_overdrawn or completion.is_overdrawn:
            flags |= {UsageFlag.PART_EXCEEDS_WHOLE}
        if kind == _COMPACTION:
            compactions += counts
        else:
            advisors.append(DelegatedUsage(iteration.text("model")[:_MAX_MODEL], counts))
    return compactions, tuple(advisors), flags
