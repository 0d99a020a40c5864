"""`/api/llm-registry`: syncs, and what the registry knows of itself."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from steelyard.registry.v1 import registry_service_pb2 as pb
from steelyard.registry.v1.registry_service_pb2_grpc import RegistryServiceStub
from steelyard_common.clock import Clock
from steelyard_common.errors import InternalError
from steelyard_edge import schemas_registry as schemas
from steelyard_edge.answer import enveloped
from steelyard_edge.backends import Backend
from steelyard_edge.documented import answers
from steelyard_edge.inputs.enum_names import CATALOG_EVENT_KINDS, QUALITY_SOURCES
from steelyard_edge.inputs.query import PageSize, PageToken
from steelyard_edge.routes.registry_router import registry_router
from steelyard_edge.views import registry as views

AUTO = "auto"

Force = Annotated[bool, Query(description="Read sources even when they are fresh.")]
EvidenceSource = Annotated[
    str,
    Query(description="Which evidence to read.", json_schema_extra=QUALITY_SOURCES.schema),
]
NameSource = Annotated[str, Query(max_length=128, description="Only this source, e.g. `arena`.")]
Model = Annotated[
    str,
    Query(
        max_length=512,
        description="Only this model or offer, which may be gone by now.",
    ),
]
Kind = Annotated[
    str | None,
    Query(description="Only events of this kind.", json_schema_extra=CATALOG_EVENT_KINDS.schema),
]


class RegistryRoutes:
    """Asks the registry to sync, and how it is."""

    def __init__(
        self,
        registry: Backend[RegistryServiceStub],
        *,
        clock: Clock,
        sync_timeout_seconds: float,
    ) -> None:
        self._registry = registry
        self._clock = clock
        self._sync_timeout_seconds = sync_timeout_seconds

    def router(self) -> APIRouter:
        """Return the routes."""
        router = registry_router()
        add = router.add_api_route
        add(
            "/sync-models",
            self.sync_models,
            methods=["POST"],
            responses=answers(schemas.Synced, "What the sync brought.", 409, 422),
        )
        add(
            "/sync-quality",
            self.sync_quality,
            methods=["POST"],
            responses=answers(schemas.QualitySynced, "What the sync brought.", 409, 422),
        )
        add("/status", self.status, responses=answers(schemas.Status, "The state."))
        add(
            "/unjoined",
            self.unjoined,
            responses=answers(schemas.UnjoinedNames, "One page of them.", 422),
        )
        add(
            "/events",
            self.events,
            responses=answers(schemas.CatalogEvents, "One page of them.", 422),
        )
        return router

    async def sync_models(self, *, force: Force = False) -> Response:
        """Read the catalogue's sources now. A source that fails keeps what was known of it."""
        event = await self._registry.last(
            self._registry.stub.SyncModels,
            pb.SyncModelsRequest(force=force),
            timeout_seconds=self._sync_timeout_seconds,
        )
        return self._enveloped(views.synced(_report(event)))

    async def sync_quality(
        self, *, source: EvidenceSource = AUTO, force: Force = False
    ) -> Response:
        """Read quality scores now. A source that fails keeps its last scores."""
        event = await self._registry.last(
            self._registry.stub.SyncQuality,
            pb.SyncQualityRequest(source=QUALITY_SOURCES.number(source, "source"), force=force),
            timeout_seconds=self._sync_timeout_seconds,
        )
        return self._enveloped({"source": source, "result": views.synced(_report(event))})

    async def status(self) -> Response:
        """Tell how fresh each source is, and how much is known."""
        answer = await self._registry.ask(
            self._registry.stub.GetRegistryStatus, pb.GetRegistryStatusRequest()
        )
        return self._enveloped(views.status(answer))

    async def unjoined(
        self, source: NameSource = "", page_size: PageSize = 50, page_token: PageToken = ""
    ) -> Response:
        """List the names of leaderboards that are joined to no model, and why."""
        answer = await self._registry.ask(
            self._registry.stub.ListUnjoinedNames,
            pb.ListUnjoinedNamesRequest(source=source, page_size=page_size, page_token=page_token),
        )
        return self._enveloped(views.unjoined(answer))

    async def events(
        self,
        *,
        model: Model = "",
        kind: Kind = None,
        page_size: PageSize = 50,
        page_token: PageToken = "",
    ) -> Response:
        """List what happened to models and offers, newest first."""
        answer = await self._registry.ask(
            self._registry.stub.ListCatalogEvents,
            pb.ListCatalogEventsRequest(
                model=model,
                kind=CATALOG_EVENT_KINDS.number(kind, "kind"),
                page_size=page_size,
                page_token=page_token,
            ),
        )
        return self._enveloped(views.events(answer))

    def _enveloped(self, data: Any) -> Response:
        return enveloped(data, now=self._clock.now())


def _report(event: pb.SyncModelsResponse | pb.SyncQualityResponse) -> pb.SyncReport:
    """Return the report that a stream ends with; without one nobody knows what was done."""
    if not event.HasField("report"):
        raise InternalError
    return event.report
