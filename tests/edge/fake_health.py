"""A health service behind the edge and the command line, with state."""

from collections.abc import AsyncIterator, Iterable
from typing import Any

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from steelyard.health.v1 import health_pb2
from steelyard.health.v1 import health_service_pb2 as pb
from steelyard.health.v1 import health_service_pb2_grpc as health_grpc
from steelyard_common.errors import InvalidFieldError
from tests.edge.failing import Failing, paged

APPLIED = Timestamp(seconds=1_793_534_460)
"""2026-11-01T12:01:00Z."""


class FakeHealth(Failing, health_grpc.HealthServiceServicer):
    """Answers for providers that were reported on, and by name for any."""

    def reset(self) -> None:
        super().reset()
        self.reported: dict[str, health_pb2.ProviderHealth] = {}
        self.silent: dict[str, health_pb2.ProviderHealth] = {}
        """Told of only when they are named."""
        self.offers: dict[str, list[health_pb2.OfferHealth]] = {}
        self.incidents: list[health_pb2.Incident] = []
        self.alerts: list[health_pb2.Alert] = []
        self.planned: dict[tuple[str, str], health_pb2.Maintenance] = {}
        self.changes: list[pb.WatchHealthResponse] = []

    async def ListProviderHealth(
        self, request: pb.ListProviderHealthRequest, context: Any
    ) -> pb.ListProviderHealthResponse:
        await self.asked(request, context)
        names: Iterable[str] = request.providers or self.reported
        return pb.ListProviderHealthResponse(providers=map(self._provider, names))

    async def GetProviderHealth(
        self, request: pb.GetProviderHealthRequest, context: Any
    ) -> pb.GetProviderHealthResponse:
        await self.asked(request, context)
        if "/" in request.provider:
            raise InvalidFieldError("provider", "must be the id of a provider")
        return pb.GetProviderHealthResponse(
            provider=self._provider(request.provider), offers=self.offers.get(request.provider, [])
        )

    async def ResetProvider(
        self, request: pb.ResetProviderRequest, context: Any
    ) -> pb.ResetProviderResponse:
        await self.asked(request, context)
        self.reported.pop(request.provider, None)
        return pb.ResetProviderResponse(provider=self._provider(request.provider))

    async def SetMaintenance(
        self, request: pb.SetMaintenanceRequest, context: Any
    ) -> pb.SetMaintenanceResponse:
        await self.asked(request, context)
        absence = request.maintenance
        if absence.end_time.seconds <= absence.start_time.seconds:
            raise InvalidFieldError("maintenance.end_time", "must lie after the start")
        self.planned[absence.provider, absence.offer] = absence
        absence.actor = "local"
        return pb.SetMaintenanceResponse(maintenance=absence, apply_time=APPLIED)

    async def ListIncidents(
        self, request: pb.ListIncidentsRequest, context: Any
    ) -> pb.ListIncidentsResponse:
        await self.asked(request, context)
        matching = [each for each in self.incidents if _is_wanted(each, request)]
        incidents, page_info = paged(matching, request)
        return pb.ListIncidentsResponse(incidents=incidents, page_info=page_info)

    async def ListAlerts(
        self, request: pb.ListAlertsRequest, context: Any
    ) -> pb.ListAlertsResponse:
        await self.asked(request, context)
        matching = [each for each in self.alerts if _is_wanted(each, request)]
        alerts, page_info = paged(matching, request)
        return pb.ListAlertsResponse(alerts=alerts, page_info=page_info)

    async def WatchHealth(
        self, request: pb.WatchHealthRequest, context: Any
    ) -> AsyncIterator[pb.WatchHealthResponse]:
        await self.asked(request, context)
        for each in list(self.changes):
            if not each.HasField("change") or each.change.version > request.from_version:
                yield each

    def _provider(self, name: str) -> health_pb2.ProviderHealth:
        return self.reported.get(name) or self.silent.get(name) or _never_reported(name)


def _is_wanted(
    each: health_pb2.Incident | health_pb2.Alert,
    request: pb.ListIncidentsRequest | pb.ListAlertsRequest,
) -> bool:
    is_open = not each.HasField("end_time")
    return request.provider in {"", each.provider} and (is_open or not request.open_only)


def _never_reported(provider: str) -> health_pb2.ProviderHealth:
    return health_pb2.ProviderHealth(
        provider=provider,
        score=1.0,
        window_score=1.0,
        status_factor=1.0,
        state=health_pb2.HEALTH_STATE_UNKNOWN,
        success_rate=1.0,
        window=Duration(seconds=300),
    )
