"""Replicas of the health service's store that share one Valkey."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from steelyard_common.redis_link import RedisLink
from steelyard_common.telemetry import Telemetry
from steelyard_health.adapters.circuit_exchange import CircuitExchange, StockedPermits
from steelyard_health.adapters.memory_store import MemoryHealthStore, Wiring
from steelyard_health.adapters.replica_log import ReplicaLog
from steelyard_health.adapters.replica_stream import ReplicaStream
from steelyard_health.adapters.shared_records import SharedRecords
from steelyard_health.adapters.shared_store import SharedHealthStore
from steelyard_health.domain.circuit import CircuitState
from steelyard_health.domain.outcome import Outcome, Result
from steelyard_health.domain.view import HealthView
from tests.health.outcomes import OFFER, PROVIDER, TENANT, an_outcome
from tests.health.shared.conftest import HastyClock

WAIT_SECONDS = 20.0
POLL_SECONDS = 0.005


class RecordsOfTheTest(SharedRecords):
    """Tells the time by a clock that the test sets forward."""

    def __init__(self, link: RedisLink, clock: HastyClock) -> None:
        super().__init__(link)
        self._clock = clock

    async def now(self) -> float:
        return await super().now() + self._clock.ahead_seconds


class Replica:
    """One replica that runs."""

    def __init__(self, link: RedisLink, clock: HastyClock, telemetry: Telemetry) -> None:
        permits = StockedPermits()
        exchange = CircuitExchange(RecordsOfTheTest(link, clock), permits, clock)
        wiring = Wiring(random=lambda: 0.5, desk=permits, when_moved=exchange.note)
        self.local = MemoryHealthStore(clock, wiring)
        self.store = SharedHealthStore(self.local, exchange, clock)
        self.log = ReplicaLog(
            ReplicaStream(link), self.store.hear, clock=clock, meter=telemetry.meter
        )
        self.store.connect(self.log)

    async def add(self, results: str, *, tenant: str = TENANT, offer: str = OFFER) -> None:
        """Report `S`uccesses and `F`ailures."""
        kinds = {"S": Result.SUCCESS, "F": Result.SERVER_ERROR}
        await self.report(
            *(an_outcome(kinds[each], offer=offer) for each in results), tenant=tenant
        )

    async def report(self, *outcomes: Outcome, tenant: str = TENANT) -> int:
        return await self.store.record(tenant, outcomes)

    async def offer(self, offer: str = OFFER, *, tenant: str = TENANT) -> HealthView:
        return (await self.store.offers(tenant, [offer]))[0].view

    async def samples(self, offer: str = OFFER, *, tenant: str = TENANT) -> int:
        return (await self.offer(offer, tenant=tenant)).figures.sample_count

    async def circuit(self, *, tenant: str = TENANT) -> CircuitState:
        views = dict(await self.store.offers_of(tenant, PROVIDER))
        return views[OFFER].circuit if OFFER in views else CircuitState.CLOSED


@asynccontextmanager
async def running(replica: Replica) -> AsyncIterator[Replica]:
    """Run a replica, and stop it at the end."""
    task = asyncio.create_task(replica.store.run())
    try:
        await asyncio.wait_for(replica.log.caught_up.wait(), WAIT_SECONDS)
        yield replica
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def eventually(holds: Callable[[], "asyncio.Future[bool] | object"]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(WAIT_SECONDS):
        while True:
            found = holds()
            if await found if asyncio.iscoroutine(found) else found:
                return
            await asyncio.sleep(POLL_SECONDS)
