"""A chat request in OpenAI's terms, turned into the router's."""

import base64
import binascii
from collections.abc import Iterable, Sequence

import msgspec

from steelyard.router.v1 import chat_pb2 as pb
from steelyard_common.errors import InvalidFieldError
from steelyard_edge.inputs import chat_body as body

ROLES = {
    "system": pb.ROLE_SYSTEM,
    "developer": pb.ROLE_SYSTEM,
    "user": pb.ROLE_USER,
    "assistant": pb.ROLE_ASSISTANT,
    "tool": pb.ROLE_TOOL,
    "function": pb.ROLE_TOOL,
}
RESPONSE_FORMATS = {
    "text": pb.RESPONSE_FORMAT_TYPE_TEXT,
    "json_object": pb.RESPONSE_FORMAT_TYPE_JSON_OBJECT,
    "json_schema": pb.RESPONSE_FORMAT_TYPE_JSON_SCHEMA,
}
# What OpenAI calls the tier that everybody else calls standard.
STANDARD_SERVICE_TIERS = frozenset({"auto", "default"})

_DATA_URL = "data:"
_BASE64 = ";base64"


def to_chat_request(chat: body.ChatBody) -> pb.ChatRequest:
    """Return the request as the router takes it.

    Raises:
        InvalidFieldError: Media are not base 64.
    """
    request = pb.ChatRequest(
        messages=[_message(f"messages[{i}]", each) for i, each in enumerate(chat.messages)],
        model=chat.model or "",
        tools=[_tool(each.function) for each in chat.tools or ()],
        tool_choice=_tool_choice(chat.tool_choice),
        max_output_token_count=chat.max_completion_tokens or chat.max_tokens,
        temperature=chat.temperature,
        top_p=chat.top_p,
        stop=_stop(chat.stop),
        seed=chat.seed,
        reasoning_effort=chat.reasoning_effort or "",
        service_tier=_service_tier(chat.service_tier),
        parallel_tool_calls=chat.parallel_tool_calls,
    )
    if chat.response_format is not None:
        request.response_format.CopyFrom(_response_format(chat.response_format))
    return request


def _message(path: str, message: body.Message) -> pb.Message:
    content = message.content
    parts = content if isinstance(content, list) else []
    refusals = [part.refusal for part in parts if isinstance(part, body.RefusalPart)]
    return pb.Message(
        role=ROLES[message.role],
        text=content if isinstance(content, str) else "",
        parts=_parts(path, parts),
        tool_calls=[_tool_call(each) for each in message.tool_calls or ()],
        tool_call_id=message.tool_call_id or "",
        name=message.name or "",
        refusal=message.refusal or "".join(refusals),
    )


def _parts(path: str, parts: Sequence[body.Part]) -> Iterable[pb.ContentPart]:
    for index, part in enumerate(parts):
        here = f"{path}.content[{index}]"
        match part:
            case body.TextPart():
                yield pb.ContentPart(text=part.text)
            case body.ImagePart():
                yield pb.ContentPart(image=_linked(f"{here}.image_url.url", part.image_url))
            case body.VideoPart():
                yield pb.ContentPart(video=_linked(f"{here}.video_url.url", part.video_url))
            case body.AudioPart():
                yield pb.ContentPart(audio=_audio(f"{here}.input_audio.data", part.input_audio))
            case body.FilePart():
                yield pb.ContentPart(file=_file(f"{here}.file.file_data", part.file))
            case body.RefusalPart():
                pass  # not content: it went into the message's own field


def _linked(path: str, link: body.ImageUrl) -> pb.Media:
    media = _from_url(path, link.url)
    media.detail = link.detail or ""
    return media


def _audio(path: str, audio: body.InputAudio) -> pb.Media:
    return pb.Media(data=_decoded(path, audio.data), mime_type=f"audio/{audio.format}")


def _file(path: str, file: body.InputFile) -> pb.Media:
    media = _from_url(path, file.file_data) if file.file_data else pb.Media(url=file.file_id or "")
    media.name = file.filename or ""
    return media


def _from_url(path: str, url: str) -> pb.Media:
    if not url.startswith(_DATA_URL):
        return pb.Media(url=url)
    head, _, data = url.removeprefix(_DATA_URL).partition(",")
    if not head.endswith(_BASE64):
        raise InvalidFieldError(path, "must be base 64")
    mime_type = head.removesuffix(_BASE64).partition(";")[0]
    return pb.Media(data=_decoded(path, data), mime_type=mime_type)


def _decoded(path: str, data: str) -> bytes:
    try:
        return base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidFieldError(path, "must be base 64") from None


def _tool(function: body.Function) -> pb.Tool:
    return pb.Tool(
        name=function.name,
        description=function.description or "",
        parameters_json=_json_text(function.parameters),
        strict=bool(function.strict),
    )


def _tool_call(call: body.ToolCall) -> pb.ToolCall:
    return pb.ToolCall(
        tool_call_id=call.id, name=call.function.name, arguments_json=call.function.arguments
    )


def _tool_choice(choice: str | body.NamedTool | None) -> str:
    return choice.function.name if isinstance(choice, body.NamedTool) else choice or ""


def _stop(stop: str | list[str] | None) -> list[str]:
    return [stop] if isinstance(stop, str) else stop or []


def _service_tier(name: str | None) -> str:
    return "" if name is None or name in STANDARD_SERVICE_TIERS else name


def _response_format(response_format: body.ResponseFormat) -> pb.ResponseFormat:
    schema = response_format.json_schema or body.JsonSchema()
    return pb.ResponseFormat(
        type=RESPONSE_FORMATS[response_format.type],
        schema_json=_json_text(schema.schema),
        name=schema.name or "",
        strict=bool(schema.strict),
    )


def _json_text(raw: msgspec.Raw) -> str:
    text = bytes(raw).decode()
    return "" if text == "null" else text
