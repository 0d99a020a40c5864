"""Ollama's own format: the counts are fields of the answer itself, and of its last part."""

from steelyard_usage.provider_usage import ProviderUsage, UsageFlag
from steelyard_usage.reading import Reading
from steelyard_usage.shares import Completion, Prompt
from steelyard_usage.untrusted import Section


def read_ollama(body: Section) -> ProviderUsage | None:
    """Read a whole answer."""
    prompt_tokens, output_tokens = body.count("prompt_eval_count"), body.count("eval_count")
    if prompt_tokens is None and output_tokens is None:
        return None
    return Reading(
        prompt=Prompt(whole=prompt_tokens or 0),
        completion=Completion(whole=output_tokens or 0),
        flags=frozenset({UsageFlag.PROMPT_MISSING} if prompt_tokens is None else ()),
    ).usage(body)
