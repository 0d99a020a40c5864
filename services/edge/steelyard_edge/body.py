"""Reads the body of a request within limits, before anything looks into it."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate

from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive

from steelyard_common.errors import (
    MalformedRequestError,
    RequestTooLargeError,
    UnsupportedMediaTypeError,
)
from steelyard_edge.failure import SlowBodyError

JSON_TYPE = "application/json"
MAX_DEPTH = 64

# Also matches a string without an end: starting over inside of it would take quadratic time.
_STRINGS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_SQUARE = bytes.maketrans(b"{}", b"[]")
# 1 for the byte of an opening bracket, -1 for that of a closing one.
_STEP = ((ord("[") + ord("]")) // 2).__sub__
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyLimits:
    """How much a client may send, and how slowly."""

    max_bytes: int = 8 * 1024 * 1024
    seconds: float = 15.0


async def read_body(headers: Mapping[str, str], receive: Receive, limits: BodyLimits) -> bytes:
    """Return the whole body, which is JSON as far as that shows without parsing it.

    Args:
        headers: Of the request, with lower-case names.
        receive: The request's ASGI channel.
        limits: What to accept.

    Raises:
        UnsupportedMediaTypeError: There is a body, and it is not declared as JSON.
        RequestTooLargeError: It is, or says that it is, too long.
        SlowBodyError: It did not arrive in time.
        MalformedRequestError: It is not UTF-8, or nested too deeply.
        ClientDisconnect: The client went away.
    """
    declared = headers.get("content-length", "0")
    if declared.isdecimal() and int(declared) > limits.max_bytes:
        raise RequestTooLargeError(limits.max_bytes)
    if declared != "0" or "transfer-encoding" in headers:
        check_media_type(headers.get("content-type", ""))
    try:
        async with asyncio.timeout(limits.seconds):
            body = await _read(receive, limits.max_bytes)
    except TimeoutError:
        raise SlowBodyError(limits.seconds) from None
    check_text(body)
    return body


def replayed(body: bytes, receive: Receive) -> Receive:
    """Return an ASGI channel on which a body that was read arrives once more, in one piece."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return waiting.pop() if waiting else await receive()

    return replay


def check_media_type(content_type: str) -> None:
    """Raise UnsupportedMediaTypeError unless it is JSON, with or without parameters."""
    if content_type.partition(";")[0].strip().lower() != JSON_TYPE:
        raise UnsupportedMediaTypeError(content_type[:100])


def check_text(body: bytes) -> None:
    """Raise MalformedRequestError when the body is not UTF-8 or nested too deeply."""
    try:
        body.decode()
    except UnicodeDecodeError as error:
        raise MalformedRequestError(f"the body is not UTF-8: byte {error.start}") from None
    if is_deeper_than(MAX_DEPTH, body):
        raise MalformedRequestError(f"the body is nested deeper than {MAX_DEPTH}")


def is_deeper_than(limit: int, body: bytes) -> bool:
    """Say whether lists and objects of a JSON text are nested deeper than `limit`.

    Strings and everything but brackets are dropped, the rest is counted up and down. All of it
    runs in C and in linear time, because a hostile body has millions of brackets.
    """
    if body.count(b"[") + body.count(b"{") <= limit:
        return False
    brackets = _STRINGS.sub(b"", body).translate(_SQUARE, _NOT_BRACKETS)
    return max(accumulate(map(_STEP, brackets)), default=0) > limit


async def _read(receive: Receive, max_bytes: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > max_bytes:
            raise RequestTooLargeError(max_bytes)
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)
