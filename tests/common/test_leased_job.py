"""Runs of a job under real leases: followed by many, one at a time, and always with an end."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from steelyard_common.database import Database
from steelyard_common.errors import (
    RefreshInProgressError,
    RegistryUnavailableError,
    StorageFullError,
)
from steelyard_common.leased_job import Job, JobRun, LeasedJob
from steelyard_common.leases import LEASE_TABLE, Lease, Leases
from steelyard_common.migrations import Migration
from tests.fakes import FakeClock

MINUTE = timedelta(minutes=1)
MIGRATIONS = [Migration((LEASE_TABLE,))]

Counting = JobRun[str, int]


class Work:
    """Tells one step per name; goes on when it may, and fails when it must."""

    def __init__(self) -> None:
        self.may_end = asyncio.Event()
        self.error: Exception | None = None
        self.runs: list[frozenset[str]] = []

    async def do(self, run: Counting, lease: Lease) -> int:
        self.runs.append(run.names)
        for name in sorted(run.names):
            run.tell(name)
        await self.may_end.wait()
        if self.error is not None:
            raise self.error
        return len(run.names)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = await Database.open("jobs", data_dir=tmp_path, migrations=MIGRATIONS)
    yield database
    await database.close()


@pytest.fixture
async def work() -> Work:
    return Work()


def job_of(work: Work, database: Database, clock: FakeClock, holder: str) -> LeasedJob[Counting]:
    job = Job(
        name="count",
        subject="the count",
        lease_duration=MINUTE,
        work=work.do,
        when_stopped=RegistryUnavailableError,
    )
    return LeasedJob(job, Leases(database, clock, holder=holder))


@pytest.fixture
def job(work: Work, database: Database, clock: FakeClock) -> LeasedJob[Counting]:
    return job_of(work, database, clock, "one")


def asked(*names: str, force: bool = False) -> Counting:
    return Counting(names, force=force)


async def all_of(run: Counting) -> list[str | int]:
    return [event async for event in run.events()]


async def test_all_who_ask_for_as_much_follow_one_run_from_its_beginning(
    job: LeasedJob[Counting], work: Work
) -> None:
    first = await job.follow(asked("a", "b"))
    early = asyncio.create_task(all_of(first))
    step = await anext(first.events())
    second = await job.follow(asked("b"))
    work.may_end.set()

    assert second is first
    assert step == "a"
    assert await early == await all_of(second) == ["a", "b", 2]
    assert await first.report() == 2
    assert work.runs == [{"a", "b"}]


@pytest.mark.parametrize("more", [{"names": ("a", "c")}, {"names": ("a",), "force": True}])
async def test_who_asks_for_more_gets_a_run_of_their_own_afterwards(
    job: LeasedJob[Counting], work: Work, more: dict[str, object]
) -> None:
    first = await job.follow(asked("a", "b"))
    names, force = more["names"], bool(more.get("force"))
    assert isinstance(names, tuple)
    waiting = asyncio.create_task(job.follow(asked(*names, force=force)))
    await anext(first.events())
    assert not waiting.done()
    work.may_end.set()

    second = await waiting

    assert await second.report() == len(names)
    assert work.runs == [{"a", "b"}, set(names)]


async def test_one_replica_at_a_time(
    job: LeasedJob[Counting], work: Work, database: Database, clock: FakeClock
) -> None:
    first = await job.follow(asked("a"))
    await anext(first.events())
    other = job_of(work, database, clock, "other")

    with pytest.raises(RefreshInProgressError, match="the count is being refreshed"):
        await (await other.follow(asked("a"))).report()

    work.may_end.set()
    await first.report()
    assert await (await other.follow(asked("a"))).report() == 1


@pytest.mark.parametrize("error", [StorageFullError(), TypeError("a bug")])
async def test_after_a_failure_followers_hear_of_it_and_the_next_run_can_begin(
    job: LeasedJob[Counting], work: Work, error: Exception
) -> None:
    work.error = error
    work.may_end.set()
    run = await job.follow(asked("a"))

    for _ in range(2):
        with pytest.raises(type(error)):
            await all_of(run)
    with pytest.raises(type(error)):
        await run.report()
    work.error = None
    assert await (await job.follow(asked("a"))).report() == 1


@pytest.mark.parametrize("has_begun", [True, False])
async def test_followers_of_a_run_that_is_stopped_are_told_so(
    job: LeasedJob[Counting], *, has_begun: bool
) -> None:
    run = await job.follow(asked("a"))
    if has_begun:
        await anext(run.events())

    await job.stop()

    with pytest.raises(RegistryUnavailableError):
        await run.report()


async def test_a_follower_that_goes_away_ends_the_run_for_nobody_else(
    job: LeasedJob[Counting], work: Work
) -> None:
    run = await job.follow(asked("a"))
    gone = asyncio.create_task(run.report())
    await anext(run.events())
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    work.may_end.set()

    assert await run.report() == 1
