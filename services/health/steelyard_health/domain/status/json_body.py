"""JSON bodies as typed values."""

import json
from typing import TypeVar

import msgspec

from steelyard_health.domain.status.reading import UnreadablePageError

T = TypeVar("T")


def decoded(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """Return what a body in UTF-8 or UTF-16 says.

    Raises:
        UnreadablePageError: It is no JSON, or not of the decoder's type.
    """
    try:
        return decoder.decode(_utf8(body))
    except msgspec.ValidationError as error:
        # It names the place and the kinds of values, never the values.
        raise UnreadablePageError(f"has another shape than expected: {error}") from error
    except (msgspec.DecodeError, UnicodeError) as error:
        raise UnreadablePageError("is not JSON") from error
    except RecursionError as error:
        raise UnreadablePageError("nests too deep") from error


def _utf8(body: bytes) -> bytes:
    encoding = json.detect_encoding(body)
    if encoding == "utf-8":
        return body
    return body.decode(encoding).encode()
