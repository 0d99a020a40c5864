"""`/api/ai/pricing`: what changed, where sources differ, which versions there are."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Query, Request
from starlette.responses import Response

from steelyard.pricing.v1 import pricing_service_pb2 as pb
from steelyard.pricing.v1.pricing_service_pb2_grpc import PricingServiceStub
from steelyard_common.clock import Clock
from steelyard_edge import schemas_history as schemas
from steelyard_edge.answer import enveloped
from steelyard_edge.backends import Backend
from steelyard_edge.documented import answers, json_body
from steelyard_edge.inputs.moments import to_timestamp
from steelyard_edge.inputs.query import PageSize, PageToken, Time
from steelyard_edge.inputs.reprice_body import EXAMPLE, RepriceBody, to_reprice_request
from steelyard_edge.inputs.review_body import RollbackBody
from steelyard_edge.routes.pricing_router import pricing_router
from steelyard_edge.views import history
from steelyard_edge.views.reprice import repriced

Since = Annotated[Time | None, Query(description="Only changes observed from here on.")]
Offer = Annotated[str, Query(max_length=512, description="Only this offer.")]
MinRatio = Annotated[
    float,
    Query(
        ge=0, allow_inf_nan=False, description="Only changes by this factor up or down, e.g. 1.1."
    ),
]


class PriceHistoryRoutes:
    """Asks the pricing service what prices were."""

    def __init__(self, pricing: Backend[PricingServiceStub], *, clock: Clock) -> None:
        self._pricing = pricing
        self._clock = clock

    def router(self) -> APIRouter:
        """Return the routes."""
        router = pricing_router()
        add = router.add_api_route
        add(
            "/changes",
            self.changes,
            responses=answers(schemas.PriceChanges, "One page of them.", 422),
        )
        add(
            "/disagreements",
            self.disagreements,
            responses=answers(schemas.Disagreements, "One page of them.", 422),
        )
        add(
            "/snapshots",
            self.snapshots,
            responses=answers(schemas.Snapshots, "One page of them.", 422),
        )
        add(
            "/rollback",
            self.rollback,
            methods=["POST"],
            responses=answers(
                schemas.Snapshot, "What is served now.", 400, 403, 404, 409, 413, 415, 422
            ),
        )
        add(
            "/reprice",
            self.reprice,
            methods=["POST"],
            responses=answers(schemas.Repriced, "The costs.", 400, 413, 415, 422),
            openapi_extra=json_body(RepriceBody, example=EXAMPLE),
        )
        return router

    async def changes(
        self,
        since: Since = None,
        offer: Offer = "",
        min_ratio: MinRatio = 0.0,
        page_size: PageSize = 50,
        page_token: PageToken = "",
    ) -> Response:
        """List what changed, newest first."""
        answer = await self._pricing.ask(
            self._pricing.stub.ListPriceChanges,
            pb.ListPriceChangesRequest(
                since_time=to_timestamp(since, "since"),
                offer=offer,
                min_ratio=min_ratio,
                page_size=page_size,
                page_token=page_token,
            ),
        )
        return self._enveloped(history.changes(answer))

    async def disagreements(self, page_size: PageSize = 50, page_token: PageToken = "") -> Response:
        """List offers on which two sources differ by more than 0.5 %, the largest first."""
        answer = await self._pricing.ask(
            self._pricing.stub.ListDisagreements,
            pb.ListDisagreementsRequest(page_size=page_size, page_token=page_token),
        )
        return self._enveloped(history.disagreements(answer))

    async def snapshots(self, page_size: PageSize = 50, page_token: PageToken = "") -> Response:
        """List the versions that were published, newest first."""
        answer = await self._pricing.ask(
            self._pricing.stub.ListSnapshots,
            pb.ListSnapshotsRequest(page_size=page_size, page_token=page_token),
        )
        return self._enveloped(history.snapshots(answer))

    async def rollback(self, body: Annotated[RollbackBody, Body()]) -> Response:
        """Serve the prices of an older snapshot again, as a new version."""
        answer = await self._pricing.ask(
            self._pricing.stub.RollbackPrices,
            pb.RollbackPricesRequest(version=body.version, note=body.note or ""),
        )
        return self._enveloped(history.snapshot(answer.snapshot))

    async def reprice(self, request: Request) -> Response:
        """Tell what past usage costs at the prices of another day."""
        # Read by hand: up to 10,000 entries.
        answer = await self._pricing.ask(
            self._pricing.stub.Reprice, to_reprice_request(await request.body())
        )
        return self._enveloped(repriced(answer))

    def _enveloped(self, data: Any) -> Response:
        return enveloped(data, now=self._clock.now())
