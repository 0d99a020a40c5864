"""The body of `POST /v1/route`: a chat request with a policy beside it."""

import re
from typing import Literal

import msgspec
import orjson

from steelyard.router.v1 import routing_service_pb2 as pb
from steelyard_common.errors import InvalidFieldError, MalformedRequestError, SteelyardError
from steelyard_edge.inputs.chat_body import ChatBody
from steelyard_edge.inputs.chat_message import to_chat_request
from steelyard_edge.inputs.policy_body import PolicyBody, to_policy

EXPLANATIONS = {
    None: pb.EXPLANATION_UNSPECIFIED,
    "standard": pb.EXPLANATION_STANDARD,
    "full": pb.EXPLANATION_FULL,
}

# How msgspec says where a fault is: "Expected `int`, got `str` - at `$.messages[0].role`".
_LOCATED = re.compile(r"(?P<problem>.*?)(?: - at `\$\.?(?P<path>.*)`)?", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(?P<field>[^`]*)`")


class RouteBody(ChatBody, frozen=True, kw_only=True):
    """A chat request, what the client wants of the choice, and how much to explain."""

    policy: PolicyBody | None = None
    explanation: Literal["standard", "full"] | None = None


_DECODER = msgspec.json.Decoder(RouteBody)


def to_route_request(text: bytes) -> pb.RouteRequest:
    """Return the call that answers a body.

    Raises:
        MalformedRequestError: It is not JSON.
        InvalidFieldError: A field is missing, of another type, or out of range.
    """
    try:
        body = _DECODER.decode(text)
    except msgspec.ValidationError as error:
        # Raised at the first wrong field, with the rest still unread.
        _check_json(text)
        raise _invalid_field(str(error)) from None
    except msgspec.DecodeError:
        _check_json(text)
        raise
    request = pb.RouteRequest(
        request=to_chat_request(body), explanation=EXPLANATIONS[body.explanation]
    )
    if body.policy is not None:
        request.policy.CopyFrom(to_policy(body.policy))
    return request


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
