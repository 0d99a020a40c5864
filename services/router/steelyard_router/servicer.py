"""gRPC face of routing."""

from typing import Any, Protocol, TypeAlias

import grpc

from steelyard.router.v1 import decision_pb2, routing_service_pb2_grpc
from steelyard.router.v1 import routing_service_pb2 as pb
from steelyard_common.deadlines import remaining
from steelyard_common.tenant import current_tenant
from steelyard_router.domain.classifier import Classifier
from steelyard_router.messages.decision import DecisionWriter, from_classification
from steelyard_router.messages.order import to_order, to_prompt
from steelyard_router.routing import Routing

ANSWER_SECONDS = 0.02
"""Kept back from the caller's deadline for deciding and answering."""
_LEAST_ASK_SECONDS = 0.001

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class Decisions(Protocol):
    """Where decisions go, each to its tenant."""

    def put(self, tenant_id: str, decision: decision_pb2.Decision) -> None:
        """Keep a decision, without waiting for it to be written."""

    async def get(self, tenant_id: str, decision_id: str) -> decision_pb2.Decision:
        """Return a decision of the tenant.

        Raises:
            DecisionNotFoundError: It has none with this id.
        """


class RoutingServicer(routing_service_pb2_grpc.RoutingServiceServicer):
    """Decides, keeps what was decided, and shows it again."""

    def __init__(
        self,
        routing: Routing,
        classifier: Classifier,
        decisions: Decisions,
        *,
        ask_timeout_seconds: float,
    ) -> None:
        self._routing = routing
        self._classifier = classifier
        self._decisions = decisions
        self._ask_timeout_seconds = ask_timeout_seconds
        self._writer = DecisionWriter()

    async def Route(self, request: pb.RouteRequest, context: Context) -> pb.RouteResponse:
        tenant_id = current_tenant().tenant_id
        decision = await self._routing.route(
            to_order(request), tenant_id=tenant_id, ask_seconds=self._ask_seconds(context)
        )
        message = self._writer.write(decision)
        self._decisions.put(tenant_id, message)
        return pb.RouteResponse(decision=message)

    async def ClassifyPrompt(
        self, request: pb.ClassifyPromptRequest, context: Context
    ) -> pb.ClassifyPromptResponse:
        return from_classification(self._classifier.classify(to_prompt(request)))

    async def GetDecision(
        self, request: pb.GetDecisionRequest, context: Context
    ) -> pb.GetDecisionResponse:
        tenant_id = current_tenant().tenant_id
        return pb.GetDecisionResponse(
            decision=await self._decisions.get(tenant_id, request.decision_id)
        )

    def _ask_seconds(self, context: Context) -> float:
        left = remaining(context, self._ask_timeout_seconds + ANSWER_SECONDS) - ANSWER_SECONDS
        return max(_LEAST_ASK_SECONDS, left)
