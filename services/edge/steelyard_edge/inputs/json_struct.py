"""Bodies that msgspec reads: amounts of money stay decimals, and a fault names its field."""

import re
from typing import TypeVar

import msgspec
import orjson

from steelyard_common.errors import InvalidFieldError, MalformedRequestError, SteelyardError

StructT = TypeVar("StructT", bound=msgspec.Struct)

# How msgspec says where a fault is: "Expected `int`, got `str` - at `$.messages[0].role`".
_LOCATED = re.compile(r"(?P<problem>.*?)(?: - at `\$\.?(?P<path>.*)`)?", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(?P<field>[^`]*)`")


def decoded(decoder: msgspec.json.Decoder[StructT], text: bytes) -> StructT:
    """Return a body.

    Raises:
        MalformedRequestError: It is not JSON.
        InvalidFieldError: A field is missing, of another type, or out of range.
    """
    try:
        return decoder.decode(text)
    except msgspec.ValidationError as error:
        # Raised at the first wrong field, with the rest still unread.
        _check_json(text)
        raise _invalid_field(str(error)) from None
    except msgspec.DecodeError:
        _check_json(text)
        raise


def _check_json(text: bytes) -> None:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise MalformedRequestError(f"the body is not valid JSON: {error}") from None


def _invalid_field(message: str) -> SteelyardError:
    located = _LOCATED.fullmatch(message)
    path = (located and located["path"]) or ""
    problem = located["problem"] if located else message
    if missing := _MISSING.fullmatch(problem):
        return InvalidFieldError(f"{path}.{missing['field']}".removeprefix("."), "is required")
    return InvalidFieldError(path or "body", problem[:1].lower() + problem[1:])
