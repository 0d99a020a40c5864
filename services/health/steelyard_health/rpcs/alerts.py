"""Spells of bad health."""

from collections.abc import Sequence
from typing import Any, Protocol, TypeAlias

import grpc

from steelyard.common.v1.page_info_pb2 import PageInfo
from steelyard.health.v1 import health_service_pb2 as pb
from steelyard_common.tenant import current_tenant
from steelyard_health.domain.alerting import Alert, AlertPlace, AlertQuery
from steelyard_health.messages.alerts import (
    from_alert_request,
    from_alert_token,
    to_alert,
    to_alert_token,
)
from steelyard_health.messages.pages import from_page_size

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class Alerts(Protocol):
    """Where alerts are kept."""

    async def page(
        self, query: AlertQuery, *, before: AlertPlace | None, limit: int
    ) -> Sequence[Alert]:
        """Return alerts, the newest first, from the one after `before` on."""

    async def count(self, query: AlertQuery) -> int:
        """Return how many there are."""


class AlertCalls:
    """Shows everybody's alerts and the caller's own."""

    _alerts: Alerts

    async def ListAlerts(
        self, request: pb.ListAlertsRequest, context: Context
    ) -> pb.ListAlertsResponse:
        size = from_page_size(request.page_size)
        query = from_alert_request(request, current_tenant().tenant_id)
        before = from_alert_token(request.page_token, query)
        found = await self._alerts.page(query, before=before, limit=size + 1)
        page = found[:size]
        token = to_alert_token(query, page[-1]) if len(found) > size else ""
        return pb.ListAlertsResponse(
            alerts=map(to_alert, page),
            page_info=PageInfo(next_page_token=token, total_count=await self._alerts.count(query)),
        )
