"""Records of several replicas in one real Redis: who wins, who is told, what is lost."""

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard_common.redis_link import CALL_SECONDS, RedisAwayError
from steelyard_health.adapters.shared_records import (
    MAX_REVISION,
    MAX_VALUE_BYTES,
    SharedRecords,
    Stored,
    record_key,
)
from tests.health.shared.conftest import Linker
from tests.redis_proxy import RedisProxy
from tests.valkey import Valkey

TTL = 600
TENANT = "acme"
OFFER = "openai/gpt-4o"

WRITER = """
import asyncio, sys
from pydantic import SecretStr
from steelyard_common.clock import SystemClock
from steelyard_common.redis_breaker import RedisBreaker
from steelyard_common.redis_link import RedisAwayError, RedisLink
from steelyard_common.telemetry import Telemetry
from steelyard_health.adapters.shared_records import SharedRecords

async def main():
    breaker = RedisBreaker(SystemClock(), lambda: 0.5, look_again_seconds=0.01)
    telemetry = Telemetry.start("writer")
    link = RedisLink(SecretStr(sys.argv[1]), breaker=breaker, meter=telemetry.meter)
    records, wins, revision = SharedRecords(link), [], 0
    while revision < 200:
        try:
            newer = await records.swap(
                "acme", "contended", expected_revision=revision, revision=revision + 1,
                value=b"x", ttl_seconds=600,
            )
        except RedisAwayError:
            continue
        if newer is None:
            wins.append(revision + 1)
        revision = newer.revision if newer else revision + 1
        await asyncio.sleep(0)
    print(*wins)
    await link.close()
    telemetry.close()

asyncio.run(main())
"""


@pytest.fixture
def records(valkey: Valkey, link_to: Linker) -> SharedRecords:
    return SharedRecords(link_to(valkey.url))


async def swap(
    records: SharedRecords, expected: int, revision: int, value: bytes = b"v"
) -> Stored | None:
    return await records.swap(
        TENANT,
        OFFER,
        expected_revision=expected,
        revision=revision,
        value=value,
        ttl_seconds=TTL,
    )


async def test_the_first_record_is_stored_and_read(records: SharedRecords) -> None:
    assert await records.read(TENANT, OFFER) is None
    value = bytes(range(256))

    assert await swap(records, 0, 1, value) is None

    assert await records.read(TENANT, OFFER) == Stored(1, value)


async def test_who_expects_the_stored_revision_stores_and_others_are_told(
    records: SharedRecords,
) -> None:
    await swap(records, 0, 1, b"first")

    assert await swap(records, 1, 2, b"second") is None
    assert await swap(records, 1, 5, b"late") == Stored(2, b"second")
    assert await records.read(TENANT, OFFER) == Stored(2, b"second")


async def test_an_older_record_that_a_failover_brought_back_is_overwritten(
    records: SharedRecords,
) -> None:
    await swap(records, 0, 3, b"old")

    assert await swap(records, 7, 8, b"new") is None
    assert await records.read(TENANT, OFFER) == Stored(8, b"new")


async def test_the_largest_revisions_are_exact(records: SharedRecords) -> None:
    await swap(records, 0, MAX_REVISION - 1)

    assert await swap(records, MAX_REVISION - 2, MAX_REVISION) == Stored(MAX_REVISION - 1, b"v")
    assert await swap(records, MAX_REVISION - 1, MAX_REVISION) is None


@pytest.mark.parametrize("loss", ["flush", "restart"])
async def test_what_redis_lost_is_stored_anew(
    valkey: Valkey, records: SharedRecords, loss: str
) -> None:
    await swap(records, 0, 1)
    await (valkey.flush() if loss == "flush" else valkey.restart())

    assert await records.read(TENANT, OFFER) is None
    assert await swap(records, 1, 2, b"again") is None
    assert await records.read(TENANT, OFFER) == Stored(2, b"again")


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"nonsense",
        b"1:2",
        b"1::v",
        b"1:-4:v",
        b"1:4.5:v",
        b"1:99999999999999999:v",
        b"1:9999999999999999:v",
        b"2:1:v",
        b"1:4:" + b"x" * 100_000,
        b"\xff" * 50,
    ],
)
async def test_garbage_is_a_miss_and_is_overwritten(
    valkey: Valkey, records: SharedRecords, garbage: bytes
) -> None:
    async with valkey.client() as client:
        await client.set(record_key(TENANT, OFFER), garbage)

    assert await records.read(TENANT, OFFER) is None
    assert await swap(records, 3, 4) is None
    assert await records.read(TENANT, OFFER) == Stored(4, b"v")


async def test_a_key_of_another_type_is_a_miss_and_is_overwritten(
    valkey: Valkey, records: SharedRecords
) -> None:
    async with valkey.client() as client:
        await client.xadd(record_key(TENANT, OFFER), {"a": "b"})

    assert await records.read(TENANT, OFFER) is None
    assert await swap(records, 3, 4) is None
    assert await records.read(TENANT, OFFER) == Stored(4, b"v")


async def test_every_key_has_a_time_to_live(valkey: Valkey, records: SharedRecords) -> None:
    for tenant in ("", TENANT):
        for n in range(5):
            await records.swap(
                tenant,
                f"offer-{n}",
                expected_revision=0,
                revision=1,
                value=b"",
                ttl_seconds=TTL,
            )

    async with valkey.client() as client:
        keys: Any = await client.keys("*")
        times = [await client.ttl(key) for key in keys]

    assert len(keys) == 10
    assert all(0 < seconds <= TTL for seconds in times)
    assert all(key.startswith(b"steelyard:health:1:") for key in keys)


async def test_of_many_replicas_exactly_one_wins_each_revision(
    valkey: Valkey, link_to: Linker
) -> None:
    replicas = [SharedRecords(link_to(valkey.url)) for _ in range(16)]

    for revision in range(1, 51):
        results = await asyncio.gather(
            *(
                swap(replica, revision - 1, revision, b"%d" % n)
                for n, replica in enumerate(replicas)
            )
        )
        (winner,) = [n for n, result in enumerate(results) if result is None]
        told = {result for result in results if result is not None}
        assert told == {Stored(revision, b"%d" % winner)}


@pytest.mark.system
async def test_of_several_processes_exactly_one_wins_each_revision(valkey: Valkey) -> None:
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            WRITER,
            valkey.url,
            stdout=asyncio.subprocess.PIPE,
            cwd=Path(__file__).parents[3],
        )
        for _ in range(3)
    ]
    outputs = [(await process.communicate())[0] for process in processes]

    assert [process.returncode for process in processes] == [0, 0, 0]
    wins = [int(number) for output in outputs for number in output.split()]
    assert sorted(wins) == list(range(1, 201))


async def test_tenants_do_not_see_each_others_records(records: SharedRecords) -> None:
    for n, tenant in enumerate(["", TENANT, "@platform", "platform", "a:b", "acme:circuit"], 1):
        await records.swap(
            tenant, OFFER, expected_revision=0, revision=n, value=b"", ttl_seconds=TTL
        )
        assert await records.read(tenant, OFFER) == Stored(n, b"")

    assert await records.read("", OFFER) == Stored(1, b"")
    assert await records.read("nobody", OFFER) is None


TENANTS = st.text(st.characters(), max_size=64)
KEYS = st.text(st.characters(), min_size=1, max_size=100)
HOSTILE = st.text(st.sampled_from(":%@acircuit40/"), min_size=1, max_size=30)


@given(TENANTS | HOSTILE, KEYS | HOSTILE, TENANTS | HOSTILE, KEYS | HOSTILE)
def test_no_two_pairs_of_tenant_and_key_share_a_key(
    tenant: str, key: str, other_tenant: str, other_key: str
) -> None:
    is_same = (tenant, key) == (other_tenant, other_key)

    assert (record_key(tenant, key) == record_key(other_tenant, other_key)) == is_same
    assert record_key(tenant, key).isascii()


@pytest.mark.parametrize(
    ("tenant", "key", "expected", "revision", "size", "ttl"),
    [
        ("t" * 65, OFFER, 0, 1, 1, TTL),
        (TENANT, "", 0, 1, 1, TTL),
        (TENANT, "k" * 513, 0, 1, 1, TTL),
        (TENANT, OFFER, -1, 1, 1, TTL),
        (TENANT, OFFER, 1, 1, 1, TTL),
        (TENANT, OFFER, 0, MAX_REVISION + 1, 1, TTL),
        (TENANT, OFFER, 0, 1, MAX_VALUE_BYTES + 1, TTL),
        (TENANT, OFFER, 0, 1, 1, 0),
    ],
)
async def test_what_cannot_be_a_record_is_refused(  # noqa: PLR0913, PLR0917 - one column each
    records: SharedRecords,
    tenant: str,
    key: str,
    expected: int,
    revision: int,
    size: int,
    ttl: int,
) -> None:
    with pytest.raises(ValueError, match=r"has|grow|lives"):
        await records.swap(
            tenant,
            key,
            expected_revision=expected,
            revision=revision,
            value=b"x" * size,
            ttl_seconds=ttl,
        )


async def test_the_time_is_that_of_redis(valkey: Valkey, records: SharedRecords) -> None:
    async with valkey.client() as client:
        before = (await client.time())[0]
        now = await records.now()
        after = (await client.time())[0] + 1

    assert before <= now <= after


@pytest.mark.parametrize(
    "answer", [b"-READONLY replica\r\n", b"-LOADING soon\r\n", b"-MOVED 1 10.0.0.1:1\r\n"]
)
async def test_a_redis_that_cannot_write_is_away(
    proxy: RedisProxy, link_to: Linker, answer: bytes
) -> None:
    records = SharedRecords(link_to(proxy.url))
    proxy.scripted[b"EVALSHA"] = answer

    with pytest.raises(RedisAwayError):
        await swap(records, 0, 1)

    proxy.scripted.clear()
    assert await swap(records, 0, 1) is None


async def test_every_call_ends_while_redis_is_frozen(valkey: Valkey, link_to: Linker) -> None:
    records = SharedRecords(link_to(valkey.url, CALL_SECONDS))
    valkey.freeze()

    for _ in range(3):
        with pytest.raises(RedisAwayError):
            await swap(records, 1, 2)
        with pytest.raises(RedisAwayError):
            await records.read(TENANT, OFFER)
        with pytest.raises(RedisAwayError):
            await records.now()
