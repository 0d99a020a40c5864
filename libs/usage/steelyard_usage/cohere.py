"""Cohere: `billed_units` are what is charged; `tokens` also count what Cohere adds for free."""

from steelyard_usage.counts import UsageCounts
from steelyard_usage.provider_usage import ProviderUsage
from steelyard_usage.reading import Reading
from steelyard_usage.shares import Completion, Prompt
from steelyard_usage.untrusted import Section


def read_cohere(body: Section) -> ProviderUsage | None:
    """Read the `usage` of a chat, or the `meta` of an embedding or a ranking.

    Cached tokens are not told apart: they are counted among `tokens`, of which the billed ones are
    a part that nobody names.
    """
    billed = body.section("billed_units", "tokens")
    input_tokens, output_tokens = billed.count("input_tokens"), billed.count("output_tokens")
    images, searches = billed.count("image_tokens"), billed.count("search_units")
    if {input_tokens, output_tokens, images, searches} == {None}:
        return None
    return Reading(
        # The tokens of images are beside those of text.
        prompt=Prompt(whole=(input_tokens or 0) + (images or 0), image=images or 0),
        completion=Completion(whole=output_tokens or 0),
        others=UsageCounts(query_count=searches or 0),
    ).usage(body)
