"""A health service without a process: its real parts on a database of the test."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from steelyard_common.clock import Clock
from steelyard_common.database import Database
from steelyard_health.adapters.alert_store import AlertStore
from steelyard_health.adapters.incident_store import IncidentStore
from steelyard_health.adapters.maintenance_book import MaintenanceBook
from steelyard_health.adapters.memory_store import MemoryHealthStore, Wiring
from steelyard_health.adapters.overlay import KnownOverlay
from steelyard_health.adapters.schema import MIGRATIONS
from steelyard_health.adapters.status_book import StatusBook
from steelyard_health.adapters.status_rules import read_status_rules
from steelyard_health.adapters.status_sources import StatusSources, StatusUrls
from steelyard_health.adapters.steward_store import StewardStore
from steelyard_health.domain.change_log import ChangeLog
from steelyard_health.domain.changes import StateChange
from steelyard_health.domain.observer import Observed
from steelyard_health.domain.provider import Provider
from steelyard_health.servicer import HealthServicer, Records


@dataclass(slots=True)
class FakeDirectory:
    """Providers that the test knows."""

    providers: Mapping[str, Provider]


@dataclass(frozen=True, slots=True)
class HealthService:
    """The parts, for tests that look behind the calls."""

    servicer: HealthServicer
    store: MemoryHealthStore
    records: Records


@asynccontextmanager
async def a_health_service(
    data_dir: Path, clock: Clock, providers: Mapping[str, Provider] | None = None
) -> AsyncIterator[HealthService]:
    """Give a service whose circuits open for exactly 5, 10, 20... seconds."""
    database = await Database.open("health", data_dir=data_dir, migrations=MIGRATIONS)
    try:
        yield _service(database, clock, providers or {})
    finally:
        await database.close()


def _service(database: Database, clock: Clock, providers: Mapping[str, Provider]) -> HealthService:
    incidents, steward = IncidentStore(database), StewardStore(database, clock)
    sources = StatusSources(FakeDirectory(providers), StatusUrls(), read_status_rules())
    records = Records(
        changes=ChangeLog(),
        alerts=AlertStore(database, clock),
        incidents=incidents,
        pages=StatusBook(incidents, sources, clock),
        steward=steward,
        maintenance=MaintenanceBook(steward, clock),
    )
    overlay = KnownOverlay(lambda: records.pages.pages, lambda: records.maintenance.plan, clock)

    def tell(observed: Observed) -> None:
        now = clock.now()
        version = records.changes.next_version(now)
        records.changes.add(StateChange.of(observed, now, version))

    store = MemoryHealthStore(clock, Wiring(overlay=overlay, tell=tell, random=lambda: 0.5))
    return HealthService(HealthServicer(store, records, clock, asyncio.Event()), store, records)
