"""Links to the test's own Valkey, and replicas that use them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any, Protocol

import pytest
from pydantic import SecretStr

from steelyard_common.clock import SystemClock
from steelyard_common.redis_breaker import RedisBreaker
from steelyard_common.redis_link import RedisLink
from steelyard_common.telemetry import Telemetry
from steelyard_health.adapters.replica_outbox import ReplicaOutbox
from steelyard_health.adapters.replica_stream import ReplicaStream
from tests.health.shared.log_replica import Replica, Starter
from tests.redis_proxy import RedisProxy
from tests.valkey import Valkey

BEARABLE_SECONDS = 0.5
"""Other tests may keep the machine busy, and what is tested here is not how long a call takes."""


class HastyClock(SystemClock):
    """Sleeps a tenth of what it is told, and can be set forward."""

    def __init__(self) -> None:
        self.ahead_seconds = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead_seconds

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / 10)


class Linker(Protocol):
    """Links to a URL, and looks again soon when Redis is away."""

    def __call__(self, url: str, call_seconds: float = ...) -> RedisLink:
        """Return a link that the fixture closes."""


@pytest.fixture
def hasty() -> HastyClock:
    return HastyClock()


@pytest.fixture
async def link_to(telemetry: Telemetry, hasty: HastyClock) -> AsyncIterator[Linker]:
    async with AsyncExitStack() as stack:

        def link(url: str, call_seconds: float = BEARABLE_SECONDS) -> RedisLink:
            link = RedisLink(
                SecretStr(url),
                breaker=RedisBreaker(hasty, lambda: 0.5, look_again_seconds=0.05),
                meter=telemetry.meter,
                call_seconds=call_seconds,
            )
            stack.push_async_callback(link.close)
            return link

        yield link


@pytest.fixture
async def proxy(valkey: Valkey) -> AsyncIterator[RedisProxy]:
    async with RedisProxy(target_port=valkey.port) as proxy:
        yield proxy


@pytest.fixture
async def replica_at(
    link_to: Linker, hasty: HastyClock, telemetry: Telemetry
) -> AsyncIterator[Starter]:
    """Return a function that starts a replica with a link to a URL."""
    async with AsyncExitStack() as stack:

        def start(
            url: str,
            *,
            outbox: ReplicaOutbox | None = None,
            call_seconds: float = BEARABLE_SECONDS,
            **bounds: Any,
        ) -> Replica:
            stream = ReplicaStream(link_to(url, call_seconds), **bounds)
            replica = Replica(stream, hasty, telemetry, outbox)
            replica.start()
            stack.push_async_callback(replica.stop)
            return replica

        yield start
