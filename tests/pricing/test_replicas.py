"""Several replicas on one database: one refreshes, all serve the same."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest

from steelyard.pricing.v1 import price_change_pb2, price_pb2
from steelyard.pricing.v1 import pricing_service_pb2 as pb
from steelyard_common.background import supervised
from steelyard_common.database import Database
from steelyard_common.leases import Leases
from steelyard_pricing.adapters.schema import MIGRATIONS
from steelyard_pricing.domain.automatic_refresh import OTHERS_TURN_SECONDS
from steelyard_pricing.domain.refresh import LEASE, LEASE_DURATION
from steelyard_pricing.domain.replication import POLL_SECONDS
from tests.fakes import FakeClock, FakeFeedServer
from tests.pricing.builders import litellm_body, openrouter_body, openrouter_model, per_million
from tests.pricing.conftest import CALL_SECONDS, RunningPricing, Start
from tests.pricing.failures import failure_of

LIST = "/api/v1/models"
MAP = "/map.json"
MODELS = [openrouter_model(f"acme/model-{number}") for number in range(40)]
OFFER = "openrouter/acme/model-0"
GOOD = openrouter_body(*MODELS)
DEARER = openrouter_body(openrouter_model("acme/model-0", "0.000003"), *MODELS[1:])
TOO_DEAR = openrouter_body(openrouter_model("acme/model-0", "0.000100"), *MODELS[1:])
SHRUNK = openrouter_body(*MODELS[:20])
MODELS_MAP = litellm_body(
    {"acme/other": {"litellm_provider": "acme", "mode": "chat", "input_cost_per_token": 1e-06}}
)
DAY = 86_400
EXPIRED = LEASE_DURATION.total_seconds()
IN_PROGRESS = grpc.StatusCode.ABORTED, "ERROR_REASON_REFRESH_IN_PROGRESS"
HELD = price_change_pb2.HELD_CHANGE_STATE_HELD
RELEASED = price_change_pb2.HELD_CHANGE_STATE_RELEASED
REFUSED = price_change_pb2.HELD_CHANGE_STATE_REFUSED


@dataclass(frozen=True, slots=True)
class Pair:
    """Two replicas that have read nothing yet; neither does anything by itself."""

    one: RunningPricing
    other: RunningPricing
    feeds: FakeFeedServer
    clock: FakeClock

    def publish(self, body: bytes, *, hangs: bool = False) -> None:
        """Let the feed say something, or begin to until `resumed` is set."""
        self.feeds.resumed.clear()
        self.feeds.publish(LIST, body, hang_after=10 if hangs else None)

    async def settle(self, body: bytes = GOOD) -> None:
        """Have both serve a body."""
        self.publish(body)
        await self.one.report()
        await self.follow()

    async def follow(self) -> None:
        """Let the other one poll once, which must be enough."""
        (task,) = (task for task in self.other.service.tasks if task.name == "replication")
        version = (await self.one.status()).snapshot_version
        asleep = self.clock.sleeper_count  # cancelled ones count as well
        async with in_background(asyncio.create_task(supervised(task, self.clock))):
            await until_asleep(self.clock, asleep + 1)
            await self.clock.advance(POLL_SECONDS)
            await until_served(self.other, version)
            # It sleeps again: what else it took over is there as well.
            await self.clock.wait_for_sleeper()


@pytest.fixture
async def pair(start: Start, feeds: FakeFeedServer, clock: FakeClock) -> Pair:
    url = feeds.url(LIST)
    one = await start(openrouter_url=url)
    return Pair(one, await start(openrouter_url=url, beside=True), feeds, clock)


@asynccontextmanager
async def in_background(*tasks: "asyncio.Task[None]") -> AsyncIterator[None]:
    """End tasks when the block ends."""
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def hanging_refresh(
    pair: Pair, body: bytes, *sources: str
) -> AsyncIterator["asyncio.Task[pb.RefreshReport]"]:
    """Let one of the pair refresh, and hold it up in the middle of the download."""
    pair.publish(body, hangs=True)
    asked = len(pair.feeds.requests)
    task = asyncio.create_task(pair.one.report(*sources))
    async with asyncio.timeout(CALL_SECONDS):
        while len(pair.feeds.requests) == asked:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.005)
    try:
        yield task
    finally:
        pair.feeds.resumed.set()
        task.cancel()
        with suppress(asyncio.CancelledError, grpc.aio.AioRpcError):
            await task


async def until_served(pricing: RunningPricing, version: int) -> None:
    async with asyncio.timeout(CALL_SECONDS):
        while (await pricing.status()).snapshot_version < version:  # noqa: ASYNC110 - as callers ask
            await asyncio.sleep(0.005)


def input_price(price: price_pb2.Price) -> int:
    return next(rate.picodollars for rate in price.rates if rate.component == 1)


async def served_price(pricing: RunningPricing, offer: str = OFFER) -> int:
    return input_price((await pricing.price(offer)).price)


async def changes_in(pricing: RunningPricing, state: int) -> list[price_change_pb2.HeldChange]:
    request = pb.ListQuarantinedRequest(state=state)  # type: ignore[arg-type]
    return list((await pricing.stub.ListQuarantined(request, timeout=CALL_SECONDS)).held_changes)


async def review(pricing: RunningPricing, how: "pb.Review.ValueType") -> str:
    """Decide about the only change that is held; return its id."""
    (held,) = await changes_in(pricing, HELD)
    request = pb.ReviewQuarantinedRequest(held_change_id=held.held_change_id, review=how)
    await pricing.stub.ReviewQuarantined(request, timeout=CALL_SECONDS)
    return held.held_change_id


async def test_what_one_publishes_the_other_serves_within_two_seconds(pair: Pair) -> None:
    pair.publish(GOOD)
    report = await pair.one.report()
    not_yet = await pair.other.status()

    await pair.follow()

    assert not_yet.snapshot_version < report.snapshot_version
    assert await pair.other.price(OFFER) == await pair.one.price(OFFER)
    assert await pair.other.status() == await pair.one.status()
    assert await pair.other.source("openrouter") == await pair.one.source("openrouter")


async def test_either_may_refresh(pair: Pair) -> None:
    await pair.settle()
    pair.publish(DEARER)

    report = await pair.other.report()

    assert report.changed_count == 1
    assert await served_price(pair.other) == per_million("3")
    assert await served_price(pair.one) == per_million("1")


async def test_a_refresh_builds_on_what_the_other_has_published_meanwhile(pair: Pair) -> None:
    await pair.settle()
    pair.publish(DEARER)
    published = await pair.one.report()

    report = await pair.other.report()

    assert report.sources[1].outcome == pb.REFRESH_PHASE_NOT_MODIFIED
    assert report.snapshot_version == published.snapshot_version
    assert await served_price(pair.other) == per_million("3")


async def test_while_one_refreshes_the_other_does_not(pair: Pair) -> None:
    await pair.settle()
    before, asked = await pair.other.status(), len(pair.feeds.requests)

    async with hanging_refresh(pair, DEARER) as refreshing:
        code, reason, metadata = await failure_of(pair.other.refresh())
        assert await pair.other.status() == before
        assert len(pair.feeds.requests) == asked + 1
        pair.feeds.resumed.set()
        report = await refreshing

    assert (code, reason) == IN_PROGRESS
    assert metadata == {"source": "the price catalogue"}
    assert report.changed_count == 1
    # It is free again at once.
    assert (await pair.other.report()).snapshot_version == report.snapshot_version


async def test_two_start_at_once_on_an_empty_database(start: Start) -> None:
    one, other = await asyncio.gather(start(), start(beside=True))

    assert [(await each.status()).snapshot_version for each in (one, other)] == [1, 1]
    assert await one.price("seed/model") == await other.price("seed/model")


async def test_what_is_stale_is_read_once_and_not_by_each(
    start: Start, feeds: FakeFeedServer, clock: FakeClock
) -> None:
    urls = {
        "litellm_url": feeds.publish(MAP, MODELS_MAP),
        "openrouter_url": feeds.publish(LIST, GOOD, hang_after=10),
    }
    both = [await start(**urls, random=lambda: 0.5)]
    both.append(await start(**urls, random=lambda: 0.5, beside=True))
    tasks = [task for each in both for task in each.service.tasks if task.name != "margins"]

    async with in_background(*(asyncio.create_task(supervised(task, clock)) for task in tasks)):
        await until_asked(feeds, 2)
        await until_asleep(clock, len(tasks) - 1)  # one waits for the feed
        feeds.resumed.set()
        await until_asleep(clock, len(tasks))
        await clock.advance(OTHERS_TURN_SECONDS)
        await until_asleep(clock, len(tasks))
        assert paths(feeds) == [MAP, LIST]

        await clock.advance(DAY)
        await until_asked(feeds, 4)
        await until_asleep(clock, len(tasks))
        await clock.advance(OTHERS_TURN_SECONDS)
        await until_asleep(clock, len(tasks))

    assert paths(feeds) == [MAP, LIST] * 2
    first, second = [await each.status() for each in both]
    assert first == second
    assert first.cache_valid


def paths(feeds: FakeFeedServer) -> list[str]:
    """Return what was asked for, in pairs whose order does not matter."""
    asked = [request.path for request in feeds.requests]
    pairs = [sorted(asked[n : n + 2], reverse=True) for n in range(0, len(asked), 2)]
    return [path for pair in pairs for path in pair]


async def until_asked(feeds: FakeFeedServer, count: int) -> None:
    async with asyncio.timeout(CALL_SECONDS):
        while len(feeds.requests) < count:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.005)


async def until_asleep(clock: FakeClock, count: int) -> None:
    async with asyncio.timeout(CALL_SECONDS):
        while clock.sleeper_count < count:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.005)


async def test_the_work_of_one_that_died_is_taken_over(pair: Pair, tmp_path: Path) -> None:
    await pair.settle()
    database = await Database.open("pricing", data_dir=tmp_path, migrations=MIGRATIONS)
    assert await Leases(database, pair.clock, holder="dead").acquire(LEASE, LEASE_DURATION)
    await database.close()
    pair.publish(DEARER)

    await pair.clock.advance(EXPIRED - 1)
    code, reason, _ = await failure_of(pair.other.refresh())
    await pair.clock.advance(1)
    report = await pair.other.report()

    assert (code, reason) == IN_PROGRESS
    assert report.changed_count == 1


async def test_one_that_was_too_slow_publishes_nothing(pair: Pair) -> None:
    await pair.settle()

    async with hanging_refresh(pair, DEARER) as slow:
        await pair.clock.advance(EXPIRED)
        pair.feeds.publish(LIST, openrouter_body(*MODELS, openrouter_model("acme/new")))
        published = await pair.other.report()
        pair.feeds.resumed.set()
        code, reason, _ = await failure_of(slow)

    assert (code, reason) == IN_PROGRESS
    status = await pair.other.status()
    assert (published.added_count, published.changed_count) == (1, 0)
    assert status.snapshot_version == published.snapshot_version
    assert not (await pair.one.status()).refreshing
    # It goes on with what the faster one has published.
    pair.publish(DEARER)
    assert (await pair.one.report()).snapshot_version == published.snapshot_version + 1
    assert await served_price(pair.one) == per_million("3")


async def test_one_that_was_too_slow_does_not_date_its_source(pair: Pair) -> None:
    """Its body is what is served already: even then nothing is written."""
    await pair.settle()

    async with hanging_refresh(pair, GOOD) as slow:
        await pair.clock.advance(EXPIRED)
        pair.feeds.publish(LIST, b"no", status=500)
        await pair.other.report()
        before = await pair.other.source("openrouter")
        pair.feeds.resumed.set()
        code, reason, _ = await failure_of(slow)
    await pair.follow()

    assert (code, reason) == IN_PROGRESS
    assert await pair.other.source("openrouter") == before
    assert before.last_error.cause == "http_status"


async def test_a_lease_that_cannot_be_given_back_does_not_undo_the_refresh(
    pair: Pair, tmp_path: Path
) -> None:
    await pair.settle()
    pair.publish(DEARER)
    with closing(sqlite3.connect(tmp_path / "pricing.db")) as database:
        database.execute(
            "CREATE TRIGGER kept BEFORE UPDATE ON lease WHEN NEW.generation = OLD.generation"
            " BEGIN SELECT RAISE(ABORT, 'stands for a disk error'); END"
        )

    report = await pair.one.report()

    assert report.changed_count == 1
    assert await served_price(pair.one) == per_million("3")
    # Its own lease is in nobody's way but the others', until it expires.
    await pair.one.report()


async def settle_with_a_held_change(pair: Pair, body: bytes = TOO_DEAR) -> None:
    await pair.settle()
    pair.publish(body)
    await pair.one.report()
    await pair.follow()


@pytest.mark.parametrize("added", [[], [openrouter_model("acme/new")]], ids=["same", "another"])
async def test_a_release_during_the_others_refresh_stands(
    pair: Pair, added: list[dict[str, object]]
) -> None:
    await settle_with_a_held_change(pair)
    body = openrouter_body(openrouter_model("acme/model-0", "0.000100"), *MODELS[1:], *added)

    async with hanging_refresh(pair, body) as refreshing:
        held_change_id = await review(pair.other, pb.REVIEW_APPROVE)
        assert await served_price(pair.other) == per_million("100")
        pair.feeds.resumed.set()
        report = await refreshing

    assert await served_price(pair.one) == per_million("100")
    assert report.quarantined_count == 0
    assert report.added_count == len(added)
    assert await changes_in(pair.one, HELD) == []
    (released,) = await changes_in(pair.one, RELEASED)
    assert released.held_change_id == held_change_id
    assert (await pair.one.status()).snapshot_version == report.snapshot_version


async def test_a_refusal_during_the_others_refresh_stands(pair: Pair) -> None:
    await settle_with_a_held_change(pair)

    async with hanging_refresh(pair, TOO_DEAR) as refreshing:
        await review(pair.other, pb.REVIEW_REJECT)
        pair.feeds.resumed.set()
        await refreshing

    assert await served_price(pair.one) == per_million("1")
    assert await changes_in(pair.one, HELD) == []
    assert len(await changes_in(pair.one, REFUSED)) == 1


async def test_of_two_reviews_at_once_one_stands(pair: Pair) -> None:
    await settle_with_a_held_change(pair)
    (held,) = await changes_in(pair.one, HELD)
    requests = [
        pb.ReviewQuarantinedRequest(
            held_change_id=held.held_change_id, review=pb.REVIEW_REJECT, note=note
        )
        for note in ("one", "other")
    ]

    answers = await asyncio.gather(
        pair.one.stub.ReviewQuarantined(requests[0], timeout=CALL_SECONDS),
        pair.other.stub.ReviewQuarantined(requests[1], timeout=CALL_SECONDS),
        return_exceptions=True,
    )

    (won,) = [answer for answer in answers if not isinstance(answer, BaseException)]
    (lost,) = [answer for answer in answers if isinstance(answer, grpc.aio.AioRpcError)]
    assert lost.code() is grpc.StatusCode.FAILED_PRECONDITION
    (change,) = await changes_in(pair.one, REFUSED)
    assert change.note == won.held_change.note


async def test_a_body_that_is_refused_while_the_other_reads_on_stays_refused(
    start: Start, feeds: FakeFeedServer, clock: FakeClock
) -> None:
    urls = {"litellm_url": feeds.publish(MAP, MODELS_MAP), "openrouter_url": feeds.url(LIST)}
    one = await start(**urls)
    pair = Pair(one, await start(**urls, beside=True), feeds, clock)
    await settle_with_a_held_change(pair, SHRUNK)
    feeds.publish(MAP, MODELS_MAP, hang_after=10)
    feeds.resumed.clear()
    events = aiter(one.stub.RefreshPrices(pb.RefreshPricesRequest(force=True), timeout=30))
    async for event in events:
        if (
            event.progress.source == "openrouter"
            and event.progress.phase == pb.REFRESH_PHASE_CHECKING
        ):
            break
    # The check itself takes a moment; the map is still to come.
    await asyncio.sleep(0.2)

    await review(pair.other, pb.REVIEW_REJECT)
    feeds.resumed.set()
    *_, last = [event async for event in events]

    assert last.report.sources[1].outcome == pb.REFRESH_PHASE_REJECTED
    assert await changes_in(one, HELD) == []
    assert len(await changes_in(one, REFUSED)) == 1


async def test_a_rollback_during_the_others_refresh_stands(pair: Pair) -> None:
    await pair.settle()
    good = (await pair.one.status()).snapshot_version
    await pair.settle(DEARER)

    async with hanging_refresh(pair, DEARER) as refreshing:
        request = pb.RollbackPricesRequest(version=good)
        await pair.other.stub.RollbackPrices(request, timeout=CALL_SECONDS)
        pair.feeds.resumed.set()
        report = await refreshing

    assert report.snapshot_version == good + 2
    assert [await served_price(each) for each in (pair.one, pair.other)] == [per_million("1")] * 2
    # And the readings after it know as well.
    pair.publish(DEARER)
    await pair.one.report()
    assert await served_price(pair.one) == per_million("1")


async def test_a_watcher_of_one_hears_what_the_other_publishes(pair: Pair) -> None:
    await pair.settle()
    version = (await pair.other.status()).snapshot_version
    call = pair.other.stub.WatchPrices(
        pb.WatchPricesRequest(from_version=version), timeout=CALL_SECONDS
    )
    messages = aiter(call)
    for body in (DEARER, GOOD):
        pair.publish(body)
        await pair.one.report()

    await pair.follow()

    heard = [await anext(messages) for _ in range(2)]
    call.cancel()
    assert [message.version for message in heard] == [version + 1, version + 2]
    changes = [change for message in heard for change in message.changes]
    assert [change.offer for change in changes] == [OFFER, OFFER]
    assert [(input_price(change.before), input_price(change.after)) for change in changes] == [
        (per_million("1"), per_million("3")),
        (per_million("3"), per_million("1")),
    ]
