"""Everything that reads status pages, on a database of the test's own."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from steelyard_common.database import Database
from steelyard_common.feeds import FeedDownloader
from steelyard_common.leases import Leases
from steelyard_common.telemetry import Telemetry
from steelyard_health.adapters.incident_store import IncidentStore
from steelyard_health.adapters.status_book import StatusBook
from steelyard_health.adapters.status_poller import STATUS_POLICY, PollPorts, StatusPoller
from steelyard_health.adapters.status_sources import StatusSources, StatusUrls
from steelyard_health.domain.provider import Provider
from steelyard_health.domain.status.page import PageStatus
from tests.fakes import FakeClock
from tests.health.status.pages import RULES


@dataclass
class FakeDirectory:
    """A registry that knows what the test says."""

    providers: Mapping[str, Provider] = field(default_factory=dict)

    def name(self, *providers: Provider) -> None:
        self.providers = {each.provider: each for each in providers}


def provider(
    name: str,
    url: str = "",
    status_format: str = "statuspage",
    page_url: str = "https://status.test",
) -> Provider:
    return Provider(
        provider=name,
        display_name=name,
        status_page_url=page_url,
        status_api_url=url,
        status_format=status_format,
    )


STUCK_LOOKS = 500
TICK_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Replica:
    """One process's worth of it."""

    directory: FakeDirectory
    store: IncidentStore
    book: StatusBook
    poller: StatusPoller
    telemetry: Telemetry
    clock: FakeClock

    def page(self, name: str = "acme") -> PageStatus:
        return self.book.pages[name]

    def count(self, result: str, name: str = "acme") -> int:
        """Return how many polls of a provider ended in a way."""
        labels = f'provider="{name}",result="{result}"'
        for line in self.telemetry.prometheus_text().decode().splitlines():
            if line.startswith("steelyard_health_status_polls") and labels in line:
                return int(float(line.split()[-1]))
        return 0

    async def until_counted(self, result: str, count: int, name: str = "acme") -> None:
        """Wait until so many polls of a provider ended in a way, and the book knows."""
        async with asyncio.timeout(20):
            looks = 0
            while self.count(result, name) < count:
                await asyncio.sleep(0.001)
                looks += 1
                if looks % STUCK_LOOKS == 0:
                    # The clock moved on while the poller waited for the database, not for it.
                    await self.clock.advance(TICK_SECONDS)
        await self.book.refresh()


async def pass_time(clock: FakeClock, seconds: float, *, sleepers: int = 1) -> None:
    """Move the clock on once all replicas wait for it."""
    async with asyncio.timeout(20):
        while clock.sleeper_count < sleepers:  # noqa: ASYNC110 - a database works
            await asyncio.sleep(0.001)
    await clock.advance(seconds)


@asynccontextmanager
async def replica(
    database: Database,
    clock: FakeClock,
    directory: FakeDirectory,
    *,
    holder: str = "one",
    store: IncidentStore | None = None,
) -> AsyncIterator[Replica]:
    """Give a replica whose poller runs; polls are spread as if chance were always in the middle."""
    telemetry = Telemetry.start("test")
    store = store or IncidentStore(database)
    sources = StatusSources(directory, StatusUrls(), RULES)
    book = StatusBook(store, sources, clock)
    async with FeedDownloader(clock, STATUS_POLICY) as feeds:
        ports = PollPorts(
            feeds=feeds,
            store=store,
            leases=Leases(database, clock, holder=holder),
            clock=clock,
            random=lambda: 0.5,
        )
        poller = StatusPoller(sources, book, ports, telemetry.meter)
        task = asyncio.create_task(poller.run())
        try:
            yield Replica(
                directory=directory,
                store=store,
                book=book,
                poller=poller,
                telemetry=telemetry,
                clock=clock,
            )
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            telemetry.close()
