"""Replicas that tell each other through one real Redis: who hears what, and what is kept."""

import asyncio
import itertools

import pytest
from structlog.testing import capture_logs

from steelyard_common.telemetry import Telemetry
from steelyard_health.adapters.replica_outbox import MAX_PAYLOAD_BYTES, ReplicaOutbox
from steelyard_health.adapters.replica_stream import DEFAULT_KEY, TTL_SECONDS
from tests.health.shared.conftest import HastyClock
from tests.health.shared.log_replica import Starter, add
from tests.valkey import Valkey


@pytest.mark.parametrize("count", [2, 8])
async def test_every_replica_hears_the_others_once_and_in_order(
    valkey: Valkey, replica_at: Starter, count: int
) -> None:
    replicas = [replica_at(valkey.url) for _ in range(count)]
    sent = {n: [b"%d/%d" % (n, i) for i in range(40)] for n in range(count)}
    for i in range(40):
        for n, replica in enumerate(replicas):
            replica.log.append(sent[n][i])
        if i % 10 == 0:
            await asyncio.sleep(0)

    for n, replica in enumerate(replicas):
        others = [m for m in range(count) if m != n]
        await replica.has_heard(*itertools.chain(*(sent[m] for m in others)))
        assert len(replica.heard) == 40 * len(others)
        for m in others:
            assert [p for p in replica.heard if p.startswith(b"%d/" % m)] == sent[m]


async def test_a_restarted_replica_learns_what_was_said_also_by_itself(
    valkey: Valkey, replica_at: Starter
) -> None:
    first, second = replica_at(valkey.url), replica_at(valkey.url)
    first.log.append(b"of the first")
    second.log.append(b"of the second")
    await first.has_heard(b"of the second")
    await second.has_heard(b"of the first")
    await first.stop()

    again = replica_at(valkey.url)
    await again.caught_up()

    assert sorted(again.heard) == [b"of the first", b"of the second"]
    assert first.heard == [b"of the second"]


async def test_a_long_log_is_read_whole_before_a_replica_has_caught_up(
    valkey: Valkey, replica_at: Starter
) -> None:
    for n in range(1, 101):
        await add(valkey, n=b"%d" % n, p=b"%d" % n)

    replica = replica_at(valkey.url)
    await replica.caught_up()

    assert replica.heard == [b"%d" % n for n in range(1, 101)]


async def test_a_replica_of_an_empty_redis_has_caught_up(
    valkey: Valkey, replica_at: Starter
) -> None:
    replica = replica_at(valkey.url)

    await replica.caught_up()

    assert replica.heard == []


async def test_ages_are_told_by_the_clock_of_redis(valkey: Valkey, replica_at: Starter) -> None:
    await add(valkey, seconds_ago=400, n=b"1", p=b"too old")
    await add(valkey, seconds_ago=290, n=b"2", p=b"waited", w=b"11000")
    await add(valkey, seconds_ago=200, n=b"3", p=b"old")
    await add(valkey, seconds_ago=-20, n=b"4", p=b"from the future")

    replica = replica_at(valkey.url)
    await replica.caught_up()

    assert replica.heard == [b"old", b"from the future"]
    assert 200 <= replica.ages[0] < 210
    assert replica.ages[1] == 0


async def test_what_waited_for_redis_is_as_old_as_it_is(
    valkey: Valkey, replica_at: Starter, hasty: HastyClock
) -> None:
    receiver, sender = replica_at(valkey.url), replica_at(valkey.url)
    await receiver.caught_up()
    await sender.stop()
    sender.log.append(b"too old by then")
    hasty.ahead_seconds = 201
    sender.log.append(b"early")
    hasty.ahead_seconds = 301
    sender.log.append(b"late")

    sender.start()
    await receiver.has_heard(b"late")

    assert receiver.heard == [b"early", b"late"]
    assert 100 <= receiver.ages[0] < 110
    assert receiver.ages[1] < 10


async def test_the_only_key_has_a_time_to_live(valkey: Valkey, replica_at: Starter) -> None:
    one, other = replica_at(valkey.url), replica_at(valkey.url)
    one.log.append(b"news")
    await other.has_heard(b"news")

    async with valkey.client() as client:
        assert await client.keys("*") == [DEFAULT_KEY.encode()]
        assert 0 < await client.ttl(DEFAULT_KEY) <= TTL_SECONDS


async def test_append_never_waits_and_the_oldest_are_dropped(
    valkey: Valkey, replica_at: Starter, telemetry: Telemetry
) -> None:
    """Nothing runs between the appends: whatever they did, they did not wait."""
    receiver = replica_at(valkey.url)
    await receiver.caught_up()
    sender = replica_at(valkey.url, outbox=ReplicaOutbox(max_entries=10, max_bytes=1000))
    await sender.stop()

    for n in range(30):
        sender.log.append(b"%d" % n)
    for n in range(4):
        sender.log.append(b"%d" % n * 300)
    sender.start()
    await receiver.has_heard(b"3" * 300)

    assert receiver.heard == [b"1" * 300, b"2" * 300, b"3" * 300]
    dropped = 'steelyard_health_replica_log_entries_total{result="dropped"} 31.0'
    assert dropped in telemetry.prometheus_text().decode()


async def test_a_payload_that_is_too_large_is_not_sent_and_said_once(
    valkey: Valkey, replica_at: Starter
) -> None:
    one, other = replica_at(valkey.url), replica_at(valkey.url)
    with capture_logs() as lines:
        one.log.append(b"x" * (MAX_PAYLOAD_BYTES + 1))
        one.log.append(b"x" * (MAX_PAYLOAD_BYTES + 1))
    one.log.append(b"y" * MAX_PAYLOAD_BYTES)
    await other.has_heard(b"y" * MAX_PAYLOAD_BYTES)

    assert len(other.heard) == 1
    assert [line["event"] for line in lines] == ["a payload is too large for other replicas"]


@pytest.mark.parametrize(
    "fields",
    [
        {"s": b"somebody"},
        {"s": b"\xff" * 16},
        {"n": b"-1"},
        {"n": b"1" * 16},
        {"n": b"one"},
        {"w": b"soon"},
        {"w": b"9" * 16},
        {"p": b"x" * (MAX_PAYLOAD_BYTES + 1)},
    ],
)
async def test_a_malformed_entry_is_skipped_and_counted(
    valkey: Valkey, replica_at: Starter, telemetry: Telemetry, fields: dict[str, bytes]
) -> None:
    await add(valkey, n=b"1", p=b"before")
    await add(valkey, 0, **({"n": b"2"} | fields))
    await add(valkey, n=b"3", p=b"after")

    replica = replica_at(valkey.url)
    await replica.caught_up()

    assert replica.heard == [b"before", b"after"]
    counted = 'steelyard_health_replica_log_entries_total{result="malformed"} 1.0'
    assert counted in telemetry.prometheus_text().decode()


async def test_an_entry_without_our_fields_is_skipped(valkey: Valkey, replica_at: Starter) -> None:
    async with valkey.client() as client:
        await client.xadd(DEFAULT_KEY, {"hello": "there"})
    await add(valkey, p=b"after")

    replica = replica_at(valkey.url)
    await replica.caught_up()

    assert replica.heard == [b"after"]


async def test_an_entry_that_is_refused_does_not_stop_the_others(
    valkey: Valkey, replica_at: Starter
) -> None:
    one, other = replica_at(valkey.url), replica_at(valkey.url)
    other.refuses = {b"1", b"2"}
    with capture_logs() as lines:
        for n in range(4):
            one.log.append(b"%d" % n)
        await other.has_heard(b"3")

    assert other.heard == [b"0", b"3"]
    assert [line["problem"] for line in lines] == ["ValueError"]


async def test_the_stream_keeps_a_bounded_number_of_entries(
    valkey: Valkey, replica_at: Starter
) -> None:
    one = replica_at(valkey.url, max_entries=100)
    other = replica_at(valkey.url)
    for n in range(600):
        one.log.append(b"%d" % n)
    await other.has_heard(b"599")

    async with valkey.client() as client:
        assert await client.xlen(DEFAULT_KEY) <= 200  # whole nodes of a hundred are removed


async def test_the_stream_takes_a_bounded_amount_of_memory(
    valkey: Valkey, replica_at: Starter
) -> None:
    one = replica_at(valkey.url, max_bytes=1_000_000)
    other = replica_at(valkey.url)
    for n in range(40):
        one.log.append(b"%d" % (n % 10) * 100_000)
        one.log.append(b"turn %d" % n)
        await other.has_heard(b"turn %d" % n)

    async with valkey.client() as client:
        assert (await client.memory_usage(DEFAULT_KEY) or 0) <= 1_000_000
        assert await client.xlen(DEFAULT_KEY) > 0


async def test_entries_that_are_too_old_for_anybody_are_removed(
    valkey: Valkey, replica_at: Starter
) -> None:
    for n in range(300):
        await add(valkey, seconds_ago=400 - n / 1000, n=b"%d" % (n + 1))
    one, other = replica_at(valkey.url), replica_at(valkey.url)
    one.log.append(b"news")
    await other.has_heard(b"news")

    async with valkey.client() as client:
        assert await client.xlen(DEFAULT_KEY) < 200


async def test_what_waits_at_the_end_of_a_process_is_written(
    valkey: Valkey, replica_at: Starter
) -> None:
    one, other = replica_at(valkey.url), replica_at(valkey.url)
    await one.stop()
    for n in range(200):
        one.log.append(b"%d" % n)

    await one.log.flush()

    await other.has_heard(*(b"%d" % n for n in range(200)))
