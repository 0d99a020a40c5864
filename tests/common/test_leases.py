"""Leases on real SQLite files, also of two processes' worth of connections."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy

from steelyard_common.database import Database
from steelyard_common.leases import LEASE_TABLE, Lease, Leases, holds
from steelyard_common.migrations import Migration
from tests.fakes import FakeClock

JOB = "refresh"
MINUTE = timedelta(minutes=1)
MIGRATIONS = [Migration((LEASE_TABLE,))]

Opener = Callable[[], Awaitable[Database]]


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Opener]:
    """Return a function that opens the same file once more, as another process does."""
    async with AsyncExitStack() as stack:

        async def again() -> Database:
            database = await Database.open("jobs", data_dir=tmp_path, migrations=MIGRATIONS)
            stack.push_async_callback(database.close)
            return database

        yield again


@pytest.fixture
async def database(opened: Opener) -> Database:
    return await opened()


@pytest.fixture
def one(database: Database, clock: FakeClock) -> Leases:
    return Leases(database, clock, holder="one")


@pytest.fixture
def other(database: Database, clock: FakeClock) -> Leases:
    return Leases(database, clock, holder="other")


async def taken(leases: Leases, name: str = JOB) -> Lease:
    """Return a lease that must be free."""
    lease = await leases.acquire(name, MINUTE)
    assert lease is not None
    return lease


async def is_held(database: Database, lease: Lease) -> bool:
    async with database.write() as connection:
        return await holds(connection, lease)


async def test_a_lease_is_of_one_holder(database: Database, one: Leases, other: Leases) -> None:
    lease = await taken(one)

    assert await other.acquire(JOB, MINUTE) is None
    assert (lease.name, lease.holder) == (JOB, "one")
    assert await is_held(database, lease)


async def test_leases_of_different_jobs_are_independent(one: Leases, other: Leases) -> None:
    await taken(one)

    await taken(other, "another job")


async def test_a_lease_that_is_given_back_is_free_at_once(
    database: Database, one: Leases, other: Leases
) -> None:
    first = await taken(one)
    await one.release(first)

    second = await taken(other)

    assert second.generation > first.generation
    assert await is_held(database, second)
    assert not await is_held(database, first)


async def test_a_dead_holders_lease_is_taken_over_when_it_expires_and_not_before(
    one: Leases, other: Leases, clock: FakeClock
) -> None:
    first = await taken(one)

    await clock.advance(MINUTE.total_seconds() - 0.001)
    too_early = await other.acquire(JOB, MINUTE)
    await clock.advance(0.001)

    assert too_early is None
    assert (await taken(other)).generation == first.generation + 1


async def test_who_was_too_slow_has_it_no_longer_and_cannot_give_it_back(
    database: Database, one: Leases, other: Leases, clock: FakeClock
) -> None:
    slow = await taken(one)
    await clock.advance(MINUTE.total_seconds())
    new = await taken(other)

    await one.release(slow)

    assert not await is_held(database, slow)
    assert await is_held(database, new)
    assert await one.acquire(JOB, MINUTE) is None


async def test_an_expired_lease_is_held_until_somebody_takes_it(
    database: Database, one: Leases, clock: FakeClock
) -> None:
    lease = await taken(one)

    await clock.advance(2 * MINUTE.total_seconds())

    assert await is_held(database, lease)


async def test_the_holder_takes_it_again_and_what_it_had_before_is_void(
    database: Database, one: Leases, other: Leases, clock: FakeClock
) -> None:
    first = await taken(one)
    await clock.advance(MINUTE.total_seconds() / 2)

    second = await taken(one)

    await clock.advance(MINUTE.total_seconds() / 2)
    assert await other.acquire(JOB, MINUTE) is None
    assert not await is_held(database, first)
    await one.release(first)
    assert await is_held(database, second)
    assert await other.acquire(JOB, MINUTE) is None


async def test_a_lease_that_never_was_is_not_held(database: Database) -> None:
    assert not await is_held(database, Lease(JOB, "one", 1))


async def test_a_lease_outlives_its_database_object(
    one: Leases, database: Database, opened: Opener, clock: FakeClock
) -> None:
    lease = await taken(one)
    await database.close()

    reopened = await opened()

    assert await Leases(reopened, clock, holder="restarted").acquire(JOB, MINUTE) is None
    assert await is_held(reopened, lease)


async def test_of_many_that_race_on_one_file_exactly_one_wins(
    opened: Opener, clock: FakeClock
) -> None:
    databases = [await opened() for _ in range(2)]
    racing = [Leases(databases[n % 2], clock, holder=f"holder-{n}") for n in range(8)]
    generations = []

    for _ in range(10):
        found = await asyncio.gather(*(leases.acquire(JOB, MINUTE) for leases in racing))
        (won,) = [lease for lease in found if lease is not None]
        generations.append(won.generation)
        assert [await is_held(database, won) for database in databases] == [True, True]
        await racing[found.index(won)].release(won)

    assert generations == list(range(1, 11))


async def test_whoever_comes_second_with_the_first_lease_of_all_does_not_get_it(
    database: Database, one: Leases, other: Leases
) -> None:
    """Where rows are locked, and not the database, both find none."""
    async with database.write() as connection:
        await connection.execute(
            sqlalchemy.text(
                "CREATE TRIGGER faster BEFORE INSERT ON lease"
                " BEGIN SELECT RAISE(ABORT, 'stands for a row that another has inserted'); END"
            )
        )

    assert await one.acquire(JOB, MINUTE) is None

    async with database.write() as connection:
        await connection.execute(sqlalchemy.text("DROP TRIGGER faster"))
    await taken(other)


async def test_of_two_that_take_over_at_once_one_wins(opened: Opener, clock: FakeClock) -> None:
    first, second = [Leases(await opened(), clock, holder=holder) for holder in ("first", "second")]
    dead = await taken(Leases(await opened(), clock, holder="dead"))
    await clock.advance(MINUTE.total_seconds())

    found = await asyncio.gather(first.acquire(JOB, MINUTE), second.acquire(JOB, MINUTE))

    (won,) = [lease for lease in found if lease is not None]
    assert won.generation == dead.generation + 1


async def test_what_is_written_under_a_lease_is_written_before_it_can_be_lost(
    opened: Opener, clock: FakeClock
) -> None:
    """Whoever checks the lease in its transaction has it until that has ended."""
    database, elsewhere = await opened(), await opened()
    lease = await taken(Leases(database, clock, holder="slow"))
    await clock.advance(MINUTE.total_seconds())
    order: list[str] = []

    async def take_over() -> None:
        await taken(Leases(elsewhere, clock, holder="new"))
        order.append("taken over")

    async with database.write() as connection:
        assert await holds(connection, lease)
        taking = asyncio.create_task(take_over())
        await asyncio.sleep(0.05)
        await connection.execute(sqlalchemy.text("CREATE TABLE work (id INTEGER)"))
        order.append("written")
    await taking

    assert order == ["written", "taken over"]
    assert not await is_held(database, lease)
