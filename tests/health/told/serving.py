"""A servicer of what is told and done by hand, and its callers."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import grpc

from steelyard.health.v1 import health_pb2
from steelyard.health.v1 import health_service_pb2_grpc as pb_grpc
from steelyard_common.clock import Clock
from steelyard_common.database import Database
from steelyard_common.tenant import (
    ALL_SCOPES,
    DEFAULT_WORKSPACE_ID,
    LOCAL_TENANT_ID,
    TenantContext,
)
from steelyard_health.adapters.alert_store import AlertStore
from steelyard_health.adapters.maintenance_book import MaintenanceBook
from steelyard_health.adapters.schema import MIGRATIONS
from steelyard_health.adapters.steward_store import StewardStore
from steelyard_health.domain.change_log import ChangeLog
from steelyard_health.rpcs.alerts import AlertCalls
from steelyard_health.rpcs.stewardship import StewardCalls
from steelyard_health.rpcs.watch import WatchCalls
from tests.conftest import Serve

SECONDS = 20
TENANT_HEADER = "x-tenant"


class HeaderAuthenticator:
    """Believes what a header says."""

    async def authenticate(self, metadata: Mapping[str, str]) -> TenantContext:
        tenant_id = metadata.get(TENANT_HEADER, LOCAL_TENANT_ID)
        return TenantContext(tenant_id, DEFAULT_WORKSPACE_ID, ALL_SCOPES, key_id="key_1")


def as_tenant(tenant_id: str) -> tuple[tuple[str, str], ...]:
    """Return the metadata of a tenant's calls."""
    return ((TENANT_HEADER, tenant_id),)


@dataclass(slots=True)
class FakeBoard:
    """Remembers what was reset."""

    resets: list[str] = field(default_factory=list)

    async def reset(self, name: str) -> None:
        self.resets.append(name)


class ToldServicer(WatchCalls, AlertCalls, StewardCalls, pb_grpc.HealthServiceServicer):
    """What is told and done by hand, and nothing else."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._clock = clock
        self._changes = self.changes = ChangeLog(capacity=100)
        self._draining = self.draining = asyncio.Event()
        self._alerts = AlertStore(database, clock)
        self._steward = StewardStore(database, clock)
        self._maintenance = self.book = MaintenanceBook(self._steward, clock)
        self._resets = self.board = FakeBoard()

    async def _provider_message(self, provider: str) -> health_pb2.ProviderHealth:
        state = health_pb2.HEALTH_STATE_UNKNOWN
        return health_pb2.ProviderHealth(provider=provider, state=state)


@asynccontextmanager
async def open_database(directory: Path) -> AsyncIterator[Database]:
    """Open the service's database, as one process does; several may share a directory."""
    database = await Database.open("health", data_dir=directory, migrations=MIGRATIONS)
    try:
        yield database
    finally:
        await database.close()


async def serve_told(serve: Serve, servicer: ToldServicer) -> pb_grpc.HealthServiceStub:
    """Serve a servicer to callers who say who they are."""
    channel = await serve(
        pb_grpc.add_HealthServiceServicer_to_server,
        servicer,
        authenticator=HeaderAuthenticator(),
    )
    return pb_grpc.HealthServiceStub(channel)


async def refusal_of(call: object) -> str:
    """Return the status and message of a call that must fail."""
    try:
        await call  # type: ignore[misc]
    except grpc.aio.AioRpcError as error:
        return f"{error.code().name}: {error.details()}"
    raise AssertionError("the call succeeded")
