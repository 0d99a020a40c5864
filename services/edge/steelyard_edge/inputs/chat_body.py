"""A chat request as OpenAI's clients send it, checked while it is read; the rest is ignored."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

MAX_MESSAGES = 2048
MAX_TOKENS = 50_000_000
MAX_INT64 = 2**63 - 1

TokenCount = Annotated[int, Meta(ge=1, le=MAX_TOKENS)]


class ImageUrl(Struct, frozen=True):
    """Where an image is: a URL, or a `data:` URL with its bytes."""

    url: str
    detail: str | None = None


class InputAudio(Struct, frozen=True):
    """A sound, in base 64."""

    data: str
    format: str = "wav"


class InputFile(Struct, frozen=True):
    """A file: a `data:` URL with its bytes, or the id that a provider gave it."""

    file_data: str | None = None
    filename: str | None = None
    file_id: str | None = None


class TextPart(Struct, frozen=True, tag="text"):
    """Text."""

    text: str


class RefusalPart(Struct, frozen=True, tag="refusal"):
    """Why the assistant refused."""

    refusal: str


class ImagePart(Struct, frozen=True, tag="image_url"):
    """An image."""

    image_url: ImageUrl


class AudioPart(Struct, frozen=True, tag="input_audio"):
    """A sound."""

    input_audio: InputAudio


class FilePart(Struct, frozen=True, tag="file"):
    """A file, such as a PDF."""

    file: InputFile


class VideoPart(Struct, frozen=True, tag="video_url"):
    """A video."""

    video_url: ImageUrl


Part = TextPart | RefusalPart | ImagePart | AudioPart | FilePart | VideoPart


class CalledFunction(Struct, frozen=True):
    """A function with its arguments, as JSON text."""

    name: str
    arguments: str = ""


class ToolCall(Struct, frozen=True):
    """A call that the assistant made."""

    id: str
    function: CalledFunction


class Message(Struct, frozen=True):
    """One turn of the conversation."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[Part] | None = None
    name: str | None = None
    tool_calls: list[ToolCall] | None = None
    tool_call_id: str | None = None
    refusal: str | None = None


class Function(Struct, frozen=True):
    """A function that the model may call; `parameters` is a JSON schema."""

    name: Annotated[str, Meta(min_length=1)]
    description: str | None = None
    parameters: msgspec.Raw = msgspec.field(default_factory=msgspec.Raw)
    strict: bool | None = None


class Tool(Struct, frozen=True):
    """A tool; functions are the only kind."""

    function: Function
    type: Literal["function"] = "function"


class NamedFunction(Struct, frozen=True):
    """A function by name."""

    name: str


class NamedTool(Struct, frozen=True):
    """The tool that must be called."""

    function: NamedFunction
    type: Literal["function"] = "function"


class JsonSchema(Struct, frozen=True):
    """The schema that an answer must follow."""

    schema: msgspec.Raw = msgspec.field(default_factory=msgspec.Raw)
    name: str | None = None
    strict: bool | None = None


class ResponseFormat(Struct, frozen=True):
    """The shape of the answer."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: JsonSchema | None = None


class ChatBody(Struct, frozen=True, kw_only=True):
    """The part of a chat request that a decision depends on."""

    messages: Annotated[list[Message], Meta(min_length=1, max_length=MAX_MESSAGES)]
    model: str | None = None
    tools: list[Tool] | None = None
    tool_choice: Literal["none", "auto", "required"] | NamedTool | None = None
    response_format: ResponseFormat | None = None
    max_tokens: TokenCount | None = None
    max_completion_tokens: TokenCount | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    stop: str | Annotated[list[str], Meta(max_length=4)] | None = None
    seed: Annotated[int, Meta(ge=-MAX_INT64, le=MAX_INT64)] | None = None
    reasoning_effort: str | None = None
    service_tier: str | None = None
    parallel_tool_calls: bool | None = None
