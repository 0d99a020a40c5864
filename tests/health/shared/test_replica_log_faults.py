"""Replicas go on, whatever is done to the Redis that they tell each other through."""

import asyncio
from typing import Any

import pytest
from structlog.testing import capture_logs

from steelyard_health.adapters.replica_stream import DEFAULT_KEY
from tests.health.shared.log_replica import PATIENCE_SECONDS, Starter, add
from tests.redis_proxy import RedisProxy
from tests.valkey import Valkey


async def test_replicas_go_on_after_a_flush_and_hear_nothing_twice(
    valkey: Valkey, replica_at: Starter
) -> None:
    one, other = replica_at(valkey.url), replica_at(valkey.url)
    one.log.append(b"before")
    await other.has_heard(b"before")

    await valkey.flush()
    one.log.append(b"after")
    await other.has_heard(b"after")

    assert other.heard == [b"before", b"after"]


async def test_replicas_go_on_after_a_restart(valkey: Valkey, replica_at: Starter) -> None:
    one, other = replica_at(valkey.url), replica_at(valkey.url)
    one.log.append(b"before")
    await other.has_heard(b"before")

    valkey.kill()
    one.log.append(b"meanwhile")
    other.log.append(b"as well")
    await valkey.restart()

    await other.has_heard(b"meanwhile")
    await one.has_heard(b"as well")


async def test_a_stream_whose_clock_fell_back_is_read_from_its_beginning(
    valkey: Valkey, replica_at: Starter
) -> None:
    """As after a failover to a server that has lost the end, and whose clock is behind."""
    await add(valkey, n=b"1", p=b"first")
    replica = replica_at(valkey.url)
    await replica.caught_up()

    async with valkey.client() as client:
        await client.delete(DEFAULT_KEY)
    await add(valkey, seconds_ago=20, n=b"1", p=b"first")
    await add(valkey, seconds_ago=10, n=b"2", p=b"second")
    await replica.has_heard(b"second")

    assert replica.heard == [b"first", b"second"]


async def test_entries_numbered_below_the_last_one_are_found_after_a_failover(
    proxy: RedisProxy, valkey: Valkey, replica_at: Starter
) -> None:
    """The new server's clock is behind, but what was written there reached the old position."""
    await add(valkey, n=b"1", p=b"first")
    replica = replica_at(proxy.url)
    await replica.caught_up()
    proxy.close()
    async with valkey.client() as client:
        await client.delete(DEFAULT_KEY)
    await add(valkey, seconds_ago=5, n=b"2", p=b"second")
    await add(valkey, n=b"3", p=b"third")
    proxy.is_closed = False

    await replica.has_heard(b"second", b"third")

    assert replica.heard == [b"first", b"second", b"third"]


async def test_a_write_that_was_answered_too_late_is_heard_once(
    proxy: RedisProxy, valkey: Valkey, replica_at: Starter
) -> None:
    """Redis has run it, but the sender does not know, and tries again."""
    one, other = replica_at(proxy.url, call_seconds=0.2), replica_at(valkey.url)
    one.log.append(b"before")
    await other.has_heard(b"before")

    proxy.loses_answers_to = b"once"
    one.log.append(b"once")
    async with asyncio.timeout(PATIENCE_SECONDS):
        await proxy.has_seen(b"once", 2)
    proxy.loses_answers_to = None
    await other.has_heard(b"once")
    one.log.append(b"after")
    await other.has_heard(b"after")

    assert other.heard == [b"before", b"once", b"after"]
    async with valkey.client() as client:
        rows: Any = await client.xrange(DEFAULT_KEY)
    assert [row[1][b"p"] for row in rows].count(b"once") >= 2


async def test_replicas_go_on_after_redis_was_frozen(valkey: Valkey, replica_at: Starter) -> None:
    one, other = replica_at(valkey.url), replica_at(valkey.url)
    one.log.append(b"before")
    await other.has_heard(b"before")

    valkey.freeze()
    await one.stop()
    one.log.append(b"meanwhile")
    await one.log.flush()
    one.start()
    valkey.thaw()

    await other.has_heard(b"meanwhile")
    assert other.heard == [b"before", b"meanwhile"]


async def test_replicas_go_on_after_scripts_were_flushed(
    valkey: Valkey, replica_at: Starter
) -> None:
    one, other = replica_at(valkey.url), replica_at(valkey.url)
    for n in range(3):
        one.log.append(b"%d" % n)
        await other.has_heard(b"%d" % n)
        async with valkey.client() as client:
            await client.script_flush()


@pytest.mark.parametrize("kind", ["string", "hash"])
async def test_a_key_of_another_type_is_removed_and_said_once(
    valkey: Valkey, replica_at: Starter, kind: str
) -> None:
    one, other = replica_at(valkey.url), replica_at(valkey.url)
    one.log.append(b"before")
    await other.has_heard(b"before")
    with capture_logs() as lines:
        for n in range(2):
            async with valkey.client() as client:
                await client.delete(DEFAULT_KEY)
                if kind == "string":
                    await client.set(DEFAULT_KEY, "nonsense")
                else:
                    await client.hset(DEFAULT_KEY, "a", "b")
            one.log.append(b"%d" % n)
            await other.has_heard(b"%d" % n)

    assert {"something else stood where replicas write, and is removed"} >= {
        line["event"] for line in lines if "removed" in line["event"]
    }
    assert len(lines) <= 4  # one a replica, and one for its reads in vain


async def test_a_reader_alone_removes_a_key_of_another_type(
    valkey: Valkey, replica_at: Starter
) -> None:
    async with valkey.client() as client:
        await client.set(DEFAULT_KEY, "nonsense")

        await replica_at(valkey.url).caught_up()

        assert await client.exists(DEFAULT_KEY) == 0


@pytest.mark.parametrize(
    "last_id",
    ["18446744073709551615-18446744073709551615", "18446744073709551615-5", "9999999999999-0"],
)
async def test_a_stream_that_ends_in_the_far_future_is_removed(
    valkey: Valkey, replica_at: Starter, last_id: str
) -> None:
    """Nothing could be written after it, or ages could not be told."""
    async with valkey.client() as client:
        await client.xadd(DEFAULT_KEY, {"a": "b"}, id=last_id)
    one, other = replica_at(valkey.url), replica_at(valkey.url)
    await other.caught_up()

    one.log.append(b"news")
    await other.has_heard(b"news")

    async with valkey.client() as client:
        rows: Any = await client.xrange(DEFAULT_KEY)
    assert [row[1][b"p"] for row in rows] == [b"news"]


async def test_a_replica_starts_and_appends_while_redis_is_away(
    valkey: Valkey, replica_at: Starter
) -> None:
    valkey.kill()
    one, other = replica_at(valkey.url), replica_at(valkey.url)
    await one.caught_up()
    await other.caught_up()
    one.log.append(b"said to nobody yet")

    await valkey.restart()

    await other.has_heard(b"said to nobody yet")


@pytest.mark.parametrize(
    "answer", [b"-READONLY replica\r\n", b"-LOADING soon\r\n", b"-OOM full\r\n", b":7\r\n"]
)
async def test_replicas_go_on_after_redis_could_not_serve(
    proxy: RedisProxy, valkey: Valkey, replica_at: Starter, answer: bytes
) -> None:
    proxy.scripted = {b"EVALSHA": answer, b"XREAD": answer}
    one, other = replica_at(proxy.url), replica_at(valkey.url)
    await one.caught_up()
    one.log.append(b"ours")
    other.log.append(b"theirs")

    proxy.scripted = {}

    await other.has_heard(b"ours")
    await one.has_heard(b"theirs")


async def test_replicas_go_on_after_redis_was_slow(
    proxy: RedisProxy, valkey: Valkey, replica_at: Starter
) -> None:
    proxy.latency_seconds = 0.2
    one, other = replica_at(proxy.url, call_seconds=0.05), replica_at(valkey.url)
    await one.caught_up()
    one.log.append(b"news")

    proxy.latency_seconds = 0

    await other.has_heard(b"news")
    assert other.heard == [b"news"]


async def test_the_end_of_a_process_does_not_wait_for_a_frozen_redis(
    valkey: Valkey, replica_at: Starter
) -> None:
    one = replica_at(valkey.url)
    await one.stop()
    one.log.append(b"lost")
    valkey.freeze()

    await one.log.flush()
