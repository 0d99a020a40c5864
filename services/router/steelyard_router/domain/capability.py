"""What an offer can do, as bits of one integer: bit n is number n of the contract's Capability."""

from collections.abc import Iterable, Iterator
from enum import IntEnum


class Capability(IntEnum):
    """Capabilities; numbers are those of the contract."""

    TOOLS = 1
    TOOL_CHOICE = 2
    PARALLEL_TOOLS = 3
    STRUCTURED_OUTPUT = 4
    VISION = 5
    PDF_INPUT = 6
    AUDIO_INPUT = 7
    AUDIO_OUTPUT = 8
    VIDEO_INPUT = 9
    IMAGE_OUTPUT = 10
    REASONING = 11
    PROMPT_CACHING = 12
    WEB_SEARCH = 13
    COMPUTER_USE = 14
    SYSTEM_MESSAGES = 15
    ASSISTANT_PREFILL = 16
    STREAMING = 17


def mask(capabilities: Iterable[int]) -> int:
    """Return the bits of some capabilities."""
    bits = 0
    for capability in capabilities:
        bits |= 1 << capability
    return bits


def members(bits: int) -> Iterator[Capability]:
    """Yield the capabilities of a mask, by number."""
    return (capability for capability in Capability if bits >> capability & 1)


def words(bits: int) -> str:
    """Return a mask for people, e.g. `tools, vision`."""
    return ", ".join(capability.name.lower().replace("_", " ") for capability in members(bits))
