"""Where the next page begins, as an opaque text."""

import base64
import binascii
import hashlib
import json

from google.protobuf.message import Message

from steelyard_common.errors import InvalidFieldError
from steelyard_registry.domain.listing import Place

_MAX_NUMBER = 2.0**53
_PROBLEM = "is not a token of this list; pass next_page_token of the previous page unchanged"


def question_of(request: Message) -> str:
    """Return a short hash of a request without its page fields: a token is good for one list."""
    question = type(request)()
    question.CopyFrom(request)
    question.ClearField("page_token")
    question.ClearField("page_size")
    return hashlib.sha256(question.SerializeToString(deterministic=True)).hexdigest()[:16]


def to_page_token(question: str, place: Place) -> str:
    """Return the token for what comes after a place."""
    return base64.urlsafe_b64encode(json.dumps([question, *place]).encode()).decode()


def from_page_token(token: str, question: str) -> Place:
    """Return the place that a token names.

    Raises:
        InvalidFieldError: The token is not of this list.
    """
    try:
        parts = json.loads(base64.b64decode(token, altchars=b"-_", validate=True))
        known, value, model = parts
    except (binascii.Error, TypeError, ValueError, RecursionError):
        raise InvalidFieldError("page_token", _PROBLEM) from None
    if known != question or not isinstance(value, float) or not isinstance(model, str):
        raise InvalidFieldError("page_token", _PROBLEM)
    return value, model


def to_whole(value: float) -> int:
    """Return the number that a place stands for in lists of numbered things.

    Raises:
        InvalidFieldError: It is none.
    """
    if not 0 <= value < _MAX_NUMBER or value != int(value):
        raise InvalidFieldError("page_token", _PROBLEM)
    return int(value)
