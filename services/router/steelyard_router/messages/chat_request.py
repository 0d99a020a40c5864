"""A ChatRequest as the shape that routing looks at; what it says is not kept."""

from collections.abc import Iterable, Sequence
from typing import Final

from steelyard.router.v1 import chat_pb2
from steelyard_router.domain.model_choice import ModelChoice, UnknownChoiceError, parse_model
from steelyard_router.domain.requirements import AnswerFormat, RequestShape
from steelyard_router.domain.token_count import (
    audio_tokens,
    file_tokens,
    image_tokens,
    video_tokens,
)
from steelyard_router.messages.violations import Violations

MAX_MESSAGES: Final = 2048
MAX_TOOLS: Final = 1024
MAX_STOPS: Final = 4
MAX_TOKENS: Final = 50_000_000
MAX_NAME: Final = 256
REASONING_EFFORTS: Final = ("none", "minimal", "low", "medium", "high", "xhigh")
SERVICE_TIERS: Final = ("standard", "flex", "priority", "batch")
_TOOL_CHOICES = ("none", "auto", "required")
_ROLES = frozenset(chat_pb2.Role.values())
_FORMATS = frozenset(chat_pb2.ResponseFormatType.values())


def check_request(request: chat_pb2.ChatRequest, violations: Violations) -> None:
    """Note what is wrong with a request."""
    violations.at_most("request.messages", len(request.messages), MAX_MESSAGES, "messages")
    violations.at_most("request.tools", len(request.tools), MAX_TOOLS, "functions")
    violations.at_most("request.stop", len(request.stop), MAX_STOPS, "strings")
    violations.one_of("request.service_tier", request.service_tier, SERVICE_TIERS)
    violations.one_of("request.reasoning_effort", request.reasoning_effort, REASONING_EFFORTS)
    if request.HasField("max_output_token_count"):
        field, count = "request.max_output_token_count", request.max_output_token_count
        violations.range(field, count, 1, MAX_TOKENS)
    if request.HasField("temperature"):
        violations.range("request.temperature", request.temperature, 0, 2)
    if request.HasField("top_p"):
        violations.range("request.top_p", request.top_p, 0, 1)
    _check_enums(request, violations)
    _check_tool_choice(request, violations)


def _check_enums(request: chat_pb2.ChatRequest, violations: Violations) -> None:
    if not _ROLES.issuperset(message.role for message in request.messages):
        for index, message in enumerate(request.messages):
            violations.number_of(f"request.messages[{index}].role", message.role, _ROLES)
    shape = request.response_format
    violations.number_of("request.response_format.type", shape.type, _FORMATS)
    if shape.type == chat_pb2.RESPONSE_FORMAT_TYPE_JSON_SCHEMA and not shape.schema_json:
        violations.add("request.response_format.schema_json", "is required with JSON_SCHEMA")


def _check_tool_choice(request: chat_pb2.ChatRequest, violations: Violations) -> None:
    choice = request.tool_choice
    if not choice or choice in _TOOL_CHOICES:
        if choice == "required" and not request.tools:
            violations.add("request.tool_choice", "needs request.tools")
    elif choice not in {tool.name for tool in request.tools}:
        violations.add(
            "request.tool_choice", "must be none, auto, required or the name of one of the tools"
        )


def to_model_choice(request: chat_pb2.ChatRequest, violations: Violations) -> ModelChoice:
    """Return what the request's `model` says; nothing where that is a fault."""
    if len(request.model) > MAX_NAME:
        violations.add("request.model", f"must have at most {MAX_NAME} characters")
        return ModelChoice()
    try:
        return parse_model(request.model)
    except UnknownChoiceError as error:
        violations.add("request.model", str(error))
        return ModelChoice()


def to_shape(request: chat_pb2.ChatRequest) -> RequestShape:
    """Return the shape of a request that was found good."""
    parts = [part for message in request.messages for part in message.parts]
    media = _media(parts) if parts else {}
    images = media.get("image", ())
    files = media.get("file", ())
    limit = request.max_output_token_count if request.HasField("max_output_token_count") else None
    return RequestShape(
        task_text=_task_text(request.messages),
        text="\n".join(_texts(request)),
        message_count=len(request.messages),
        tool_count=len(request.tools),
        tool_choice=request.tool_choice,
        parallel_tool_calls=request.parallel_tool_calls,
        answer_format=AnswerFormat(request.response_format.type or AnswerFormat.TEXT),
        image_count=len(images),
        file_count=len(files),
        image_tokens=sum(
            image_tokens(each.detail, each.width_pixel_count, each.height_pixel_count)
            for each in images
        ),
        audio_tokens=sum(audio_tokens(len(each.data)) for each in media.get("audio", ())),
        video_tokens=sum(video_tokens(len(each.data)) for each in media.get("video", ())),
        file_tokens=sum(file_tokens(len(each.data)) for each in files),
        max_output_tokens=limit,
        service_tier=request.service_tier,
    )


def _task_text(messages: Sequence[chat_pb2.Message]) -> str:
    """Return what the user said last; what anybody said last when no user did."""
    for message in reversed(messages):
        if message.role == chat_pb2.ROLE_USER:
            return _message_text(message)
    return _message_text(messages[-1])


def _message_text(message: chat_pb2.Message) -> str:
    if not message.parts:
        return message.text
    return "\n".join(part.text for part in message.parts if part.text)


def _texts(request: chat_pb2.ChatRequest) -> Iterable[str]:
    for message in request.messages:
        yield _message_text(message)
        for call in message.tool_calls:
            yield f"{call.name} {call.arguments_json}"
    for tool in request.tools:
        yield f"{tool.name} {tool.description} {tool.parameters_json}"
    if request.response_format.schema_json:
        yield request.response_format.schema_json


def _media(parts: Iterable[chat_pb2.ContentPart]) -> dict[str, list[chat_pb2.Media]]:
    found: dict[str, list[chat_pb2.Media]] = {}
    for part in parts:
        kind = part.WhichOneof("content")
        if kind is not None and kind != "text":
            found.setdefault(kind, []).append(getattr(part, kind))
    return found
