"""The only way to a Redis: bounded in time, without hidden retries, soon given up.

A Redis here is a cache that may be lost at any moment. redis-py alone would wait for a frozen one
for seconds, with ten retries; a call here ends after 50 ms, and after five that failed the Redis is
away: calls are refused at once, and one every five seconds looks whether it is back.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn, TypeVar

import structlog
from opentelemetry.metrics import Meter
from pydantic import SecretStr
from redis.asyncio import BlockingConnectionPool, Redis, SSLConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import BusyLoadingError, RedisError

from steelyard_common.redis_breaker import RedisBreaker, Turn
from steelyard_common.redis_failures import is_garbage, kind_of
from steelyard_common.redis_url import RedisUrl

CALL_SECONDS = 0.05
POOL_WAIT_SECONDS = 0.25
POOL_SIZE = 8
BLOCKING_POOL_SIZE = 4
BLOCKING_GRACE_SECONDS = 1.0
CLIENT_NAME = "steelyard"

T = TypeVar("T")
Command = Callable[[Redis], Awaitable[T]]

logger = structlog.get_logger(__name__)


class RedisAwayError(Exception):
    """Redis cannot be used now; `kind` is one word about why, without any address."""

    def __init__(self, kind: str) -> None:
        super().__init__(f"redis is away: {kind}")
        self.kind = kind


class RedisGarbageError(Exception):
    """Redis works, but what it holds, or answers, is not what was asked for."""


class RedisLink:
    """Connections to one Redis, and the knowledge whether it answers.

    A command is a function of a redis-py client. Its replies are bytes (`protocol=2`, the one that
    every server and proxy speaks). It must not open transactions that outlive it.
    """

    def __init__(
        self,
        url: SecretStr,
        *,
        breaker: RedisBreaker,
        meter: Meter,
        client_name: str = CLIENT_NAME,
        call_seconds: float = CALL_SECONDS,
    ) -> None:
        """Connect to nothing yet.

        Args:
            url: `redis://[user:password@]host[:port][/database]`, or `rediss://` for TLS.
            breaker: Of this link alone.
            meter: Counts failures by kind, and says whether Redis is away.
            client_name: What operators see in CLIENT LIST, without spaces.
            call_seconds: How long `call` may take, connecting included.

        Raises:
            ValueError: The URL is wrong; the message does not quote it.
        """
        place = RedisUrl.parse(url)
        tls = ssl.create_default_context() if place.is_tls else None
        self._breaker = breaker
        self._turns = asyncio.Semaphore(POOL_SIZE)
        self._call_seconds = call_seconds
        common = _connection_options(place, client_name, tls)
        common["socket_connect_timeout"] = call_seconds
        self._quick = _client(POOL_SIZE, socket_timeout=call_seconds, **common)
        self._patient = _client(BLOCKING_POOL_SIZE, socket_timeout=None, **common)
        self._failures = meter.create_counter(
            "steelyard.redis.failures",
            unit="{call}",
            description="Calls of Redis that failed, by kind.",
        )
        self._away = meter.create_gauge(
            "steelyard.redis.away", description="1 while Redis is given up, else 0."
        )
        self._away.set(0)

    @property
    def is_away(self) -> bool:
        """Whether Redis has been given up until it answers again."""
        return self._breaker.is_away

    async def call(self, command: Command[T]) -> T:
        """Run a command that Redis answers at once.

        Returns within 50 ms, plus at most 250 ms when more callers wait than there are connections.

        Raises:
            RedisAwayError: There is no answer, or one that says that Redis cannot serve.
            RedisGarbageError: A key is of another type, or the answer has no sense.
        """
        self._refuse_while_away()
        await self._take_turn()
        try:
            if not self._breaker.admit():
                raise RedisAwayError("away")
            result = await self._run(self._quick, command, self._call_seconds)
        finally:
            self._turns.release()
        self._note_success()
        return result

    async def call_blocking(self, command: Command[T], block_seconds: float) -> T:
        """Run a command that Redis may hold back for `block_seconds`, or whose answer is long.

        It has connections of its own, and a second more than it asks for. An answer says nothing of
        how fast Redis is, so it never ends an absence: `call` does.

        Raises:
            RedisAwayError: As `call`; at once while Redis is away.
            RedisGarbageError: As `call`.
        """
        if self.is_away:
            raise RedisAwayError("away")
        return await self._run(self._patient, command, block_seconds + BLOCKING_GRACE_SECONDS)

    async def close(self) -> None:
        """Close all connections; calls afterwards open new ones."""
        for client in (self._quick, self._patient):
            await client.aclose()

    def _refuse_while_away(self) -> None:
        if self._breaker.refuses:
            raise RedisAwayError("away")

    async def _take_turn(self) -> None:
        # Waiting for a connection is not the fault of Redis: it neither counts as a failure nor
        # uses up the time of the call.
        try:
            async with asyncio.timeout(POOL_WAIT_SECONDS):
                await self._turns.acquire()
        except TimeoutError:
            self._count("busy")
            raise RedisAwayError("busy") from None

    async def _run(self, client: Redis, command: Command[T], seconds: float) -> T:
        before = _cancellations()
        try:
            # The timeouts of redis-py are of single reads and writes: this one is of them all.
            async with asyncio.timeout(seconds):
                result = await command(client)
        except RedisError as error:
            if not is_garbage(error):
                await self._fail(client, error)
            self._count("garbage")
            if client is self._quick:
                self._note_success()
            raise RedisGarbageError("a key of another type") from None
        except (OSError, EOFError) as error:  # among them TimeoutError
            await self._fail(client, error)
        except (ValueError, TypeError, LookupError) as error:
            # redis-py could not make anything of a reply.
            self._count("garbage")
            raise RedisGarbageError("an answer without sense") from error
        if _cancellations() > before:
            # redis-py goes on when it is cancelled while it connects.
            raise asyncio.CancelledError
        return result

    async def _fail(self, client: Redis, error: Exception) -> NoReturn:
        kind = kind_of(error)
        self._count(kind)
        if self._breaker.failed() is Turn.WENT_AWAY:
            self._away.set(1)
            logger.warning("redis is away", problem=kind)
        if isinstance(error, RedisError) and _is_answer(error):
            await self._leave(client)
        raise RedisAwayError(kind) from None  # the cause may name hosts

    async def _leave(self, client: Redis) -> None:
        """Drop idle connections: after a failover the name may lead to another server."""
        try:
            async with asyncio.timeout(self._call_seconds):
                await client.connection_pool.disconnect(inuse_connections=False)
        except (OSError, RedisError):
            logger.debug("idle connections did not close in time")

    def _count(self, kind: str) -> None:
        self._failures.add(1, {"kind": kind})

    def _note_success(self) -> None:
        if self._breaker.succeeded() is Turn.CAME_BACK:
            self._away.set(0)
            logger.info("redis is back")


def _cancellations() -> int:
    """Return how often the present task was asked to end."""
    task = asyncio.current_task()
    return 0 if task is None else task.cancelling()


def _is_answer(error: RedisError) -> bool:
    """Whether the connection is intact: the server said that it cannot serve."""
    return isinstance(error, BusyLoadingError) or kind_of(error).isupper()


class _TlsConnection(SSLConnection):
    """Shares one context: redis-py would read the trusted certificates for each connection.

    That takes 45 ms, nearly all that a call has, and everything else waits meanwhile.
    """

    def __init__(self, *, tls: ssl.SSLContext, **options: Any) -> None:
        super().__init__(**options)
        self.ssl_context.context = tls


def _connection_options(
    place: RedisUrl, client_name: str, tls: ssl.SSLContext | None
) -> dict[str, Any]:
    secure = {"connection_class": _TlsConnection, "tls": tls} if tls else {}
    return {
        "host": place.host,
        "port": place.port,
        "db": place.database,
        "username": place.username,
        "password": place.password.get_secret_value() if place.password else None,
        "client_name": client_name,
        "driver_info": None,  # saves a round trip per connection
        "protocol": 2,
        **secure,
    }


def _client(size: int, *, socket_timeout: float | None, **options: Any) -> Redis:
    pool = BlockingConnectionPool(
        max_connections=size,
        timeout=POOL_WAIT_SECONDS,
        socket_timeout=socket_timeout,
        socket_keepalive=True,
        retry=Retry(NoBackoff(), 0),
        retry_on_timeout=False,
        health_check_interval=0,
        **options,
    )
    return Redis.from_pool(pool)
