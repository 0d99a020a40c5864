"""Wires the health service: settings in, service out."""

import os
import random
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import ClassVar, Self

from pydantic import PositiveFloat, model_validator

from steelyard.health.v1 import health_service_pb2_grpc
from steelyard.registry.v1 import registry_service_pb2
from steelyard_common.address import Address
from steelyard_common.background import BackgroundTask
from steelyard_common.channels import open_channel
from steelyard_common.clock import Clock, SystemClock
from steelyard_common.database import Database
from steelyard_common.feeds import FeedDownloader
from steelyard_common.ids import new_id
from steelyard_common.leases import Leases
from steelyard_common.lifecycle import Service
from steelyard_common.redis_url import RedisUrl
from steelyard_common.server import Server
from steelyard_common.settings import PREFIX, AddressSetting
from steelyard_common.telemetry import Telemetry
from steelyard_common.tenant import AnonymousAuthenticator, Authenticator, RejectingAuthenticator
from steelyard_common.webhooks import WebhookSender, WebhookTarget
from steelyard_health.adapters.alert_keeper import AlertKeeper
from steelyard_health.adapters.alert_store import AlertStore
from steelyard_health.adapters.incident_store import IncidentStore
from steelyard_health.adapters.maintenance_book import MaintenanceBook
from steelyard_health.adapters.memory_store import Wiring
from steelyard_health.adapters.overlay import KnownOverlay
from steelyard_health.adapters.probe_opening import ProbeSurroundings, open_prober
from steelyard_health.adapters.probe_settings import ProbeSettings
from steelyard_health.adapters.probe_subjects import BoardSubjects
from steelyard_health.adapters.provider_directory import ProviderDirectory
from steelyard_health.adapters.schema import MIGRATIONS
from steelyard_health.adapters.status_book import StatusBook
from steelyard_health.adapters.status_poller import STATUS_POLICY, PollPorts, StatusPoller
from steelyard_health.adapters.status_rules import read_status_rules
from steelyard_health.adapters.status_sources import StatusSources, StatusUrls, status_urls
from steelyard_health.adapters.steward_store import StewardStore
from steelyard_health.adapters.store_opening import OpenedStore, open_store
from steelyard_health.adapters.webhook_courier import WebhookCourier
from steelyard_health.adapters.webhook_outbox import WebhookOutbox
from steelyard_health.adapters.webhook_settings import WebhookSettings
from steelyard_health.domain.change_log import ChangeLog
from steelyard_health.domain.changes import StateChange
from steelyard_health.domain.observer import Observed
from steelyard_health.servicer import HealthServicer, Records

NAME = "health"


class Settings(ProbeSettings, WebhookSettings):
    """Environment of the health service.

    `STEELYARD_STATUS_PAGES` and `STEELYARD_STATUS_{PROVIDER}_URL` are read beside the fields,
    because the registry says which providers there are.
    """

    listener: ClassVar[str] = "health_address"
    uses_redis: ClassVar[bool] = True

    health_address: AddressSetting = Address("127.0.0.1", 50053)
    """Where this service listens and is dialled."""

    registry_address: AddressSetting = Address("127.0.0.1", 50052)
    """Where the registry is dialled, for providers and their status pages."""

    status_poll_seconds: PositiveFloat = 60.0
    """How often a status page is read that can be read."""

    @property
    def status_urls(self) -> StatusUrls:
        """What the environment says of status pages."""
        return status_urls(os.environ, PREFIX)

    @model_validator(mode="after")
    def _check_the_rest(self) -> Self:
        _ = self.status_urls
        if self.redis_url is not None:
            RedisUrl.parse(self.redis_url)
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the service takes from the outside besides its settings; tests bring their own."""

    clock: Clock = field(default_factory=SystemClock)
    random: Callable[[], float] = random.random
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    """Where the platform's keys are; not looked at unless probes are on."""
    authenticator: Authenticator | None = None
    """Who callers are; None leaves it to the settings."""


async def build(settings: Settings, surroundings: Surroundings | None = None) -> Service:
    """Return a service ready to run."""
    surroundings = surroundings or Surroundings()
    async with AsyncExitStack() as resources:
        telemetry = Telemetry.start(NAME)
        resources.callback(telemetry.close)
        parts = await _Parts.open(settings, surroundings, telemetry, resources)
        server = Server(
            settings.listen_address,
            telemetry=telemetry,
            authenticator=surroundings.authenticator or _authenticator(settings),
            limits=settings.call_limits,
        )
        clock = surroundings.clock
        servicer = HealthServicer(parts.opened.store, parts.records, clock, server.draining)
        server.add(health_service_pb2_grpc.add_HealthServiceServicer_to_server, servicer)
        return Service(
            name=NAME,
            server=server,
            prepare=parts.prepare,
            tasks=parts.tasks,
            resources=resources.pop_all(),
            drain_seconds=settings.drain_seconds,
            clock=clock,
        )
    raise AssertionError("an exit stack swallows nothing")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Base:
    """What most parts need."""

    settings: Settings
    surroundings: Surroundings
    telemetry: Telemetry
    resources: AsyncExitStack
    database: Database
    leases: Leases
    directory: ProviderDirectory

    @property
    def clock(self) -> Clock:
        return self.surroundings.clock


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """Everything of the service that outlives a call."""

    opened: OpenedStore
    records: Records
    tasks: list[BackgroundTask]

    @classmethod
    async def open(
        cls,
        settings: Settings,
        surroundings: Surroundings,
        telemetry: Telemetry,
        resources: AsyncExitStack,
    ) -> "_Parts":
        clock = surroundings.clock
        database = await _database(settings, resources)
        base = _Base(
            settings=settings,
            surroundings=surroundings,
            telemetry=telemetry,
            resources=resources,
            database=database,
            leases=Leases(database, clock, holder=new_id("replica")),
            directory=await _directory(settings, clock, telemetry, resources),
        )
        target = settings.alert_webhook
        outbox = WebhookOutbox(database, clock) if target is not None else None
        sources = StatusSources(base.directory, settings.status_urls, read_status_rules())
        records = _records(base, sources, outbox)
        keeper = AlertKeeper(records.changes, records.alerts, clock)
        wiring = _wiring(records, surroundings)
        opened = await open_store(settings.redis_url, wiring, clock, telemetry, resources)
        tasks = [
            BackgroundTask("windows", opened.run),
            BackgroundTask("alerts", lambda: _keep_alerts(keeper, opened, records)),
            BackgroundTask("alerts-prune", keeper.prune_daily),
            BackgroundTask("maintenance", records.maintenance.run),
            BackgroundTask("providers", base.directory.run),
            *await _status_tasks(base, sources, records),
            *await _probe_tasks(base, opened),
        ]
        if target is not None and outbox is not None:
            tasks.append(await _webhook_task(base, target, outbox))
        return cls(opened=opened, records=records, tasks=tasks)

    async def prepare(self) -> None:
        """Read what was planned and what status pages said last."""
        await self.records.maintenance.refresh()
        await self.records.pages.refresh()


def _records(base: _Base, sources: StatusSources, outbox: WebhookOutbox | None) -> Records:
    incidents = IncidentStore(base.database)
    steward = StewardStore(base.database, base.clock)
    return Records(
        changes=ChangeLog(),
        alerts=AlertStore(base.database, base.clock, outbox=outbox),
        incidents=incidents,
        pages=StatusBook(incidents, sources, base.clock),
        steward=steward,
        maintenance=MaintenanceBook(steward, base.clock),
    )


async def _keep_alerts(keeper: AlertKeeper, opened: OpenedStore, records: Records) -> None:
    # Alerts that a former process left open end only if nobody else sees what they are about.
    await opened.learnt()
    await keeper.settle([each.subject for each in records.changes.present])
    await keeper.run()


async def _status_tasks(
    base: _Base, sources: StatusSources, records: Records
) -> list[BackgroundTask]:
    feeds = FeedDownloader(base.clock, STATUS_POLICY)
    ports = PollPorts(
        feeds=await base.resources.enter_async_context(feeds),
        store=records.incidents,
        leases=base.leases,
        clock=base.clock,
        random=base.surroundings.random,
    )
    poller = StatusPoller(
        sources,
        records.pages,
        ports,
        base.telemetry.meter,
        poll_seconds=base.settings.status_poll_seconds,
    )
    return [
        BackgroundTask("status-book", records.pages.run),
        BackgroundTask("status-poll", poller.run),
    ]


async def _probe_tasks(base: _Base, opened: OpenedStore) -> list[BackgroundTask]:
    surroundings = ProbeSurroundings(
        subjects=BoardSubjects(opened.board, opened.store, base.clock),
        providers=lambda: base.directory.providers,
        environment=base.surroundings.environment,
        database=base.database,
        leases=base.leases,
        telemetry=base.telemetry,
        clock=base.clock,
    )
    prober = await open_prober(base.settings, surroundings, base.resources)
    return [] if prober is None else [BackgroundTask("probes", prober.run)]


async def _webhook_task(
    base: _Base, target: WebhookTarget, outbox: WebhookOutbox
) -> BackgroundTask:
    sender = await base.resources.enter_async_context(WebhookSender(target, base.clock))
    courier = WebhookCourier(outbox, sender, base.leases, base.clock)
    return BackgroundTask("webhooks", courier.run)


def _wiring(records: Records, surroundings: Surroundings) -> Wiring:
    clock, changes = surroundings.clock, records.changes

    def tell(observed: Observed) -> None:
        now = clock.now()
        changes.add(StateChange.of(observed, now, changes.next_version(now)))

    overlay = KnownOverlay(lambda: records.pages.pages, lambda: records.maintenance.plan, clock)
    return Wiring(overlay=overlay, tell=tell, random=surroundings.random)


async def _database(settings: Settings, resources: AsyncExitStack) -> Database:
    url = settings.database_url.get_secret_value() if settings.database_url else None
    database = await Database.open(NAME, data_dir=settings.data_dir, url=url, migrations=MIGRATIONS)
    resources.push_async_callback(database.close)
    return database


async def _directory(
    settings: Settings, clock: Clock, telemetry: Telemetry, resources: AsyncExitStack
) -> ProviderDirectory:
    registry = registry_service_pb2.DESCRIPTOR.services_by_name["RegistryService"]
    channel = open_channel(settings.registry_address, [registry], telemetry=telemetry)
    return ProviderDirectory(await resources.enter_async_context(channel), clock)


def _authenticator(settings: Settings) -> Authenticator:
    return RejectingAuthenticator() if settings.is_auth_on else AnonymousAuthenticator()
