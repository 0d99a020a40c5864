"""Kinds of work and capabilities, numbered as in the contract (a test holds that)."""

from enum import IntEnum


class Mode(IntEnum):
    """The kind of work that an offer sells; offers of different modes are never compared."""

    UNSPECIFIED = 0
    CHAT = 1
    COMPLETION = 2
    EMBEDDING = 3
    RERANK = 4
    IMAGE = 5
    VIDEO = 6
    TRANSCRIPTION = 7
    SPEECH = 8
    MODERATION = 9
    REALTIME = 10
    OCR = 11
    SEARCH = 12
    OTHER = 13

    @property
    def writes_text(self) -> bool:
        """Whether an answer is made of completion tokens."""
        return self in _WRITING


_WRITING = frozenset({Mode.CHAT, Mode.COMPLETION, Mode.REALTIME})


class Capability(IntEnum):
    """Something that a request may need and an offer may lack."""

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
