"""What probes may cost a day, on real SQLite files."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from steelyard_common.database import Database
from steelyard_common.money import MAX_PICODOLLARS
from steelyard_health.adapters.probe_spend import ProbeSpend
from steelyard_health.adapters.schema import MIGRATIONS
from tests.fakes import FakeClock

Opener = Callable[[], Awaitable[ProbeSpend]]


@pytest.fixture
async def opened(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Opener]:
    """Return a function that opens the same file once more, as another replica does."""
    async with AsyncExitStack() as stack:

        async def again() -> ProbeSpend:
            database = await Database.open("health", data_dir=tmp_path, migrations=MIGRATIONS)
            stack.push_async_callback(database.close)
            return ProbeSpend(database, clock)

        yield again


async def test_the_bound_can_be_reached_and_not_passed(opened: Opener) -> None:
    spend = await opened()

    assert await spend.reserve(60, 100)
    assert not await spend.reserve(41, 100)
    assert await spend.reserve(40, 100)
    assert not await spend.reserve(1, 100)
    assert await spend.reserve(0, 100)
    assert await spend.spent_today() == 100


async def test_the_first_of_a_day_is_bounded_too(opened: Opener) -> None:
    spend = await opened()

    assert not await spend.reserve(101, 100)
    assert await spend.spent_today() == 0
    assert await spend.reserve(100, 100)


async def test_a_bound_that_was_lowered_holds_at_once(opened: Opener) -> None:
    spend = await opened()

    assert await spend.reserve(60, 100)
    assert not await spend.reserve(1, 50)


async def test_a_new_day_begins_at_midnight_utc(opened: Opener, clock: FakeClock) -> None:
    spend = await opened()
    assert await spend.reserve(100, 100)

    await clock.advance(14.5 * 3600 - 1)
    assert not await spend.reserve(1, 100)

    await clock.advance(1)
    assert await spend.spent_today() == 0
    assert await spend.reserve(100, 100)


async def test_it_is_remembered(opened: Opener) -> None:
    assert await (await opened()).reserve(70, 100)

    assert await (await opened()).spent_today() == 70


async def test_racing_replicas_stay_within_one_bound(opened: Opener) -> None:
    replicas = [await opened() for _ in range(3)]

    granted = await asyncio.gather(*(each.reserve(7, 100) for each in replicas for _ in range(10)))

    assert sum(granted) == 100 // 7
    assert await replicas[0].spent_today() == 98


async def test_the_largest_amounts_fit(opened: Opener) -> None:
    spend = await opened()

    assert await spend.reserve(MAX_PICODOLLARS, MAX_PICODOLLARS)
    assert not await spend.reserve(MAX_PICODOLLARS, MAX_PICODOLLARS)
    assert await spend.spent_today() == MAX_PICODOLLARS


@pytest.mark.parametrize(("amount", "limit"), [(-1, 100), (0, -1)])
async def test_negative_amounts_are_a_mistake(opened: Opener, amount: int, limit: int) -> None:
    spend = await opened()

    with pytest.raises(ValueError, match="negative"):
        await spend.reserve(amount, limit)
