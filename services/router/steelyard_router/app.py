"""Wires the router: settings in, service out."""

import asyncio
from collections.abc import Awaitable
from contextlib import AsyncExitStack
from dataclasses import dataclass

import grpc
from google.protobuf.descriptor import ServiceDescriptor

from steelyard.health.v1 import health_service_pb2
from steelyard.pricing.v1 import pricing_service_pb2
from steelyard.registry.v1 import registry_service_pb2
from steelyard.router.v1 import (
    access_service_pb2_grpc,
    completion_service_pb2_grpc,
    key_service_pb2_grpc,
    preference_service_pb2_grpc,
    routing_service_pb2_grpc,
    usage_service_pb2_grpc,
)
from steelyard_common.address import Address
from steelyard_common.background import BackgroundTask
from steelyard_common.channels import open_channel
from steelyard_common.clock import Clock, SystemClock
from steelyard_common.database import Database
from steelyard_common.lifecycle import Service
from steelyard_common.server import Server
from steelyard_common.telemetry import Telemetry
from steelyard_common.tenant import AnonymousAuthenticator, Authenticator, RejectingAuthenticator
from steelyard_router.adapters.catalog_watch import CatalogWatch
from steelyard_router.adapters.decision_store import MIGRATIONS, DecisionStore
from steelyard_router.adapters.health_client import HealthClient
from steelyard_router.adapters.outcome_reporter import OutcomeReporter
from steelyard_router.adapters.platform_keys import PlatformKeys
from steelyard_router.adapters.pricing_client import PricingClient
from steelyard_router.adapters.snapshot_files import SnapshotFiles
from steelyard_router.domain.classifier import RulesClassifier
from steelyard_router.domain.usage import DefaultForecaster
from steelyard_router.ports import Ports
from steelyard_router.routing import Routing
from steelyard_router.rpcs.keys import KeyServicer
from steelyard_router.servicer import RoutingServicer
from steelyard_router.settings import Settings

__all__ = ["NAME", "Settings", "build"]

NAME = "router"
REPORT_DRAIN_SECONDS = 2.0
"""How long the end of the process waits for health to take the last outcomes."""


async def build(
    settings: Settings, *, clock: Clock | None = None, authenticator: Authenticator | None = None
) -> Service:
    """Return a service ready to run.

    Args:
        settings: From the environment.
        clock: By default the machine's.
        authenticator: Who callers are; by default everybody is the local tenant on loopback.

    Raises:
        DatabaseUnavailableError: Decisions cannot be kept.
    """
    clock = clock or SystemClock()
    async with AsyncExitStack() as resources:
        telemetry = Telemetry.start(NAME)
        resources.callback(telemetry.close)
        adapters = await _Adapters.open(settings, clock, telemetry, resources)
        server = Server(
            settings.listen_address,
            telemetry=telemetry,
            authenticator=authenticator or _authenticator(settings),
            limits=settings.call_limits,
        )
        _register(server, adapters.servicer(settings, clock), adapters.key_servicer())
        return Service(
            name=NAME,
            server=server,
            prepare=adapters.prepare,
            tasks=adapters.tasks(),
            resources=resources.pop_all(),
            drain_seconds=settings.drain_seconds,
            clock=clock,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Adapters:
    """Everything of the router that outlives a request."""

    catalog: CatalogWatch
    prices: PricingClient
    health: HealthClient
    outcomes: OutcomeReporter
    keys: PlatformKeys
    decisions: DecisionStore
    start_wait_seconds: float

    @classmethod
    async def open(
        cls, settings: Settings, clock: Clock, telemetry: Telemetry, resources: AsyncExitStack
    ) -> "_Adapters":
        async def channel(address: Address, service: ServiceDescriptor) -> grpc.aio.Channel:
            opened = open_channel(address, [service], telemetry=telemetry)
            return await resources.enter_async_context(opened)

        files = SnapshotFiles(settings.data_dir, clock)
        registry = registry_service_pb2.DESCRIPTOR.services_by_name["RegistryService"]
        pricing = pricing_service_pb2.DESCRIPTOR.services_by_name["PricingService"]
        health = health_service_pb2.DESCRIPTOR.services_by_name["HealthService"]
        decisions = await _open_decisions(settings, clock, telemetry, resources)
        health_channel = await channel(settings.health_address, health)
        outcomes = OutcomeReporter(health_channel, clock, telemetry.meter)
        resources.push_async_callback(outcomes.drain, REPORT_DRAIN_SECONDS)
        return cls(
            catalog=CatalogWatch(await channel(settings.registry_address, registry), files, clock),
            prices=PricingClient(await channel(settings.pricing_address, pricing), files, clock),
            health=HealthClient(health_channel, clock),
            outcomes=outcomes,
            keys=PlatformKeys(settings.platform_keys, settings.local_providers),
            decisions=decisions,
            start_wait_seconds=settings.router_start_wait_seconds,
        )

    def servicer(self, settings: Settings, clock: Clock) -> RoutingServicer:
        classifier = RulesClassifier()
        ports = Ports(
            catalog=self.catalog,
            prices=self.prices,
            health=self.health,
            keys=self.keys,
            classifier=classifier,
            forecaster=DefaultForecaster(),
        )
        # What it does not define answers UNIMPLEMENTED from the generated base.
        return RoutingServicer(  # type: ignore[abstract]
            Routing(ports, clock, local_providers=settings.local_providers),
            classifier,
            self.decisions,
            ask_timeout_seconds=settings.router_ask_timeout_seconds,
        )

    def key_servicer(self) -> KeyServicer:
        return KeyServicer(self.keys)  # type: ignore[abstract]

    async def prepare(self) -> None:
        """Load what was kept on disk; what is not there, other services get a moment to say."""
        await asyncio.gather(self.catalog.load(), self.prices.load())
        waits: list[Awaitable[bool]] = []
        if not self.catalog.is_known:
            waits.append(self.catalog.first(self.start_wait_seconds))
        if self.prices.book is None:
            waits.append(self.prices.first(self.start_wait_seconds))
        await asyncio.gather(*waits)

    def tasks(self) -> tuple[BackgroundTask, ...]:
        return (
            BackgroundTask("catalog-follow", self.catalog.follow),
            BackgroundTask("catalog-save", self.catalog.keep_saved),
            BackgroundTask("rate-cards", self.prices.keep_current),
            BackgroundTask("outcomes-report", self.outcomes.run),
            BackgroundTask("decisions-write", self.decisions.write_queued),
            BackgroundTask("decisions-prune", self.decisions.prune),
        )


async def _open_decisions(
    settings: Settings, clock: Clock, telemetry: Telemetry, resources: AsyncExitStack
) -> DecisionStore:
    url = settings.database_url.get_secret_value() if settings.database_url else None
    database = await Database.open(NAME, data_dir=settings.data_dir, url=url, migrations=MIGRATIONS)
    resources.push_async_callback(database.close)
    decisions = DecisionStore(
        database,
        clock,
        telemetry.meter,
        keep=settings.decision_age,
        max_rows=settings.router_decision_rows,
    )
    resources.push_async_callback(decisions.drain)
    return decisions


def _authenticator(settings: Settings) -> Authenticator:
    return RejectingAuthenticator() if settings.is_auth_on else AnonymousAuthenticator()


def _register(server: Server, servicer: RoutingServicer, keys: KeyServicer) -> None:
    """Serve routing and keys; the others answer UNIMPLEMENTED from their generated bases."""
    server.add(routing_service_pb2_grpc.add_RoutingServiceServicer_to_server, servicer)
    server.add(
        completion_service_pb2_grpc.add_CompletionServiceServicer_to_server,
        completion_service_pb2_grpc.CompletionServiceServicer(),  # type: ignore[abstract]
    )
    server.add(key_service_pb2_grpc.add_KeyServiceServicer_to_server, keys)
    server.add(
        access_service_pb2_grpc.add_AccessServiceServicer_to_server,
        access_service_pb2_grpc.AccessServiceServicer(),  # type: ignore[abstract]
    )
    server.add(
        preference_service_pb2_grpc.add_PreferenceServiceServicer_to_server,
        preference_service_pb2_grpc.PreferenceServiceServicer(),  # type: ignore[abstract]
    )
    server.add(
        usage_service_pb2_grpc.add_UsageServiceServicer_to_server,
        usage_service_pb2_grpc.UsageServiceServicer(),  # type: ignore[abstract]
    )
