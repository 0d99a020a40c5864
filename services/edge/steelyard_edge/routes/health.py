"""`/api/llm-registry`: one seller's health, incidents, alerts, and what operators do about them."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Path, Query
from starlette.responses import Response

from steelyard.health.v1 import health_service_pb2 as pb
from steelyard.health.v1.health_pb2 import Maintenance
from steelyard.health.v1.health_service_pb2_grpc import HealthServiceStub
from steelyard_common.clock import Clock
from steelyard_edge import schemas_health as schemas
from steelyard_edge.answer import enveloped
from steelyard_edge.backends import Backend
from steelyard_edge.documented import answers
from steelyard_edge.inputs.health_body import MaintenanceBody, ResetBody
from steelyard_edge.inputs.moments import to_timestamp
from steelyard_edge.inputs.query import PageSize, PageToken, Provider
from steelyard_edge.routes.registry_router import registry_router
from steelyard_edge.views import health as views

Named = Annotated[str, Path(max_length=128, description="Id of the seller.")]
OpenOnly = Annotated[bool, Query(description="Only those that last.")]

HEALTH = "/provider-health/{provider}"


class HealthRoutes:
    """Asks the health service."""

    def __init__(self, health: Backend[HealthServiceStub], *, clock: Clock) -> None:
        self._health = health
        self._clock = clock

    def router(self) -> APIRouter:
        """Return the routes."""
        router = registry_router()
        add = router.add_api_route
        add(
            HEALTH,
            self.provider,
            responses=answers(schemas.ProviderWithOffers, "The seller and its offers.", 422),
        )
        add(
            f"{HEALTH}/reset",
            self.reset,
            methods=["POST"],
            responses=answers(
                schemas.ProviderFigures, "The health after it.", 400, 403, 404, 408, 413, 415, 422
            ),
        )
        add(
            f"{HEALTH}/maintenance",
            self.maintain,
            methods=["PUT"],
            responses=answers(
                schemas.PlannedMaintenance, "What was planned.", 400, 403, 404, 408, 413, 415, 422
            ),
        )
        add(
            "/incidents",
            self.incidents,
            responses=answers(schemas.Incidents, "One page of them.", 422),
        )
        add(
            "/health-alerts",
            self.alerts,
            responses=answers(schemas.Alerts, "One page of them.", 422),
        )
        return router

    async def provider(self, provider: Named) -> Response:
        """Tell how well a seller answers, and each of its offers that was reported on."""
        answer = await self._health.ask(
            self._health.stub.GetProviderHealth, pb.GetProviderHealthRequest(provider=provider)
        )
        return self._enveloped(views.provider_with_offers(answer))

    async def reset(
        self, provider: Named, body: Annotated[ResetBody | None, Body()] = None
    ) -> Response:
        """Forget what was reported of a seller or offer and close its circuits."""
        wanted = body or ResetBody()
        answer = await self._health.ask(
            self._health.stub.ResetProvider,
            pb.ResetProviderRequest(
                provider=provider, offer=wanted.offer or "", note=wanted.note or ""
            ),
        )
        return self._enveloped(views.provider(answer.provider))

    async def maintain(self, provider: Named, body: Annotated[MaintenanceBody, Body()]) -> Response:
        """Take a seller or offer out for a planned time, or end that."""
        answer = await self._health.ask(
            self._health.stub.SetMaintenance,
            pb.SetMaintenanceRequest(
                maintenance=Maintenance(
                    provider=provider,
                    offer=body.offer or "",
                    start_time=to_timestamp(body.start_time, "start_time"),
                    end_time=to_timestamp(body.end_time, "end_time"),
                    note=body.note or "",
                )
            ),
        )
        return self._enveloped(views.planned(answer))

    async def incidents(
        self,
        *,
        provider: Provider = "",
        open_only: OpenOnly = False,
        page_size: PageSize = 50,
        page_token: PageToken = "",
    ) -> Response:
        """List what status pages told of faults, newest first."""
        answer = await self._health.ask(
            self._health.stub.ListIncidents,
            pb.ListIncidentsRequest(
                provider=provider, open_only=open_only, page_size=page_size, page_token=page_token
            ),
        )
        return self._enveloped(views.incidents(answer))

    async def alerts(
        self,
        *,
        provider: Provider = "",
        open_only: OpenOnly = False,
        page_size: PageSize = 50,
        page_token: PageToken = "",
    ) -> Response:
        """List spells of bad health, newest first."""
        answer = await self._health.ask(
            self._health.stub.ListAlerts,
            pb.ListAlertsRequest(
                provider=provider, open_only=open_only, page_size=page_size, page_token=page_token
            ),
        )
        return self._enveloped(views.alerts(answer))

    def _enveloped(self, data: Any) -> Response:
        return enveloped(data, now=self._clock.now())
