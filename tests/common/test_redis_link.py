"""The link on a real server that is killed, frozen, slow, refusing, or talks nonsense."""

import asyncio
import traceback
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Protocol

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis
from structlog.testing import capture_logs

from steelyard_common.redis_breaker import RedisBreaker
from steelyard_common.redis_link import (
    CALL_SECONDS,
    POOL_SIZE,
    RedisAwayError,
    RedisGarbageError,
    RedisLink,
)
from steelyard_common.redis_script import RedisScript
from steelyard_common.redis_url import RedisUrl
from steelyard_common.telemetry import Telemetry
from tests.fakes import FakeClock
from tests.redis_proxy import RedisProxy
from tests.valkey import Valkey

CANARY = "hunter2-canary"

BEARABLE_SECONDS = 1.0
"""Other tests may keep the machine busy; only those of silence wait no longer than production."""


class Linker(Protocol):
    """Links to a URL; pauses while away are five seconds exactly."""

    def __call__(self, url: str, call_seconds: float = ...) -> RedisLink:
        """Return a link that the fixture closes."""


@pytest.fixture
async def link_to(telemetry: Telemetry, clock: FakeClock) -> AsyncIterator[Linker]:
    async with AsyncExitStack() as stack:

        def link(url: str, call_seconds: float = BEARABLE_SECONDS) -> RedisLink:
            link = RedisLink(
                SecretStr(url),
                breaker=RedisBreaker(clock, lambda: 0.5),
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


async def ping(redis: Redis) -> bool:
    return bool(await redis.ping())


async def fail(link: RedisLink, times: int = 1) -> list[str]:
    """Return why so many calls found Redis away."""
    kinds = []
    for _ in range(times):
        with pytest.raises(RedisAwayError) as caught:
            await link.call(ping)
        kinds.append(caught.value.kind)
    return kinds


async def test_a_command_is_answered_and_the_client_has_a_name(
    valkey: Valkey, link_to: Linker
) -> None:
    link = link_to(valkey.url)

    async def names(redis: Redis) -> list[str]:
        return [client["name"] for client in await redis.client_list()]

    assert "steelyard" in await link.call(names)
    assert not link.is_away


async def test_a_connection_begins_with_nothing_but_its_name(
    proxy: RedisProxy, link_to: Linker
) -> None:
    await link_to(proxy.url).call(ping)

    assert proxy.request_bytes.count(b"*") == 2
    assert b"SETNAME" in proxy.request_bytes


async def test_after_five_failures_nothing_is_tried_until_five_seconds_have_passed(
    proxy: RedisProxy, link_to: Linker, clock: FakeClock
) -> None:
    link = link_to(proxy.url)
    proxy.is_closed = True

    assert await fail(link, 5) == ["connection"] * 5
    assert link.is_away
    assert proxy.connection_count == 5
    await clock.advance(4.999)
    assert await fail(link, 20) == ["away"] * 20
    assert proxy.connection_count == 5
    await clock.advance(0.001)
    assert await fail(link, 20) == ["connection"] + ["away"] * 19
    assert proxy.connection_count == 6

    proxy.is_closed = False
    await clock.advance(5)
    assert await link.call(ping)
    assert not link.is_away
    assert await link.call(ping)


async def test_four_failures_and_a_success_begin_the_count_again(
    proxy: RedisProxy, link_to: Linker
) -> None:
    link = link_to(proxy.url)
    for _ in range(3):
        proxy.scripted[b"PING"] = b"-LOADING Valkey is loading the dataset in memory\r\n"
        await fail(link, 4)
        proxy.scripted.clear()
        await link.call(ping)

    assert not link.is_away


async def test_going_away_and_coming_back_are_a_line_each(
    proxy: RedisProxy, link_to: Linker, clock: FakeClock
) -> None:
    link = link_to(proxy.url)
    proxy.is_closed = True
    with capture_logs() as lines:
        for _ in range(4):
            await fail(link, 10)
            await clock.advance(5)
        proxy.is_closed = False
        await link.call(ping)
        await link.call(ping)

    seen = [(line["event"], line["log_level"]) for line in lines]
    assert seen == [("redis is away", "warning"), ("redis is back", "info")]
    assert lines[0]["problem"] == "connection"


@pytest.mark.parametrize(("number", "seconds"), [(0.0, 4.0), (1.0, 6.0)])
def test_pauses_differ_by_a_fifth(clock: FakeClock, number: float, seconds: float) -> None:
    breaker = RedisBreaker(clock, lambda: number)
    for _ in range(5):
        breaker.failed()

    clock._elapsed = seconds - 0.001
    assert not breaker.admit()
    clock._elapsed = seconds
    assert breaker.admit()
    assert not breaker.admit()


async def test_a_killed_server_is_away_and_a_restarted_one_is_found_again(
    valkey: Valkey, link_to: Linker, clock: FakeClock
) -> None:
    link = link_to(valkey.url)
    await link.call(ping)

    valkey.kill()
    await fail(link, 6)
    await valkey.restart()
    await clock.advance(5)

    assert await link.call(ping)


async def test_a_restart_between_two_calls_is_not_noticed(valkey: Valkey, link_to: Linker) -> None:
    link = link_to(valkey.url)
    await link.call(ping)

    await valkey.restart()

    assert await link.call(ping)


async def test_a_frozen_server_is_given_up_and_asked_again_when_it_goes_on(
    valkey: Valkey, link_to: Linker, clock: FakeClock
) -> None:
    link = link_to(valkey.url, 0.2)
    await link.call(ping)

    valkey.freeze()
    assert await fail(link, 6) == ["timeout"] * 5 + ["away"]
    valkey.thaw()
    await clock.advance(5)

    assert await link.call(ping)


async def test_many_callers_of_a_frozen_server_cost_few_connections(
    valkey: Valkey, proxy: RedisProxy, link_to: Linker
) -> None:
    link = link_to(proxy.url, CALL_SECONDS)
    valkey.freeze()

    results = await asyncio.gather(*(link.call(ping) for _ in range(400)), return_exceptions=True)

    assert {type(result) for result in results} == {RedisAwayError}
    assert proxy.connection_count <= 2 * POOL_SIZE
    assert link.is_away


async def test_many_callers_of_a_cold_pool_are_all_answered(
    valkey: Valkey, link_to: Linker
) -> None:
    link = link_to(valkey.url)

    assert all(await asyncio.gather(*(link.call(ping) for _ in range(200))))


async def test_a_slow_server_is_given_up_though_long_reads_still_work(
    proxy: RedisProxy, link_to: Linker
) -> None:
    link = link_to(proxy.url, CALL_SECONDS)
    proxy.latency_seconds = 0.2

    for _ in range(5):
        assert await link.call_blocking(ping, 1)
        await fail(link)

    assert link.is_away
    with pytest.raises(RedisAwayError):
        await link.call_blocking(ping, 1)


async def test_a_long_read_of_a_frozen_server_ends(valkey: Valkey, link_to: Linker) -> None:
    link = link_to(valkey.url, CALL_SECONDS)
    valkey.freeze()

    with pytest.raises(RedisAwayError, match="timeout"):
        await link.call_blocking(ping, 0)


async def test_a_read_that_is_held_back_ends_without_a_failure(
    valkey: Valkey, link_to: Linker
) -> None:
    link = link_to(valkey.url)

    async def wait(redis: Redis) -> object:
        return await redis.xread({"nothing": "0-0"}, block=200)

    assert await link.call_blocking(wait, 0.2) == []


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"-LOADING Valkey is loading the dataset in memory\r\n", "LOADING"),
        (b"-READONLY You can't write against a read only replica.\r\n", "READONLY"),
        (b"-MOVED 3999 10.0.0.7:6381\r\n", "MOVED"),
        (b"-CLUSTERDOWN The cluster is down\r\n", "CLUSTERDOWN"),
        (b"-MASTERDOWN Link with MASTER is down\r\n", "MASTERDOWN"),
        (b"-TRYAGAIN Multiple keys request during rehashing\r\n", "TRYAGAIN"),
        (b"-OOM command not allowed when used memory > 'maxmemory'.\r\n", "OOM"),
        (b"-MISCONF Errors writing to the AOF file\r\n", "MISCONF"),
        (b"-NOPERM this user has no permissions\r\n", "NOPERM"),
        (b"-NOAUTH Authentication required.\r\n", "credentials"),
        (b"-BUSY script is running\r\n", "BUSY"),
        (b"-ERR max number of clients reached\r\n", "connection"),
        (b"-ERR unknown command 'PING'\r\n", "ERR"),
        (b"-\xff\xfe\r\n", "ERR"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "protocol"),
    ],
)
async def test_a_server_that_cannot_serve_is_away(
    proxy: RedisProxy, link_to: Linker, answer: bytes, kind: str
) -> None:
    link = link_to(proxy.url)
    proxy.scripted[b"PING"] = answer

    assert await fail(link, 6) == [kind] * 5 + ["away"]


async def test_a_server_that_loads_is_away_from_the_first_byte(
    proxy: RedisProxy, link_to: Linker
) -> None:
    proxy.scripted[b"SETNAME"] = b"-LOADING Valkey is loading the dataset in memory\r\n"

    assert await fail(link_to(proxy.url)) == ["LOADING"]


async def test_after_a_failover_the_name_is_looked_up_again(
    proxy: RedisProxy, link_to: Linker
) -> None:
    link = link_to(proxy.url)
    await link.call(ping)
    proxy.scripted[b"PING"] = b"-READONLY You can't write against a read only replica.\r\n"
    await fail(link)
    proxy.scripted.clear()

    await link.call(ping)

    assert proxy.connection_count == 2


async def test_a_key_of_another_type_is_garbage_and_never_an_absence(
    valkey: Valkey, link_to: Linker
) -> None:
    link = link_to(valkey.url)

    async def write(redis: Redis) -> object:
        await redis.set("key", "text")
        return await redis.xlen("key")

    for _ in range(10):
        with pytest.raises(RedisGarbageError):
            await link.call(write)

    assert not link.is_away


async def test_an_answer_without_sense_is_garbage(proxy: RedisProxy, link_to: Linker) -> None:
    proxy.scripted[b"TIME"] = b":5\r\n"

    async def time(redis: Redis) -> object:
        return await redis.time()

    with pytest.raises(RedisGarbageError):
        await link_to(proxy.url).call(time)


async def test_a_look_that_is_cancelled_leaves_the_next_turn_to_others(
    valkey: Valkey, link_to: Linker, clock: FakeClock
) -> None:
    link = link_to(valkey.url, 0.2)
    valkey.freeze()
    await fail(link, 5)
    await clock.advance(5)

    look = asyncio.create_task(link.call(ping))
    await asyncio.sleep(0)
    look.cancel()
    with pytest.raises(asyncio.CancelledError):
        await look
    valkey.thaw()

    assert await fail(link) == ["away"]
    await clock.advance(5)
    assert await link.call(ping)


async def test_scripts_that_were_flushed_are_sent_again(valkey: Valkey, link_to: Linker) -> None:
    link = link_to(valkey.url)
    script = RedisScript("return {KEYS[1], ARGV[1]}")

    async def command(redis: Redis) -> object:
        return await script.run(redis, ["a"], [b"b"])

    for _ in range(3):
        assert await link.call(command) == [b"a", b"b"]
        async with valkey.client() as client:
            await client.script_flush()


async def test_the_password_is_used_and_shown_nowhere(valkey: Valkey, link_to: Linker) -> None:
    async with valkey.client() as client:
        await client.config_set("requirepass", CANARY)
        try:
            assert await link_to(f"redis://:{CANARY}@127.0.0.1:{valkey.port}").call(ping)
            refused = link_to(f"redis://:{CANARY}-wrong@127.0.0.1:{valkey.port}")
            with capture_logs() as lines:
                shown = []
                for _ in range(5):
                    with pytest.raises(RedisAwayError, match="credentials") as caught:
                        await refused.call(ping)
                    shown += traceback.format_exception(caught.value)
        finally:
            await client.config_set("requirepass", "")

    assert len(lines) == 1
    assert CANARY not in repr((refused, lines, shown))
    assert str(valkey.port) not in repr(lines)


async def test_tls_is_spoken_or_nothing(valkey: Valkey, link_to: Linker) -> None:
    """A server without TLS gets no plain text from a link that wants it."""
    async with RedisProxy(target_port=valkey.port) as proxy:
        link = link_to(proxy.url.replace("redis://", f"rediss://:{CANARY}@"))

        await fail(link)

        assert proxy.connection_count == 1
        assert CANARY.encode() not in proxy.request_bytes


async def test_metrics_tell_whether_redis_is_away_and_why(
    proxy: RedisProxy, link_to: Linker, telemetry: Telemetry
) -> None:
    link = link_to(proxy.url)
    assert b"steelyard_redis_away 0.0" in telemetry.prometheus_text()
    proxy.is_closed = True
    await fail(link, 7)

    text = telemetry.prometheus_text().decode()

    assert "steelyard_redis_away 1.0" in text
    assert 'steelyard_redis_failures_total{kind="connection"} 5.0' in text


@pytest.mark.parametrize(
    "url",
    [
        "",
        CANARY,
        f"http://{CANARY}@cache:6379",
        f"redis://:{CANARY}@",
        f"redis://:{CANARY}@cache:port",
        f"redis://:{CANARY}@cache:99999",
        f"redis://:{CANARY}@[cache",
        f"redis://:{CANARY}@cache/{CANARY}",
        f"redis://:{CANARY}@cache/12345678901234567890",
        f"redis://:{CANARY}@cache/-1",
        f"redis://:{CANARY}@cache?socket_timeout=99",
        f"redis://:{CANARY}@cache#{CANARY}",
        f"unix://{CANARY}",
    ],
)
def test_a_wrong_url_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(ValueError, match="must") as caught:
        RedisUrl.parse(SecretStr(url))

    assert CANARY not in "".join(traceback.format_exception(caught.value))


def test_a_url_is_taken_apart() -> None:
    url = RedisUrl.parse(SecretStr("rediss://me:p%40ss@cache.example/3"))

    assert (url.host, url.port, url.database, url.is_tls) == ("cache.example", 6379, 3, True)
    assert url.username == "me"
    assert url.password == SecretStr("p@ss")
    assert "p@ss" not in repr(url)
