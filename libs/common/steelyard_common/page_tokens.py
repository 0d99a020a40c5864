"""Where the next page of a list begins, as an opaque text."""

import base64
import binascii
import json
from typing import Any

from steelyard_common.errors import InvalidFieldError

_MAX_TOKEN = 4096
_MAX_NUMBER = 2**62


def to_page_token(question: str, *place: float | str) -> str:
    """Return the token for what comes after a place; `question` tells lists apart."""
    return base64.urlsafe_b64encode(json.dumps([question, *place]).encode()).decode()


def from_page_token(token: str, question: str) -> list[Any]:
    """Return the parts of the place that a token names: JSON of any kind, for it is untrusted.

    Raises:
        InvalidFieldError: The token is not of this list.
    """
    if len(token) > _MAX_TOKEN:
        raise bad_page_token()
    try:
        parts = json.loads(base64.b64decode(token, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        raise bad_page_token() from None
    match parts:
        case [known, *place] if known == question:
            return place
        case _:
            raise bad_page_token()


def from_whole_page_token(token: str, question: str) -> int:
    """Return the place that a token names, of lists whose places are whole numbers.

    Raises:
        InvalidFieldError: The token is not of this list.
    """
    match from_page_token(token, question):
        case [int(place)] if not isinstance(place, bool) and 0 <= place <= _MAX_NUMBER:
            return place
        case _:
            raise bad_page_token()


def from_text_page_token(token: str, question: str) -> str:
    """Return the place that a token names, of lists whose places are texts.

    Raises:
        InvalidFieldError: The token is not of this list.
    """
    match from_page_token(token, question):
        case [str(place)]:
            return place
        case _:
            raise bad_page_token()


def bad_page_token() -> InvalidFieldError:
    """Return the error of a token that names no place of its list."""
    return InvalidFieldError(
        "page_token",
        "is not a token of this list; pass next_page_token of the previous page unchanged",
    )
