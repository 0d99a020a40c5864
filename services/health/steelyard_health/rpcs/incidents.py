"""What status pages told."""

from collections.abc import Sequence
from typing import Any, Protocol, TypeAlias

import grpc

from steelyard.common.v1.page_info_pb2 import PageInfo
from steelyard.health.v1 import health_service_pb2 as pb
from steelyard_health.domain.status.listing import IncidentPlace, IncidentQuery, StoredIncident
from steelyard_health.messages.incidents import (
    from_incident_query,
    from_incident_token,
    page_size,
    to_incident,
    to_incident_token,
)

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class Incidents(Protocol):
    """Has what status pages told."""

    async def page(
        self, query: IncidentQuery, *, after: IncidentPlace | None, limit: int
    ) -> Sequence[StoredIncident]:
        """Return incidents, the newest first, from the one after `after` on."""

    async def count(self, query: IncidentQuery) -> int:
        """Return how many there are."""


class IncidentCalls:
    """Lists incidents."""

    _incidents: Incidents

    async def ListIncidents(
        self, request: pb.ListIncidentsRequest, context: Context
    ) -> pb.ListIncidentsResponse:
        query, size = from_incident_query(request), page_size(request)
        after = None
        if request.page_token:
            after = from_incident_token(query, request.page_token)
        found = await self._incidents.page(query, after=after, limit=size + 1)
        page = found[:size]
        token = to_incident_token(query, page[-1].place) if len(found) > size else ""
        return pb.ListIncidentsResponse(
            incidents=map(to_incident, page),
            page_info=PageInfo(
                next_page_token=token, total_count=await self._incidents.count(query)
            ),
        )
