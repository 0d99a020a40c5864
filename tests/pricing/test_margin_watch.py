"""When margins are looked at, and what is told of them."""

import asyncio
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from structlog.testing import capture_logs

from steelyard_common.database import Database
from steelyard_common.errors import StorageFullError
from steelyard_pricing.adapters.negotiation_store import DatabaseNegotiationStore
from steelyard_pricing.adapters.schema import MIGRATIONS
from steelyard_pricing.domain.margin_watch import MAX_ALERT_LINES, POLL_SECONDS, MarginWatch
from steelyard_pricing.domain.margins import MarginKey, MarginRule, RuleKey, RuleScope
from steelyard_pricing.domain.negotiations import Negotiations
from steelyard_pricing.domain.overrides import PriceOverride
from steelyard_pricing.domain.rates import Rate
from steelyard_pricing.domain.snapshot import Snapshot
from tests.fakes import FakeClock
from tests.pricing.builders import INPUT, a_fact, a_snapshot

ADA = RuleKey(RuleScope.TENANT, "ada")


class Crossings:
    """Keeps dates in memory, while there is room."""

    def __init__(self) -> None:
        self.kept: dict[MarginKey, datetime] = {}
        self.is_full = False

    async def crossings(self) -> Mapping[MarginKey, datetime]:
        return dict(self.kept)

    async def record_crossings(
        self, added: Mapping[MarginKey, datetime], removed: Collection[MarginKey]
    ) -> None:
        if self.is_full:
            raise StorageFullError
        self.kept.update(added)
        for key in removed:
            del self.kept[key]


def prices(*offers: str, cost: int = 100) -> Snapshot:
    return a_snapshot(*(a_fact(offer, [Rate(INPUT, cost)]) for offer in offers))


async def watched(tmp_path: Path, rule: MarginRule, *overrides: PriceOverride) -> Negotiations:
    """Return negotiations with one rule."""
    database = await Database.open("pricing", data_dir=tmp_path, migrations=MIGRATIONS)
    negotiations = Negotiations(DatabaseNegotiationStore(database))
    await negotiations.set_rule(rule)
    for override in overrides:
        await negotiations.set_override(override, override.start, is_new=True)
    await database.close()
    return negotiations


async def test_many_alerts_of_one_change_are_summed_up(tmp_path: Path, clock: FakeClock) -> None:
    counted: list[int] = []
    negotiations = await watched(tmp_path, MarginRule(key=ADA, floor=1_000))
    watch = MarginWatch(negotiations, Crossings(), clock, counted.append)
    offers = [f"acme/{number}" for number in range(MAX_ALERT_LINES + 7)]

    with capture_logs() as logged:
        await watch.published(prices(*offers), clock.now())
        await watch.changed(clock.now())

    assert len(logged) == MAX_ALERT_LINES + 1
    assert (logged[-1]["event"], logged[-1]["count"]) == ("more margins below floor", 7)
    assert counted == [MAX_ALERT_LINES + 7]


async def test_of_two_replicas_the_first_raises_the_alert_and_sets_the_date(
    tmp_path: Path, clock: FakeClock
) -> None:
    store, counted = Crossings(), [[], []]  # type: ignore[var-annotated]
    negotiations = await watched(tmp_path, MarginRule(key=ADA, floor=1_000))
    replicas = [MarginWatch(negotiations, store, clock, each.append) for each in counted]
    for watch in replicas:
        await watch.published(prices(), clock.now())
    crossed_at = clock.now()

    reports = []
    for watch in replicas:
        await watch.published(prices("acme/model"), clock.now())
        await clock.advance(POLL_SECONDS)
        reports.append(await watch.report(clock.now()))

    assert counted == [[1], []]
    assert [report.margins[0].change_time for report in reports] == [crossed_at, crossed_at]


async def test_a_date_that_cannot_be_kept_is_told_and_kept_later(
    tmp_path: Path, clock: FakeClock
) -> None:
    store = Crossings()
    store.is_full = True
    watch = MarginWatch(
        await watched(tmp_path, MarginRule(key=ADA, floor=1_000)), store, clock, lambda _: None
    )
    crossed_at = clock.now()

    await watch.published(prices("acme/model"), crossed_at)
    store.is_full = False
    await clock.advance(60)
    report = await watch.report(clock.now())

    assert [thin.change_time for thin in report.margins] == [crossed_at]
    assert list(store.kept.values()) == [crossed_at]


async def test_an_override_that_ends_raises_the_alert_of_its_own(
    tmp_path: Path, clock: FakeClock
) -> None:
    rule = MarginRule(key=ADA, floor=1_000, fixed_prices={"acme/model": (Rate(INPUT, 100),)})
    cheaper = PriceOverride(
        override_id="ovr_1",
        tenant_id="ada",
        offer="acme/model",
        factor=5_000,
        start=clock.now(),
        end=clock.now() + timedelta(seconds=60),
    )
    counted: list[int] = []
    database = await Database.open("pricing", data_dir=tmp_path, migrations=MIGRATIONS)
    store = DatabaseNegotiationStore(database)
    negotiations = Negotiations(store)
    await negotiations.set_rule(rule)
    await negotiations.set_override(cheaper, clock.now(), is_new=True)
    watch = MarginWatch(negotiations, store, clock, counted.append)
    await watch.published(prices("acme/model"), clock.now())
    running = asyncio.create_task(watch.run())
    try:
        await clock.wait_for_sleeper()
        assert counted == []
        await clock.advance(60)
        async with asyncio.timeout(10):
            while not counted:
                await clock.wait_for_sleeper()
                await clock.advance(POLL_SECONDS)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await database.close()

    assert counted == [1]
