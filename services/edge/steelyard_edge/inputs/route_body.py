"""The body of `POST /v1/route`: a chat request with a policy beside it."""

from typing import Literal

import msgspec

from steelyard.router.v1 import routing_service_pb2 as pb
from steelyard_edge.inputs.chat_body import ChatBody
from steelyard_edge.inputs.chat_message import to_chat_request
from steelyard_edge.inputs.json_struct import decoded
from steelyard_edge.inputs.policy_body import PolicyBody, to_policy

EXPLANATIONS = {
    None: pb.EXPLANATION_UNSPECIFIED,
    "standard": pb.EXPLANATION_STANDARD,
    "full": pb.EXPLANATION_FULL,
}


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
    body = decoded(_DECODER, text)
    request = pb.RouteRequest(
        request=to_chat_request(body), explanation=EXPLANATIONS[body.explanation]
    )
    if body.policy is not None:
        request.policy.CopyFrom(to_policy(body.policy))
    return request
