"""RouteRequest and ClassifyPromptRequest in."""

from typing import Final

from steelyard.router.v1 import routing_service_pb2 as pb
from steelyard_router.domain.classifier import TASK_POINTS, Prompt
from steelyard_router.domain.decision import RouteOrder
from steelyard_router.messages.chat_request import check_request, to_model_choice, to_shape
from steelyard_router.messages.policy import to_policy
from steelyard_router.messages.violations import Violations

MAX_PROMPT_BYTES: Final = 8 * 1024 * 1024
STANDARD_REJECTED: Final = 50
"""Rejected offers that a decision lists unless all are asked for."""
_EXPLANATIONS = frozenset(pb.Explanation.values())


def to_order(request: pb.RouteRequest) -> RouteOrder:
    """Return what is to be decided.

    Raises:
        InvalidFieldError: Fields are at fault; it names all of them.
    """
    violations = Violations()
    check_request(request.request, violations)
    violations.number_of("explanation", request.explanation, _EXPLANATIONS)
    choice = to_model_choice(request.request, violations)
    policy = to_policy(request.policy, choice, violations)
    violations.raise_any()
    if policy is None:
        raise AssertionError("a policy was refused without saying why")
    is_full = request.explanation == pb.EXPLANATION_FULL
    return RouteOrder(
        shape=to_shape(request.request),
        policy=policy,
        named_model=choice.name,
        max_rejected=None if is_full else STANDARD_REJECTED,
    )


def to_prompt(request: pb.ClassifyPromptRequest) -> Prompt:
    """Return what is to be classified.

    Raises:
        InvalidFieldError: Fields are at fault; it names all of them.
    """
    violations = Violations()
    # A character has one to four bytes: only long prompts are worth encoding.
    prompt = request.prompt
    if len(prompt) * 4 > MAX_PROMPT_BYTES and len(prompt.encode()) > MAX_PROMPT_BYTES:
        violations.add("prompt", f"must have at most {MAX_PROMPT_BYTES} bytes")
    violations.one_of("task_type", request.task_type, TASK_POINTS)
    violations.raise_any()
    return Prompt.of(prompt, request.task_type)
