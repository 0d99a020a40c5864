"""Where the next page begins, as an opaque text."""

import base64
import binascii
import json

from steelyard_common.errors import InvalidFieldError

_PROBLEM = "is not a token of this list; pass next_page_token of the previous page unchanged"
_MAX_TOKEN = 1024
_MAX_PLACE = 2**62


def to_page_token(question: str, place: int | str) -> str:
    """Return the token for what comes after a place; `question` tells lists apart."""
    return base64.urlsafe_b64encode(json.dumps([question, place]).encode()).decode()


def from_page_token(token: str, question: str) -> int:
    """Return the place that a token names.

    Raises:
        InvalidFieldError: The token is not of this list.
    """
    place = _place(token, question)
    if not isinstance(place, int) or isinstance(place, bool) or not 0 <= place <= _MAX_PLACE:
        raise InvalidFieldError("page_token", _PROBLEM)
    return place


def from_text_page_token(token: str, question: str) -> str:
    """Return the place that a token names, of lists whose places are texts.

    Raises:
        InvalidFieldError: The token is not of this list.
    """
    place = _place(token, question)
    if not isinstance(place, str):
        raise InvalidFieldError("page_token", _PROBLEM)
    return place


def bad_page_token() -> InvalidFieldError:
    """Return the error of a token that names no place of its list."""
    return InvalidFieldError("page_token", _PROBLEM)


def _place(token: str, question: str) -> object:
    if len(token) > _MAX_TOKEN:
        raise InvalidFieldError("page_token", _PROBLEM)
    try:
        known, place = json.loads(base64.b64decode(token, altchars=b"-_", validate=True))
    except (binascii.Error, TypeError, ValueError, RecursionError):
        raise InvalidFieldError("page_token", _PROBLEM) from None
    if known != question:
        raise InvalidFieldError("page_token", _PROBLEM)
    return place
