"""The store as the settings want it: in this process alone, or shared through Redis."""

import random
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace

from pydantic import SecretStr

from steelyard_common.clock import Clock
from steelyard_common.redis_breaker import RedisBreaker
from steelyard_common.redis_link import RedisLink
from steelyard_common.telemetry import Telemetry
from steelyard_health.adapters.circuit_exchange import CircuitExchange, StockedPermits
from steelyard_health.adapters.memory_store import MemoryHealthStore, Wiring
from steelyard_health.adapters.replica_log import ReplicaLog
from steelyard_health.adapters.replica_stream import ReplicaStream
from steelyard_health.adapters.shared_records import SharedRecords
from steelyard_health.adapters.shared_store import SharedHealthStore
from steelyard_health.domain.board import HealthBoard
from steelyard_health.domain.ports import HealthStore


async def _at_once() -> None:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedStore:
    """A store, and what keeps it going."""

    store: HealthStore
    board: HealthBoard
    run: Callable[[], Awaitable[None]]
    """Goes on as long as the process."""
    learnt: Callable[[], Awaitable[object]] = _at_once
    """Returns once what other replicas know is known here, or cannot be had."""


async def open_store(
    redis_url: SecretStr | None,
    wiring: Wiring,
    clock: Clock,
    telemetry: Telemetry,
    resources: AsyncExitStack,
) -> OpenedStore:
    """Return the store.

    Args:
        redis_url: Where replicas share; None keeps all in this process.
        wiring: What the store is connected to.
        clock: The time.
        telemetry: Counts what replicas tell each other.
        resources: Closes what is opened here.

    Raises:
        ValueError: The URL is wrong; the message does not quote it.
    """
    if redis_url is None:
        alone = MemoryHealthStore(clock, wiring)
        return OpenedStore(store=alone, board=alone.board, run=alone.run)
    meter = telemetry.meter
    link = RedisLink(redis_url, breaker=RedisBreaker(clock, random.random), meter=meter)
    resources.push_async_callback(link.close)
    permits = StockedPermits()
    exchange = CircuitExchange(SharedRecords(link), permits, clock)
    local = MemoryHealthStore(clock, replace(wiring, desk=permits, when_moved=exchange.note))
    shared = SharedHealthStore(local, exchange, clock)
    log = ReplicaLog(ReplicaStream(link), shared.hear, clock=clock, meter=meter)
    shared.connect(log)
    resources.push_async_callback(shared.close)
    return OpenedStore(store=shared, board=local.board, run=shared.run, learnt=log.caught_up.wait)
