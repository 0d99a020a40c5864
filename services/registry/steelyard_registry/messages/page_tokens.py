"""Which list a page token is of, and where the next page of models begins."""

import hashlib

from google.protobuf.message import Message

from steelyard_common.page_tokens import bad_page_token, from_page_token
from steelyard_registry.domain.listing import Place


def question_of(request: Message) -> str:
    """Return a short hash of a request without its page fields: a token is good for one list."""
    question = type(request)()
    question.CopyFrom(request)
    question.ClearField("page_token")
    question.ClearField("page_size")
    return hashlib.sha256(question.SerializeToString(deterministic=True)).hexdigest()[:16]


def from_place_token(token: str, question: str) -> Place:
    """Return the place that a token names in a list of models.

    Raises:
        InvalidFieldError: The token is not of this list.
    """
    match from_page_token(token, question):
        case [float(value), str(model)]:
            return value, model
        case _:
            raise bad_page_token()
