"""`/api/ai/pricing/quarantine`: changes that look wrong, and what a person says about them."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Path, Query
from starlette.responses import Response

from steelyard.pricing.v1 import pricing_service_pb2 as pb
from steelyard.pricing.v1.pricing_service_pb2_grpc import PricingServiceStub
from steelyard_common.clock import Clock
from steelyard_edge import schemas_history as schemas
from steelyard_edge.answer import enveloped
from steelyard_edge.backends import Backend
from steelyard_edge.documented import answers
from steelyard_edge.inputs.enum_names import HELD_STATES, REVIEWS
from steelyard_edge.inputs.query import PageSize, PageToken
from steelyard_edge.inputs.review_body import ReviewBody
from steelyard_edge.routes.pricing_router import pricing_router
from steelyard_edge.views import history

State = Annotated[
    str | None,
    Query(
        description="Only changes in this state; by default those that wait.",
        json_schema_extra=HELD_STATES.schema,
    ),
]
HeldChangeId = Annotated[str, Path(max_length=64, description="Id of the held change.")]


class QuarantineRoutes:
    """Asks the pricing service what it holds back."""

    def __init__(self, pricing: Backend[PricingServiceStub], *, clock: Clock) -> None:
        self._pricing = pricing
        self._clock = clock

    def router(self) -> APIRouter:
        """Return the routes."""
        router = pricing_router()
        add = router.add_api_route
        add(
            "/quarantine",
            self.held_changes,
            responses=answers(schemas.Quarantine, "One page of them.", 422),
        )
        add(
            "/quarantine/{held_change_id}/review",
            self.review,
            methods=["POST"],
            responses=answers(
                schemas.HeldChange, "The change now.", 400, 403, 404, 409, 413, 415, 422
            ),
        )
        return router

    async def held_changes(
        self, state: State = None, page_size: PageSize = 50, page_token: PageToken = ""
    ) -> Response:
        """List changes that were held back because they look wrong, the oldest first."""
        answer = await self._pricing.ask(
            self._pricing.stub.ListQuarantined,
            pb.ListQuarantinedRequest(
                state=HELD_STATES.number(state, "state"),
                page_size=page_size,
                page_token=page_token,
            ),
        )
        return self._enveloped(history.quarantine(answer))

    async def review(
        self, held_change_id: HeldChangeId, body: Annotated[ReviewBody, Body()]
    ) -> Response:
        """Release or refuse a held change."""
        answer = await self._pricing.ask(
            self._pricing.stub.ReviewQuarantined,
            pb.ReviewQuarantinedRequest(
                held_change_id=held_change_id,
                review=REVIEWS.number(body.review, "review"),
                note=body.note or "",
            ),
        )
        return self._enveloped(history.held_change(answer.held_change))

    def _enveloped(self, data: Any) -> Response:
        return enveloped(data, now=self._clock.now())
