"""Changes that look wrong wait; the last good price stays until something confirms the new one."""

from datetime import timedelta

import grpc
import pytest

from steelyard.pricing.v1 import price_change_pb2 as change_pb
from steelyard.pricing.v1 import pricing_service_pb2 as pb
from tests.fakes import FakeClock, FakeFeedServer
from tests.pricing.builders import litellm_body, openrouter_body, openrouter_model, per_million
from tests.pricing.conftest import CALL_SECONDS, RunningPricing, Start
from tests.pricing.failures import failure_of

LIST, MAP = "/models", "/map"
OFFER = "openrouter/acme/model-0"
DAY = 86_400
HELD = change_pb.HELD_CHANGE_STATE_HELD
RELEASED = change_pb.HELD_CHANGE_STATE_RELEASED
REFUSED = change_pb.HELD_CHANGE_STATE_REFUSED
WITHDRAWN = change_pb.HELD_CHANGE_STATE_WITHDRAWN


def body(prompt: str = "0.000001", completion: str = "0.000002", **pricing: object) -> bytes:
    """Return a list of 40 models, the first of which has these prices."""
    models = [openrouter_model(f"acme/model-{number}") for number in range(1, 40)]
    return openrouter_body(openrouter_model("acme/model-0", prompt, completion, **pricing), *models)


@pytest.fixture
async def pricing(start: Start, feeds: FakeFeedServer) -> RunningPricing:
    running = await start(openrouter_url=feeds.publish(LIST, body()))
    await running.report()
    return running


async def held(pricing: RunningPricing, state: int = 0) -> list[change_pb.HeldChange]:
    request = pb.ListQuarantinedRequest(state=state)  # type: ignore[arg-type]
    answer = await pricing.stub.ListQuarantined(request, timeout=CALL_SECONDS)
    return list(answer.held_changes)


async def review(
    pricing: RunningPricing, held_change_id: str, verdict: int, note: str = ""
) -> change_pb.HeldChange:
    request = pb.ReviewQuarantinedRequest(
        held_change_id=held_change_id,
        review=verdict,  # type: ignore[arg-type]
        note=note,
    )
    answer = await pricing.stub.ReviewQuarantined(request, timeout=CALL_SECONDS)
    return answer.held_change


async def input_price(pricing: RunningPricing, offer: str = OFFER) -> int:
    rates = (await pricing.price(offer)).price.rates
    return next(rate.picodollars for rate in rates if rate.component == 1)


SUSPECT: dict[str, tuple[bytes, str]] = {
    "a thousand times dearer": (body("0.001", "0.002"), "bounds"),
    "a hundred times dearer": (body("0.0001", "0.0002"), "entry_delta"),
    "a thousand times cheaper": (body("0.000000001", "0.000000002"), "entry_delta"),
    "just over ten times": (body("0.0000101", "0.000002"), "entry_delta"),
    "prompt and completion swapped": (body("0.000002", "0.000001"), "swapped"),
    "zeroed": (body("0", "0"), "lost_price"),
    "half zeroed": (body("0.000001", "0"), "lost_price"),
    "unknown": (body("-1", "-1"), "lost_price"),
    "not a number": (body("cheap", "0.000002"), "lost_price"),
    "an odd ratio": (body("0.000000101", "0.00002"), "ratio"),
}


@pytest.mark.parametrize("case", SUSPECT)
async def test_c5_a_suspect_price_is_held_and_the_last_good_one_stays(
    pricing: RunningPricing, feeds: FakeFeedServer, case: str
) -> None:
    suspect, guard = SUSPECT[case]
    feeds.publish(LIST, suspect)

    report = await pricing.report()

    (change,) = await held(pricing)
    assert (change.offer, change.source, change.guard) == (OFFER, "openrouter", guard)
    assert change.state == HELD
    assert change.explanation
    assert change.served.rates[0].picodollars == per_million("1")
    assert await input_price(pricing) == per_million("1")
    assert (report.quarantined_count, report.changed_count) == (1, 0)
    assert (await pricing.status()).quarantined_count == 1


async def test_exactly_ten_times_and_back_passes(
    pricing: RunningPricing, feeds: FakeFeedServer
) -> None:
    for prompt, completion in (("0.00001", "0.00002"), ("0.000001", "0.000002")):
        feeds.publish(LIST, body(prompt, completion))
        report = await pricing.report()
        assert (report.changed_count, report.quarantined_count) == (1, 0)


async def test_a_dropped_cache_price_is_held(start: Start, feeds: FakeFeedServer) -> None:
    pricing = await start(openrouter_url=feeds.publish(LIST, body(input_cache_read="0.0000001")))
    await pricing.report()
    feeds.publish(LIST, body())

    await pricing.report()

    (change,) = await held(pricing)
    assert change.guard == "lost_price"
    assert "cache_read_token" in change.explanation


async def test_a_new_offer_with_an_impossible_price_is_listed_without_one(
    start: Start, feeds: FakeFeedServer
) -> None:
    models = [openrouter_model(f"acme/model-{number}") for number in range(40)]
    pricing = await start(
        openrouter_url=feeds.publish(
            LIST, openrouter_body(*models, openrouter_model("acme/odd", "0.0032", "0.0097"))
        )
    )

    await pricing.report()

    (change,) = await held(pricing)
    assert (change.offer, change.guard) == ("openrouter/acme/odd", "bounds")
    code, reason, _ = await failure_of(pricing.price("openrouter/acme/odd"))
    assert (code, reason) == (grpc.StatusCode.NOT_FOUND, "ERROR_REASON_PRICE_NOT_FOUND")


async def test_the_same_value_in_three_readings_over_a_day_is_released(
    pricing: RunningPricing, feeds: FakeFeedServer, clock: FakeClock
) -> None:
    feeds.publish(LIST, body("0.00002", "0.00004"), etag='"v2"')
    first_seen = clock.now()
    await pricing.report()
    await clock.advance(DAY - 1)
    await pricing.report()
    await pricing.report()
    assert (await held(pricing))[0].sighting_count == 3
    assert await input_price(pricing) == per_million("1")
    await clock.advance(1)

    report = await pricing.report()

    assert await held(pricing) == []
    (change,) = await held(pricing, RELEASED)
    assert (change.sighting_count, change.reviewer) == (4, "")
    assert change.note.startswith("rule:")
    price = (await pricing.price(OFFER)).price
    assert price.rates[0].picodollars == per_million("20")
    assert price.effective_time.ToDatetime(tzinfo=first_seen.tzinfo) == first_seen
    assert (report.changed_count, report.quarantined_count) == (1, 0)


async def test_three_readings_within_a_day_release_nothing(
    pricing: RunningPricing, feeds: FakeFeedServer, clock: FakeClock
) -> None:
    feeds.publish(LIST, body("0.00002", "0.00004"))

    for _ in range(6):
        await clock.advance(3600)
        await pricing.report()

    assert await input_price(pricing) == per_million("1")


async def test_what_is_impossible_does_not_become_true_by_being_repeated(
    start: Start, feeds: FakeFeedServer, clock: FakeClock
) -> None:
    models = [openrouter_model(f"acme/model-{number}") for number in range(40)]
    odd = openrouter_body(*models, openrouter_model("acme/odd", "0.0032", "0.0097"))
    pricing = await start(openrouter_url=feeds.publish(LIST, odd))

    for _ in range(5):
        await pricing.report()
        await clock.advance(DAY)

    assert (await held(pricing))[0].sighting_count == 5


async def test_another_value_starts_to_wait_anew(
    pricing: RunningPricing, feeds: FakeFeedServer, clock: FakeClock
) -> None:
    feeds.publish(LIST, body("0.00002", "0.00004"))
    await pricing.report()
    await clock.advance(DAY)
    feeds.publish(LIST, body("0.00003", "0.00006"))

    await pricing.report()

    (waiting,) = await held(pricing)
    (withdrawn,) = await held(pricing, WITHDRAWN)
    assert waiting.held.rates[0].picodollars == per_million("30")
    assert waiting.sighting_count == 1
    assert withdrawn.held.rates[0].picodollars == per_million("20")


async def test_a_source_may_take_it_back(pricing: RunningPricing, feeds: FakeFeedServer) -> None:
    feeds.publish(LIST, body("0.00002", "0.00004"))
    await pricing.report()
    feeds.publish(LIST, body())

    await pricing.report()

    assert await held(pricing) == []
    assert len(await held(pricing, WITHDRAWN)) == 1
    assert (await pricing.status()).quarantined_count == 0


async def test_a_second_source_that_agrees_releases_at_once(
    start: Start, feeds: FakeFeedServer
) -> None:
    names = [f"openrouter/acme/model-{number}" for number in range(40)]
    entry = {
        "litellm_provider": "openrouter",
        "mode": "chat",
        "input_cost_per_token": 1e-06,
        "output_cost_per_token": 2e-06,
    }
    entries = {name: dict(entry) for name in names}
    pricing = await start(
        litellm_url=feeds.publish(MAP, litellm_body(entries)),
        openrouter_url=feeds.publish(LIST, body()),
    )
    await pricing.report()
    entries[OFFER] |= {"input_cost_per_token": 2e-05, "output_cost_per_token": 4e-05}
    feeds.publish(MAP, litellm_body(entries))
    feeds.publish(LIST, body("0.00002", "0.00004"))

    report = await pricing.report()

    assert report.quarantined_count == 0
    assert await input_price(pricing) == per_million("20")
    assert {change.note for change in await held(pricing, RELEASED)} == {
        "rule: another source says the same"
    }


async def test_an_approved_change_is_served_and_dated_from_its_first_sighting(
    pricing: RunningPricing, feeds: FakeFeedServer, clock: FakeClock
) -> None:
    feeds.publish(LIST, body("0.00002", "0.00004"))
    await pricing.report()
    (change,) = await held(pricing)
    await clock.advance(3600)

    decided = await review(pricing, change.held_change_id, pb.REVIEW_APPROVE, "a real rise")

    assert (decided.state, decided.reviewer, decided.note) == (RELEASED, "local", "a real rise")
    price = (await pricing.price(OFFER)).price
    assert price.rates[0].picodollars == per_million("20")
    assert price.effective_time == change.first_seen_time
    assert await held(pricing) == []
    report = await pricing.report()
    assert (report.changed_count, report.quarantined_count) == (0, 0)


async def test_a_refused_price_is_not_taken_over_when_the_source_repeats_it(
    start: Start, pricing: RunningPricing, feeds: FakeFeedServer, clock: FakeClock
) -> None:
    url = feeds.publish(LIST, body("0.00002", "0.00004"))
    await pricing.report()
    (change,) = await held(pricing)

    decided = await review(pricing, change.held_change_id, pb.REVIEW_REJECT)

    assert decided.state == REFUSED
    pricing = await start(openrouter_url=url)
    for _ in range(4):
        await clock.advance(DAY)
        report = await pricing.report()
        assert (report.changed_count, report.quarantined_count) == (0, 0)
    assert await input_price(pricing) == per_million("1")
    feeds.publish(LIST, body("0.0000015", "0.000003"))
    assert (await pricing.report()).changed_count == 1


async def test_a_change_is_reviewed_once(pricing: RunningPricing, feeds: FakeFeedServer) -> None:
    feeds.publish(LIST, body("0.00002", "0.00004"))
    await pricing.report()
    (change,) = await held(pricing)
    await review(pricing, change.held_change_id, pb.REVIEW_REJECT)

    code, reason, metadata = await failure_of(
        review(pricing, change.held_change_id, pb.REVIEW_APPROVE)
    )

    assert (code, reason) == (
        grpc.StatusCode.FAILED_PRECONDITION,
        "ERROR_REASON_INVALID_STATE",
    )
    assert metadata["state"] == "REFUSED"


async def test_a_review_of_nothing_is_not_found(pricing: RunningPricing) -> None:
    code, reason, _ = await failure_of(review(pricing, "chg_none", pb.REVIEW_APPROVE))
    assert (code, reason) == (grpc.StatusCode.NOT_FOUND, "ERROR_REASON_RESOURCE_NOT_FOUND")
    code, _, metadata = await failure_of(review(pricing, "chg_none", 0))
    assert (code, metadata["field"]) == (grpc.StatusCode.INVALID_ARGUMENT, "review")


def everything_at(prompt: str) -> bytes:
    """Return a list of which every price is another one."""
    return openrouter_body(
        *(openrouter_model(f"acme/model-{number}", prompt) for number in range(40))
    )


async def test_a_body_in_which_everything_moves_is_held_whole_and_can_be_approved(
    pricing: RunningPricing, feeds: FakeFeedServer
) -> None:
    feeds.publish(LIST, everything_at("0.0000012"))

    report = await pricing.report()

    assert report.sources[1].outcome == pb.REFRESH_PHASE_REJECTED
    assert report.sources[1].error.cause == "catalogue_delta"
    (change,) = await held(pricing)
    assert (change.offer, change.guard) == ("", "catalogue_delta")
    assert await input_price(pricing) == per_million("1")
    await pricing.report()
    assert [each.sighting_count for each in await held(pricing)] == [2]

    await review(pricing, change.held_change_id, pb.REVIEW_APPROVE)

    assert await input_price(pricing) == per_million("1.2")
    assert (await pricing.report()).changed_count == 0
    assert await held(pricing) == []


async def test_a_refused_body_does_not_come_back_into_quarantine(
    pricing: RunningPricing, feeds: FakeFeedServer
) -> None:
    feeds.publish(LIST, everything_at("0.0000012"))
    await pricing.report()
    (change,) = await held(pricing)
    await review(pricing, change.held_change_id, pb.REVIEW_REJECT)

    report = await pricing.report()

    assert report.sources[1].outcome == pb.REFRESH_PHASE_REJECTED
    assert await held(pricing) == []
    assert await input_price(pricing) == per_million("1")


async def test_a_body_held_whole_is_withdrawn_by_a_good_one(
    pricing: RunningPricing, feeds: FakeFeedServer
) -> None:
    feeds.publish(LIST, everything_at("0.0000012"))
    await pricing.report()
    feeds.publish(LIST, body("0.0000011"))

    await pricing.report()

    assert await held(pricing) == []
    assert [each.guard for each in await held(pricing, WITHDRAWN)] == ["catalogue_delta"]
    assert await input_price(pricing) == per_million("1.1")


async def test_what_may_change_grows_with_the_time_since_the_last_reading(
    pricing: RunningPricing, feeds: FakeFeedServer, clock: FakeClock
) -> None:
    models = [
        openrouter_model(f"acme/model-{number}", "0.0000011" if number < 12 else "0.000001")
        for number in range(40)
    ]
    feeds.publish(LIST, openrouter_body(*models))
    assert (await pricing.report()).changed_count == 0
    await clock.advance(timedelta(weeks=26).total_seconds())

    report = await pricing.report()

    assert report.changed_count == 12


def sellers(*providers: str) -> bytes:
    """Return a map in which each seller has six models, after 400 of others."""
    entry = {
        "mode": "chat",
        "input_cost_per_token": 1e-06,
        "output_cost_per_token": 2e-06,
    }
    others = {
        f"big{seller}/m{number}": entry | {"litellm_provider": f"big{seller}"}
        for seller in range(10)
        for number in range(40)
    }
    named = {
        f"{provider}/m{number}": entry | {"litellm_provider": provider}
        for provider in providers
        for number in range(6)
    }
    return litellm_body(others | named)


async def test_a_small_seller_that_vanishes_is_kept_until_the_source_insists(
    start: Start, feeds: FakeFeedServer, clock: FakeClock
) -> None:
    pricing = await start(litellm_url=feeds.publish(MAP, sellers("small")))
    await pricing.report()
    feeds.publish(MAP, sellers())

    reports = [await pricing.report()]
    for _ in range(2):
        await clock.advance(DAY)
        reports.append(await pricing.report())

    assert [(each.quarantined_count, each.removed_count) for each in reports] == [
        (6, 0),
        (6, 0),
        (0, 6),
    ]
    assert {each.guard for each in await held(pricing, RELEASED)} == {"provider_vanished"}
    code, _, _ = await failure_of(pricing.price("small/m1"))
    assert code is grpc.StatusCode.NOT_FOUND


async def test_quarantine_is_paged(pricing: RunningPricing, feeds: FakeFeedServer) -> None:
    models = [
        openrouter_model(f"acme/model-{number}", "0.00009" if number < 3 else "0.000001")
        for number in range(40)
    ]
    feeds.publish(LIST, openrouter_body(*models))
    await pricing.report()

    pages, token = [], ""
    while True:
        answer = await pricing.stub.ListQuarantined(
            pb.ListQuarantinedRequest(page_size=2, page_token=token), timeout=CALL_SECONDS
        )
        pages.append([change.offer for change in answer.held_changes])
        assert answer.page_info.total_count == 3
        token = answer.page_info.next_page_token
        if not token:
            break

    assert [len(page) for page in pages] == [2, 1]
    assert len({offer for page in pages for offer in page}) == 3
    code, _, metadata = await failure_of(
        pricing.stub.ListQuarantined(pb.ListQuarantinedRequest(page_token="odd"), timeout=5)  # noqa: S106
    )
    assert (code, metadata["field"]) == (grpc.StatusCode.INVALID_ARGUMENT, "page_token")
