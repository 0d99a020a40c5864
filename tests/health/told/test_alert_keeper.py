"""From the log of changes to alerts in a real database and lines in the log."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from steelyard_common.database import Database
from steelyard_health.adapters.alert_keeper import AlertKeeper
from steelyard_health.adapters.alert_store import AlertStore
from steelyard_health.domain.alerting import AlertNews
from steelyard_health.domain.change_log import ChangeLog
from steelyard_health.domain.changes import StateChange
from steelyard_health.domain.subject import Subject
from tests.fakes import START, FakeClock
from tests.health.told.alert_queries import alerts_of, steps_of
from tests.health.told.builders import (
    DEGRADED,
    HEALTHY,
    OFFER,
    RATE_LIMITED,
    UNHEALTHY,
    Story,
)

DAY = 86_400
SECOND = timedelta(seconds=1)


class WatchedStore(AlertStore):
    """A store that says when it has written."""

    def __init__(self, database: Database, clock: FakeClock) -> None:
        super().__init__(database, clock)
        self.applied: asyncio.Queue[AlertNews | None] = asyncio.Queue()

    async def apply(self, change: StateChange) -> AlertNews | None:
        news = await super().apply(change)
        self.applied.put_nowait(news)
        return news


@pytest.fixture
def store(database: Database, clock: FakeClock) -> WatchedStore:
    return WatchedStore(database, clock)


async def test_a_tenants_trouble_comes_out_when_everybodys_is_over(
    store: AlertStore, clock: FakeClock
) -> None:
    log, story = ChangeLog(), Story()
    keeper = AlertKeeper(log, store, clock)
    for change in (
        story(UNHEALTHY),
        story(DEGRADED, tenant_id="acme"),
        story(DEGRADED, tenant_id="rival"),
        story(HEALTHY, tenant_id="rival"),
        story(HEALTHY, time=START + SECOND),
    ):
        log.add(change)
        await keeper.take(change)

    [alert] = await alerts_of(store, "acme", open_only=True)
    assert alert.subject == Subject("openai", OFFER, "acme")
    assert await alerts_of(store, "rival", open_only=True) == []


async def test_each_step_is_one_line_in_the_log_with_its_evidence(
    store: AlertStore, clock: FakeClock
) -> None:
    story, keeper = Story(), AlertKeeper(ChangeLog(), store, clock)

    with capture_logs() as logged:
        for change in (
            story(DEGRADED, evidence="12 % of 50 failed"),
            story(UNHEALTHY, evidence="5 failures in a row"),
            story(RATE_LIMITED, evidence="429 for 20 s"),
            story(HEALTHY, time=START + SECOND, evidence="10 successes in a row"),
        ):
            await keeper.take(change)

    assert [(each["event"], each["log_level"], each["evidence"]) for each in logged] == [
        ("health alert begun", "warning", "12 % of 50 failed"),
        ("health alert worsened", "warning", "5 failures in a row"),
        ("health alert ended", "info", "10 successes in a row"),
    ]
    assert {each["alert_id"] for each in logged} == {(await alerts_of(store))[0].alert_id}
    assert {**logged[2], "alert_id": ""} == {
        "event": "health alert ended",
        "log_level": "info",
        "alert_id": "",
        "provider": "openai",
        "offer": OFFER,
        "tenant_id": "",
        "state": "UNHEALTHY",
        "start_time": "2026-11-02T09:30:00+00:00",
        "end_time": "2026-11-02T09:30:01+00:00",
        "evidence": "10 successes in a row",
    }


async def run_until(keeper: AlertKeeper, condition: Callable[[], Awaitable[object]]) -> None:
    """Run a keeper beside something that ends."""
    running = asyncio.create_task(keeper.run())
    try:
        await condition()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_the_keeper_follows_the_log(store: WatchedStore, clock: FakeClock) -> None:
    log, story = ChangeLog(), Story()
    keeper = AlertKeeper(log, store, clock)
    log.add(story(DEGRADED))

    async def told() -> None:
        await store.applied.get()
        log.add(story(HEALTHY, time=START + SECOND))
        await store.applied.get()

    await run_until(keeper, told)

    [alert] = await alerts_of(store)
    assert alert.end_time == START + SECOND


async def test_while_the_database_is_full_changes_wait_in_order(
    database: Database, store: WatchedStore, clock: FakeClock
) -> None:
    log, story = ChangeLog(), Story()
    keeper = AlertKeeper(log, store, clock)
    names = [f"provider-{number}" for number in range(20)]
    await set_page_limit(database, 1)
    for name in names:
        log.add(story(UNHEALTHY, name, evidence="x" * 1000))

    async def full_and_then_not() -> None:
        await clock.wait_for_sleeper()
        assert store.applied.qsize() < len(names)
        await clock.advance(1)
        await clock.wait_for_sleeper()
        await set_page_limit(database, 1_000_000)
        await clock.advance(30)
        for _ in names:
            await store.applied.get()

    with capture_logs() as logged:
        await run_until(keeper, full_and_then_not)

    waits = [each for each in logged if each["event"] == "health alert waits for the database"]
    begun = [each["provider"] for each in logged if each["event"] == "health alert begun"]
    assert [each["problem"] for each in waits] == ["StorageFullError"]
    assert begun == names
    assert keeper.dropped_count == 0


async def set_page_limit(database: Database, pages: int) -> None:
    # One connection is in use at a time, and so always the same one.
    async with database.write() as connection:
        await connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")


async def test_a_change_that_the_database_refuses_is_counted_and_holds_up_nobody(
    database: Database, store: WatchedStore, clock: FakeClock
) -> None:
    async with database.write() as connection:
        await connection.exec_driver_sql(
            "CREATE TRIGGER refusing BEFORE INSERT ON alert WHEN NEW.provider = 'cursed' "
            "BEGIN SELECT RAISE(ABORT, 'never'); END"
        )
    log, story = ChangeLog(), Story()
    keeper = AlertKeeper(log, store, clock)
    log.add(story(DEGRADED, "cursed"))
    log.add(story(DEGRADED))

    async def refused_and_then_not() -> None:
        while store.applied.empty():
            sleeping = asyncio.ensure_future(clock.wait_for_sleeper())
            taken = asyncio.ensure_future(store.applied.get())
            await asyncio.wait({sleeping, taken}, return_when=asyncio.FIRST_COMPLETED)
            sleeping.cancel()
            if taken.done():
                return
            taken.cancel()
            await clock.advance(30)

    with capture_logs() as logged:
        await run_until(keeper, refused_and_then_not)

    assert keeper.dropped_count == 1
    assert "health alert refused" in [each["event"] for each in logged]
    assert [each.subject.name for each in await alerts_of(store)] == [OFFER]


async def test_a_tenants_trouble_that_comes_out_waits_for_a_full_database_too(
    database: Database, store: AlertStore, clock: FakeClock
) -> None:
    log, story = ChangeLog(), Story()
    keeper = AlertKeeper(log, store, clock)
    for change in (story(UNHEALTHY), story(DEGRADED, tenant_id="acme")):
        log.add(change)
        await keeper.take(change)
    async with database.write() as connection:
        await connection.exec_driver_sql(
            "CREATE TRIGGER roomy BEFORE INSERT ON alert BEGIN "
            "INSERT INTO probe_spend SELECT hex(randomblob(30000)), 1; END"
        )
    await set_page_limit(database, 1)

    taking = asyncio.create_task(keeper.take(story(HEALTHY, time=START + SECOND)))
    await clock.wait_for_sleeper()
    await set_page_limit(database, 1_000_000)
    await clock.advance(1)
    await taking

    [alert] = await alerts_of(store, "acme", open_only=True)
    assert alert.subject.tenant_id == "acme"


async def test_what_is_too_old_is_forgotten_every_day(
    database: Database, store: AlertStore, clock: FakeClock
) -> None:
    story = Story()
    await steps_of(store, story(DEGRADED), story(HEALTHY, time=START + SECOND))
    pruned = PrunedStore(database, clock)
    pruning = asyncio.create_task(AlertKeeper(ChangeLog(), pruned, clock).prune_daily())
    await pruned.pruned.get()
    await clock.wait_for_sleeper()
    at_first = len(await alerts_of(store))

    await clock.advance(401 * DAY)
    await pruned.pruned.get()
    await clock.wait_for_sleeper()
    await clock.advance(DAY)
    await pruned.pruned.get()
    pruning.cancel()
    await asyncio.gather(pruning, return_exceptions=True)

    assert (at_first, len(await alerts_of(store))) == (1, 0)


class PrunedStore(AlertStore):
    """A store that says when it was pruned."""

    def __init__(self, database: Database, clock: FakeClock) -> None:
        super().__init__(database, clock)
        self.pruned: asyncio.Queue[None] = asyncio.Queue()

    async def prune(self) -> None:
        await super().prune()
        self.pruned.put_nowait(None)
