"""gRPC face of the health service."""

import asyncio
from dataclasses import dataclass

from steelyard.health.v1 import health_pb2, health_service_pb2_grpc
from steelyard_common.clock import Clock
from steelyard_common.tenant import current_tenant
from steelyard_health.adapters.alert_store import AlertStore
from steelyard_health.adapters.incident_store import IncidentStore
from steelyard_health.adapters.maintenance_book import MaintenanceBook
from steelyard_health.adapters.status_book import StatusBook
from steelyard_health.adapters.steward_store import StewardStore
from steelyard_health.domain.change_log import ChangeLog
from steelyard_health.domain.ports import HealthStore
from steelyard_health.messages.health import Instants, to_provider_health
from steelyard_health.messages.incidents import to_status_page
from steelyard_health.messages.stewardship import to_maintenance
from steelyard_health.rpcs.alerts import AlertCalls
from steelyard_health.rpcs.incidents import IncidentCalls
from steelyard_health.rpcs.outcomes import OutcomeCalls
from steelyard_health.rpcs.providers import ProviderCalls
from steelyard_health.rpcs.stewardship import StewardCalls
from steelyard_health.rpcs.watch import WatchCalls


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """What is remembered beside the windows."""

    changes: ChangeLog
    alerts: AlertStore
    incidents: IncidentStore
    pages: StatusBook
    steward: StewardStore
    maintenance: MaintenanceBook


class HealthServicer(
    OutcomeCalls,
    ProviderCalls,
    WatchCalls,
    AlertCalls,
    IncidentCalls,
    StewardCalls,
    health_service_pb2_grpc.HealthServiceServicer,
):
    """Answers each caller as its tenant."""

    def __init__(
        self, store: HealthStore, records: Records, clock: Clock, draining: asyncio.Event
    ) -> None:
        """Keep what answers are made of.

        Args:
            store: Has the windows and circuits.
            records: Has the rest.
            clock: The time.
            draining: When set, streams end.
        """
        self._store = store
        self._resets = store
        self._clock = clock
        self._draining = draining
        self._changes = records.changes
        self._alerts = records.alerts
        self._incidents = records.incidents
        self._pages = records.pages
        self._steward = records.steward
        self._maintenance = records.maintenance

    async def _provider_message(self, provider: str) -> health_pb2.ProviderHealth:
        now = self._clock.now()
        view = await self._store.provider(current_tenant().tenant_id, provider)
        page = self._pages.pages.get(provider)
        absence = self._maintenance.plan.of(provider, now)
        return to_provider_health(
            provider,
            view,
            Instants.of(self._clock),
            status_page=to_status_page(page, now) if page is not None else None,
            maintenance=to_maintenance(absence) if absence is not None else None,
        )
