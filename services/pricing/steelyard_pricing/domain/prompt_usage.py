"""What a prompt text uses at an offer, estimated."""

from steelyard_common.tokens import estimate_tokens
from steelyard_pricing.domain.components import USAGE_CLASSES
from steelyard_pricing.domain.modes import Mode

DEFAULT_OUTPUT_TOKENS = 500

_INDEX = {usage_class.name: index for index, usage_class in enumerate(USAGE_CLASSES)}


def usage_of_prompt(prompt: str, mode: Mode, output_tokens: int | None) -> tuple[int, ...]:
    """Return counts in the order of USAGE_CLASSES.

    Args:
        prompt: The text that is sent.
        mode: Of the offer: speech is charged by character, a search by query.
        output_tokens: Completion to expect; None means the default of modes that write text.
    """
    if output_tokens is None:
        # An offer whose mode is not told is most likely one that talks.
        writes_text = mode.writes_text or mode is Mode.UNSPECIFIED
        output_tokens = DEFAULT_OUTPUT_TOKENS if writes_text else 0
    counts = [0] * len(USAGE_CLASSES)
    counts[_INDEX["uncached_input_token"]] = estimate_tokens(prompt)
    counts[_INDEX["output_token"]] = output_tokens
    if mode is Mode.SPEECH:
        counts[_INDEX["input_character"]] = len(prompt)
    if mode in {Mode.RERANK, Mode.SEARCH}:
        counts[_INDEX["query"]] = 1
    return tuple(counts)
