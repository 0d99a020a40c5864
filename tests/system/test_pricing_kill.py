"""The pricing service is killed again and again while it refreshes.

Whatever the moment, what is served and what is kept is one whole edition, and never an older one.
STEELYARD_TEST_KILLS says how often; `make faults` takes its time.
"""

import asyncio
import os
import random
import sqlite3
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import grpc
import pytest

from steelyard.pricing.v1 import price_pb2
from steelyard.pricing.v1 import pricing_service_pb2 as pb
from steelyard.pricing.v1 import pricing_service_pb2_grpc as pb_grpc
from steelyard_common.clock import SystemClock
from steelyard_common.database import Database
from steelyard_pricing.adapters.history_store import DatabaseHistory
from steelyard_pricing.adapters.price_store import DatabasePriceStore
from steelyard_pricing.adapters.schema import MIGRATIONS
from steelyard_pricing.domain.changes import ChangeKind, PriceChange
from steelyard_pricing.domain.publication import SnapshotRecord
from steelyard_pricing.domain.snapshot import ObservedFact
from tests.fakes import FakeFeedServer
from tests.pricing.conftest import settings_for, small_seed, start_pricing
from tests.pricing.editions import cached_price, edition_body, edition_of
from tests.stack import Stack

# Read here: a fixture takes all settings away.
KILLS = int(os.environ.get("STEELYARD_TEST_KILLS", "10"))
SECONDS_PER_KILL = 15
LATEST_KILL = 1.6
"""In durations of what is interrupted: the last kills come when it is over."""
MEANINGFUL_KILLS = 25
"""Of so many, some must come before the publication and some after it."""
CALL_SECONDS = 30
PAGE = 1000
MAP = "/map.json"
SEED_VERSION = 1

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("system")]


@dataclass(slots=True)
class Feed:
    """A map that says something new whenever it is read."""

    server: FakeFeedServer
    edition: int = -1

    @property
    def url(self) -> str:
        return self.server.url(MAP)

    def publish_next(self) -> None:
        self.edition += 1
        self.server.publish(MAP, edition_body(self.edition))


@dataclass(slots=True)
class Told:
    """What callers have been told: it must never be taken back."""

    version: int = SEED_VERSION
    editions: dict[int, int] = field(default_factory=dict)
    """By version."""

    def note(self, version: int, edition: int) -> None:
        assert version >= self.version
        assert edition >= max(self.editions.values(), default=0)
        assert self.editions.setdefault(version, edition) == edition
        self.version = version


@dataclass(frozen=True, slots=True)
class Pace:
    """How many seconds a refresh takes."""

    whole: float
    after_check: float


@dataclass(frozen=True, slots=True)
class Moment:
    """When to kill: so long after the refresh began, or after its body was there to be checked."""

    is_after_check: bool
    seconds: float


@pytest.fixture
async def feed() -> AsyncIterator[Feed]:
    async with FakeFeedServer() as server:
        yield Feed(server)


@pytest.mark.faults
@pytest.mark.timeout(120 + SECONDS_PER_KILL * KILLS)
async def test_whenever_it_is_killed_the_catalogue_is_one_whole_version(
    feed: Feed, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told, answered = Told(), list[bool]()
    await publish_first_edition(feed, tmp_path, told)
    async with running(feed, tmp_path) as stack:
        pace = await timed_refresh(stack, feed, told)

    versions: list[int] = []
    for moment in moments_to_kill(pace):
        async with running(feed, tmp_path) as stack:
            # What the last one has left.
            await check_served(stack, told)
            assert integrity(tmp_path) == "ok"
            versions.append(told.version)
            let_the_lease_expire(tmp_path)
            is_checked = asyncio.Event()
            refreshing = asyncio.create_task(refresh(stack, feed, told, is_checked))
            if moment.is_after_check:
                await is_checked.wait()
            await asyncio.sleep(moment.seconds)
            await stack.kill("pricing")
            answered.append(await refreshing)
    async with running(feed, tmp_path) as stack:
        await check_served(stack, told)
        versions.append(told.version)

    await check_history(tmp_path, told)
    published = sum(after > before for before, after in pairwise(versions))
    assert 0 < published < KILLS or KILLS < MEANINGFUL_KILLS
    with capsys.disabled():
        print(  # noqa: T201 - figures to report
            f"\n{KILLS} kills of refreshes that take {pace.whole:.3f} s: {KILLS - published} before"
            f" the snapshot was published, {published} after it, {sum(answered)} of them answered"
        )


def moments_to_kill(pace: Pace) -> list[Moment]:
    """Return moments in any order: half spread over a refresh, half over what follows the check.

    That is where everything is written, within a small part of the time.
    """
    chance = random.Random(20261102)  # noqa: S311 - the same in every run
    moments = []
    for n in range(KILLS):
        late = n % 2 == 1
        share = (n + 2 * chance.random()) / (KILLS + 1) * LATEST_KILL
        moments.append(Moment(late, share * (pace.after_check if late else pace.whole)))
    chance.shuffle(moments)
    return moments


async def publish_first_edition(feed: Feed, data_dir: Path, told: Told) -> None:
    """Leave a database in which the shipped catalogue, which is large, is not needed any more."""
    async with AsyncExitStack() as resources:
        feed.publish_next()
        pricing = await start_pricing(
            resources,
            settings_for(data_dir, litellm_url=feed.url),
            clock=SystemClock(),
            seed=small_seed,
        )
        report = await pricing.report()
        told.note(report.snapshot_version, feed.edition)


def running(feed: Feed, data_dir: Path) -> Stack:
    """Return the pricing service as a process of its own."""
    return Stack(data_dir, environment={"STEELYARD_LITELLM_URL": feed.url}, services=["pricing"])


async def timed_refresh(stack: Stack, feed: Feed, told: Told) -> Pace:
    is_checked = asyncio.Event()
    started = time.perf_counter()
    refreshing = asyncio.create_task(refresh(stack, feed, told, is_checked))
    await is_checked.wait()
    checked = time.perf_counter()
    assert await refreshing
    ended = time.perf_counter()
    return Pace(ended - started, ended - checked)


async def refresh(stack: Stack, feed: Feed, told: Told, is_checked: asyncio.Event) -> bool:
    """Have the next edition read; return whether the report came before the end."""
    feed.publish_next()
    stub = pb_grpc.PricingServiceStub(stack.channel("pricing"))
    request = pb.RefreshPricesRequest(force=True, sources=["litellm"])
    try:
        async for event in stub.RefreshPrices(request, timeout=CALL_SECONDS):
            if event.progress.phase == pb.REFRESH_PHASE_CHECKING:
                is_checked.set()
            if event.HasField("report"):
                assert event.report.sources[0].outcome == pb.REFRESH_PHASE_PUBLISHED
                told.note(event.report.snapshot_version, feed.edition)
                return True
    except grpc.aio.AioRpcError as error:
        assert error.code() is grpc.StatusCode.UNAVAILABLE, error  # noqa: PT017 - it may succeed
    finally:
        is_checked.set()
    return False


async def check_served(stack: Stack, told: Told) -> None:
    """Check that every price is of one edition, and of none that is older than what was told."""
    stub = pb_grpc.PricingServiceStub(stack.channel("pricing"))
    request = pb.ListPricesRequest(page_size=PAGE)
    answer = await stub.ListPrices(request, timeout=CALL_SECONDS)
    status = await stub.GetCatalogStatus(pb.GetCatalogStatusRequest(), timeout=CALL_SECONDS)
    assert not answer.page_info.next_page_token
    assert status.snapshot_version == answer.snapshot_version
    told.note(answer.snapshot_version, edition_of(map(served_price, answer.prices)))


def served_price(price: price_pb2.Price) -> tuple[str, int]:
    """Return an offer and what a cached token of it costs."""
    (rate,) = (r for r in price.rates if r.component == price_pb2.PRICE_COMPONENT_CACHE_READ_TOKEN)
    return price.offer, rate.picodollars


def integrity(data_dir: Path) -> str:
    """Return what SQLite says of its file, `ok` when nothing is wrong."""
    with closing(sqlite3.connect(data_dir / "pricing.db")) as database:
        (verdict,) = database.execute("PRAGMA integrity_check").fetchone()
        return str(verdict)


def let_the_lease_expire(data_dir: Path) -> None:
    """Stand in for the minutes after which the work of a replica that died is taken over."""
    with closing(sqlite3.connect(data_dir / "pricing.db")) as database, database:
        database.execute("UPDATE lease SET expires_time = '2000-01-01 00:00:00.000000'")


async def check_history(data_dir: Path, told: Told) -> None:
    """Check that every version is one whole edition, and what is said of the way to it."""
    database = await Database.open("pricing", data_dir=data_dir, migrations=MIGRATIONS)
    try:
        store, history = DatabasePriceStore(database), DatabaseHistory(database)
        records = await store.snapshots(before=None, limit=told.version + 1)
        assert [record.version for record in reversed(records)] == [
            *range(SEED_VERSION, told.version + 1)
        ]
        editions: list[int] = []
        before: dict[str, ObservedFact] = {}
        for record in reversed(records):
            facts = await facts_of(store, record.version)
            changes = await history.of_version(record.version, after="", limit=10_000)
            check_changes(before, facts, changes, record)
            if record.version > SEED_VERSION:
                edition = edition_of(cached_price(each.fact) for each in facts.values())
                assert told.editions.get(record.version, edition) == edition
                editions.append(edition)
            before = facts
        assert editions == sorted(set(editions))
        stored = await store.load()
        assert stored is not None
        assert stored.record == records[0]
        assert {fact.fact.offer: fact for fact in stored.facts["litellm"]} == before
    finally:
        await database.close()


async def facts_of(store: DatabasePriceStore, version: int) -> dict[str, ObservedFact]:
    """Return the facts of a version, which are of one source, by offer."""
    by_source = await store.load_version(version)
    assert by_source is not None
    (facts,) = by_source.values()
    return {each.fact.offer: each for each in facts}


def check_changes(
    before: Mapping[str, ObservedFact],
    after: Mapping[str, ObservedFact],
    changes: Sequence[PriceChange],
    record: SnapshotRecord,
) -> None:
    """Check that the changes of a version lead from the one before to it."""
    different = {n for n in before.keys() | after.keys() if before.get(n) != after.get(n)}
    assert {change.offer for change in changes} == different
    for change in changes:
        assert change.before == before.get(change.offer)
        assert change.after == after.get(change.offer)
        assert change.recorded_time == record.published_time
    kinds = Counter(change.kind for change in changes)
    counts = record.counts
    assert (counts.added, counts.changed, counts.removed) == (
        kinds[ChangeKind.ADDED],
        kinds[ChangeKind.CHANGED],
        kinds[ChangeKind.REMOVED],
    )
    assert counts.added + counts.changed + counts.unchanged == len(after)
