"""What a request shows of itself, and which capabilities that asks for."""

from dataclasses import dataclass, field
from enum import IntEnum

from steelyard_router.domain.capability import Capability, mask
from steelyard_router.domain.token_count import (
    MESSAGE_OVERHEAD,
    REPLY_OVERHEAD,
    TOOL_OVERHEAD,
    text_tokens,
)

_FREE_TOOL_CHOICES = frozenset({"", "none", "auto"})


class AnswerFormat(IntEnum):
    """Shape of the answer; numbers are those of the contract."""

    TEXT = 1
    JSON_OBJECT = 2
    JSON_SCHEMA = 3


@dataclass(frozen=True, slots=True)
class RequestShape:
    """A chat request without what it says: all that routing needs of it."""

    task_text: str = field(repr=False)
    """Text of the last message by the user: what the request is about."""
    text: str = field(repr=False)
    """Everything that becomes text tokens."""
    message_count: int = 1
    tool_count: int = 0
    tool_choice: str = ""
    parallel_tool_calls: bool = False
    answer_format: AnswerFormat = AnswerFormat.TEXT
    image_count: int = 0
    file_count: int = 0
    image_tokens: int = 0
    audio_tokens: int = 0
    video_tokens: int = 0
    file_tokens: int = 0
    max_output_tokens: int | None = None
    service_tier: str = ""
    model: str = ""

    @property
    def input_tokens(self) -> int:
        """Prompt tokens without images, audio and video."""
        return (
            text_tokens(self.text)
            + self.file_tokens
            + MESSAGE_OVERHEAD * self.message_count
            + REPLY_OVERHEAD
            + TOOL_OVERHEAD * self.tool_count
        )


def needed_capabilities(shape: RequestShape) -> int:
    """Return the mask of capabilities without which an offer cannot serve the request.

    A JSON object without a schema needs none: any chat model can be told to write one.
    """
    has_tools = shape.tool_count > 0
    needs = {
        Capability.TOOLS: has_tools,
        Capability.TOOL_CHOICE: has_tools and shape.tool_choice not in _FREE_TOOL_CHOICES,
        Capability.PARALLEL_TOOLS: has_tools and shape.parallel_tool_calls,
        Capability.STRUCTURED_OUTPUT: shape.answer_format is AnswerFormat.JSON_SCHEMA,
        Capability.VISION: shape.image_count > 0,
        Capability.PDF_INPUT: shape.file_count > 0,
        Capability.AUDIO_INPUT: shape.audio_tokens > 0,
        Capability.VIDEO_INPUT: shape.video_tokens > 0,
    }
    return mask(capability for capability, is_needed in needs.items() if is_needed)
