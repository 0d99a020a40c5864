"""The past of prices: never rewritten, told by version, by time and by offer."""

import asyncio
from datetime import datetime, timedelta

import grpc
import pytest

from steelyard.common.v1.usage_pb2 import Usage
from steelyard.pricing.v1 import price_change_pb2 as change_pb
from steelyard.pricing.v1 import pricing_service_pb2 as pb
from tests.fakes import FakeClock, FakeFeedServer
from tests.pricing.builders import openrouter_body, openrouter_model, per_million, usd
from tests.pricing.conftest import CALL_SECONDS, RunningPricing, Start
from tests.pricing.failures import failure_of
from tests.pricing.test_quarantine import body

LIST = "/models"
OFFER = "openrouter/acme/model-0"
DAY = 86_400
ADDED = change_pb.PRICE_CHANGE_KIND_ADDED
CHANGED = change_pb.PRICE_CHANGE_KIND_CHANGED
REMOVED = change_pb.PRICE_CHANGE_KIND_REMOVED


@pytest.fixture
async def pricing(start: Start, feeds: FakeFeedServer, clock: FakeClock) -> RunningPricing:
    """Return a service after three editions, a day apart: 1, 2 and 3 USD per million."""
    running = await start(openrouter_url=feeds.publish(LIST, body("0.000001")))
    for prompt in ("0.000001", "0.000002", "0.000003"):
        feeds.publish(LIST, body(prompt))
        await running.report()
        await clock.advance(DAY)
    return running


async def changes(pricing: RunningPricing, **query: object) -> pb.ListPriceChangesResponse:
    request = pb.ListPriceChangesRequest(**query)  # type: ignore[arg-type]
    return await pricing.stub.ListPriceChanges(request, timeout=CALL_SECONDS)


async def reprice(
    pricing: RunningPricing,
    used: datetime,
    *,
    known: datetime | None = None,
    effective: datetime | None = None,
    offer: str = OFFER,
) -> pb.RepriceResponse:
    """Return what a million prompt tokens cost."""
    request = pb.RepriceRequest(
        usage=[pb.PastUsage(offer=offer, usage=Usage(uncached_input_token_count=1_000_000))]
    )
    request.usage[0].use_time.FromDatetime(used)
    if known is not None:
        request.as_known_at_time.FromDatetime(known)
    if effective is not None:
        request.as_effective_at_time.FromDatetime(effective)
    return await pricing.stub.Reprice(request, timeout=CALL_SECONDS)


async def test_the_feed_tells_what_changed_newest_first(pricing: RunningPricing) -> None:
    answer = await changes(pricing, offer=OFFER)

    assert [change.kind for change in answer.changes] == [CHANGED, CHANGED, ADDED]
    newest = answer.changes[0]
    assert newest.before.rates[0].picodollars == per_million("2")
    assert newest.after.rates[0].picodollars == per_million("3")
    assert newest.ratio == pytest.approx(1.5)
    assert newest.snapshot_version == (await pricing.status()).snapshot_version
    assert newest.observed_time == newest.effective_time
    assert answer.page_info.total_count == 3


async def test_the_feed_is_filtered_by_time_and_ratio(
    pricing: RunningPricing, clock: FakeClock
) -> None:
    request = pb.ListPriceChangesRequest()
    request.since_time.FromDatetime(clock.now() - timedelta(days=2))

    recent = await pricing.stub.ListPriceChanges(request, timeout=CALL_SECONDS)
    large = await changes(pricing, min_ratio=1.6)
    cut = await changes(pricing, min_ratio=0.6)

    assert [change.offer for change in recent.changes] == [OFFER, OFFER]
    assert [change.ratio for change in large.changes] == [2.0]
    assert len(cut.changes) == 1
    code, _, metadata = await failure_of(changes(pricing, min_ratio=-1.0))
    assert (code, metadata["field"]) == (grpc.StatusCode.INVALID_ARGUMENT, "min_ratio")


async def test_pages_of_the_feed_are_stable_while_prices_change(
    pricing: RunningPricing, feeds: FakeFeedServer
) -> None:
    first = await changes(pricing, page_size=20)
    feeds.publish(LIST, body("0.000004"))
    await pricing.report()

    second = await changes(pricing, page_size=1000, page_token=first.page_info.next_page_token)

    keys = [(each.snapshot_version, each.offer) for each in (*first.changes, *second.changes)]
    assert len(keys) == len(set(keys)) == first.page_info.total_count
    code, _, metadata = await failure_of(
        changes(pricing, offer=OFFER, page_token=first.page_info.next_page_token)
    )
    assert (code, metadata["field"]) == (grpc.StatusCode.INVALID_ARGUMENT, "page_token")


async def test_what_is_gone_is_told_and_stays_in_the_past(
    pricing: RunningPricing, feeds: FakeFeedServer, clock: FakeClock
) -> None:
    feeds.publish(
        LIST, openrouter_body(*(openrouter_model(f"acme/model-{n}") for n in range(1, 40)))
    )
    await pricing.report()

    (newest, *_) = (await changes(pricing, offer=OFFER)).changes

    assert newest.kind == REMOVED
    assert newest.before.offer == OFFER
    assert not newest.HasField("after")
    now = clock.now()
    assert (await reprice(pricing, now)).quotes[0].failure == pb.QUOTE_FAILURE_UNPRICED
    past = await reprice(pricing, now - timedelta(hours=1))
    assert past.total.total_picodollars == usd("3")


async def test_past_usage_costs_what_it_cost_then(
    pricing: RunningPricing, clock: FakeClock
) -> None:
    now = clock.now()

    costs = [
        (await reprice(pricing, now - timedelta(days=days, hours=-1))).total.total_picodollars
        for days in (3, 2, 1)
    ]
    at_todays = await reprice(pricing, now - timedelta(days=2, hours=12), effective=now)
    before_all = await reprice(pricing, now - timedelta(days=9))

    assert costs == [usd("1"), usd("2"), usd("3")]
    assert at_todays.total.total_picodollars == usd("3")
    assert before_all.quotes[0].failure == pb.QUOTE_FAILURE_UNPRICED
    assert (await reprice(pricing, now, offer="nobody/knows")).quotes[0].failure == (
        pb.QUOTE_FAILURE_UNKNOWN_OFFER
    )


async def test_a_late_release_changes_what_is_known_now_not_what_was_known_then(
    pricing: RunningPricing, feeds: FakeFeedServer, clock: FakeClock
) -> None:
    feeds.publish(LIST, body("0.00004", "0.00008"))
    seen = clock.now()
    await pricing.report()
    await clock.advance(3600)
    used = clock.now()
    await clock.advance(3600)
    as_known_then = clock.now()
    (change,) = (
        await pricing.stub.ListQuarantined(pb.ListQuarantinedRequest(), timeout=5)
    ).held_changes
    await clock.advance(3600)
    await pricing.stub.ReviewQuarantined(
        pb.ReviewQuarantinedRequest(held_change_id=change.held_change_id, review=pb.REVIEW_APPROVE),
        timeout=5,
    )

    now_known = await reprice(pricing, used)
    then_known = await reprice(pricing, used, known=as_known_then)
    before_it = await reprice(pricing, seen - timedelta(hours=1))

    assert now_known.total.total_picodollars == usd("40")
    assert then_known.total.total_picodollars == usd("3")
    assert before_it.total.total_picodollars == usd("3")


async def test_b22_the_past_is_the_same_after_every_later_edition(
    pricing: RunningPricing, feeds: FakeFeedServer, clock: FakeClock
) -> None:
    moments = [clock.now() - timedelta(hours=12 * n) for n in range(1, 7)]
    before = [await reprice(pricing, used, known=clock.now()) for used in moments]
    known = clock.now()
    for prompt in ("0.000009", "0.0000091", "0.000001"):
        await clock.advance(DAY)
        feeds.publish(LIST, body(prompt))
        await pricing.report()

    assert [await reprice(pricing, used, known=known) for used in moments] == before
    assert [await reprice(pricing, used) for used in moments] == before


async def test_the_price_of_an_earlier_day_can_be_asked_for(
    pricing: RunningPricing, clock: FakeClock
) -> None:
    prices = []
    for days in (1, 2, 3):
        request = pb.GetPriceRequest(name=OFFER)
        request.at_time.FromDatetime(clock.now() - timedelta(days=days, hours=-1))
        prices.append((await pricing.stub.GetPrice(request, timeout=5)).price)
    request.at_time.FromDatetime(clock.now() - timedelta(days=9))

    code, reason, _ = await failure_of(pricing.stub.GetPrice(request, timeout=5))

    assert [price.rates[0].picodollars for price in prices] == [
        per_million(text) for text in ("3", "2", "1")
    ]
    assert (code, reason) == (grpc.StatusCode.NOT_FOUND, "ERROR_REASON_PRICE_NOT_FOUND")


async def test_reprice_needs_a_time_and_a_usage(pricing: RunningPricing) -> None:
    code, _, metadata = await failure_of(
        pricing.stub.Reprice(
            pb.RepriceRequest(usage=[pb.PastUsage(offer=OFFER, usage=Usage(page_count=1))]),
            timeout=5,
        )
    )
    assert (code, metadata["field"]) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "usage[0].use_time",
    )


async def test_watching_begins_with_everything_and_goes_on_with_changes(
    pricing: RunningPricing, feeds: FakeFeedServer
) -> None:
    call = aiter(pricing.stub.WatchPrices(pb.WatchPricesRequest(), timeout=CALL_SECONDS))
    present = await anext(call)
    feeds.publish(LIST, body("0.000005"))
    await pricing.report()

    news = await anext(call)

    assert {change.kind for change in present.changes} == {ADDED}
    assert len(present.changes) == (await pricing.status()).model_count
    assert news.version == present.version + 1
    assert [change.offer for change in news.changes] == [OFFER]
    assert news.changes[0].after.rates[0].picodollars == per_million("5")


async def test_watching_resumes_behind_the_version_that_is_known(
    pricing: RunningPricing,
) -> None:
    version = (await pricing.status()).snapshot_version
    call = aiter(
        pricing.stub.WatchPrices(
            pb.WatchPricesRequest(from_version=version - 2), timeout=CALL_SECONDS
        )
    )

    news = [await anext(call) for _ in range(2)]

    assert [message.version for message in news] == [version - 1, version]
    assert [message.changes[0].ratio for message in news] == [2.0, 1.5]
    code, _, metadata = await failure_of(
        anext(
            aiter(
                pricing.stub.WatchPrices(pb.WatchPricesRequest(from_version=version + 1), timeout=5)
            )
        )
    )
    assert (code, metadata["field"]) == (grpc.StatusCode.INVALID_ARGUMENT, "from_version")


async def test_a_watcher_that_leaves_costs_nothing(pricing: RunningPricing) -> None:
    call = pricing.stub.WatchPrices(pb.WatchPricesRequest(), timeout=CALL_SECONDS)
    await call.read()
    call.cancel()

    with pytest.raises(asyncio.CancelledError):
        await call.read()
    assert (await pricing.status()).model_count > 40


async def test_snapshots_tell_what_they_brought(pricing: RunningPricing) -> None:
    answer = await pricing.stub.ListSnapshots(pb.ListSnapshotsRequest(page_size=3), timeout=5)

    causes = [snapshot.cause for snapshot in answer.snapshots]
    assert causes == ["refresh", "refresh", "refresh"]
    assert [snapshot.changed_count for snapshot in answer.snapshots] == [1, 1, 0]
    assert answer.page_info.total_count == answer.snapshots[0].version
    rest = await pricing.stub.ListSnapshots(
        pb.ListSnapshotsRequest(page_token=answer.page_info.next_page_token), timeout=5
    )
    assert [snapshot.cause for snapshot in rest.snapshots] == ["seed"]


async def roll_back(pricing: RunningPricing, version: int) -> pb.PriceSnapshot:
    request = pb.RollbackPricesRequest(version=version, note="a bad edition")
    return (await pricing.stub.RollbackPrices(request, timeout=CALL_SECONDS)).snapshot


async def prompt_price(pricing: RunningPricing) -> int:
    return (await pricing.price(OFFER)).price.rates[0].picodollars


async def test_a_rollback_serves_an_older_snapshot_and_stays(
    start: Start, pricing: RunningPricing, feeds: FakeFeedServer, clock: FakeClock
) -> None:
    version = (await pricing.status()).snapshot_version

    snapshot = await roll_back(pricing, version - 2)

    assert snapshot.version == version + 1
    assert (snapshot.cause, snapshot.note) == ("rollback", "a bad edition")
    assert await prompt_price(pricing) == per_million("1")
    pricing = await start(openrouter_url=feeds.url(LIST))
    for _ in range(4):
        await clock.advance(DAY)
        assert (await pricing.report()).changed_count == 0
    assert await prompt_price(pricing) == per_million("1")
    feeds.publish(LIST, body("0.0000035"))
    assert (await pricing.report()).changed_count == 1
    assert await prompt_price(pricing) == per_million("3.5")


async def test_a_rollback_can_be_undone(pricing: RunningPricing, clock: FakeClock) -> None:
    version = (await pricing.status()).snapshot_version
    await roll_back(pricing, version - 2)

    await roll_back(pricing, version)

    assert await prompt_price(pricing) == per_million("3")
    await clock.advance(DAY)
    assert (await pricing.report()).changed_count == 0
    assert await prompt_price(pricing) == per_million("3")


async def test_what_an_undone_edition_added_does_not_come_back(
    pricing: RunningPricing, feeds: FakeFeedServer
) -> None:
    version = (await pricing.status()).snapshot_version
    models = [openrouter_model(f"acme/model-{n}") for n in range(1, 40)]
    ours = openrouter_model("acme/model-0", "0.000003")
    feeds.publish(LIST, openrouter_body(ours, *models, openrouter_model("acme/new")))
    await pricing.report()
    await roll_back(pricing, version)

    await pricing.report()

    code, _, _ = await failure_of(pricing.price("openrouter/acme/new"))
    assert code is grpc.StatusCode.NOT_FOUND


async def test_a_rollback_serves_nothing_of_a_source_that_is_off(
    start: Start, pricing: RunningPricing
) -> None:
    version = (await pricing.status()).snapshot_version
    pricing = await start()

    # Without that source it is what is served already.
    refused = await failure_of(roll_back(pricing, version))

    assert refused[:2] == (grpc.StatusCode.FAILED_PRECONDITION, "ERROR_REASON_INVALID_STATE")
    code, _, _ = await failure_of(prompt_price(pricing))
    assert code is grpc.StatusCode.NOT_FOUND


async def test_a_rollback_goes_to_a_snapshot_that_was(pricing: RunningPricing) -> None:
    version = (await pricing.status()).snapshot_version

    missing = await failure_of(roll_back(pricing, version + 5))
    present = await failure_of(roll_back(pricing, version))

    assert missing[:2] == (grpc.StatusCode.NOT_FOUND, "ERROR_REASON_RESOURCE_NOT_FOUND")
    assert present[:2] == (grpc.StatusCode.FAILED_PRECONDITION, "ERROR_REASON_INVALID_STATE")
