"""Ways around the gate that were found by looking for them; each stays shut."""

import base64
import json
from datetime import timedelta
from typing import Any

import grpc
import pytest

from steelyard.common.v1.usage_pb2 import Usage
from steelyard.pricing.v1 import pricing_service_pb2 as pb
from steelyard_pricing.domain.source import ServedCopy
from tests.fakes import FakeClock, FakeFeedServer
from tests.pricing.builders import (
    a_fact,
    litellm_body,
    openrouter_body,
    openrouter_model,
    per_million,
    source_facts,
    tokens,
    usd,
)
from tests.pricing.conftest import CALL_SECONDS, RunningPricing, Start
from tests.pricing.failures import failure_of
from tests.pricing.test_history import reprice
from tests.pricing.test_quarantine import (
    DAY,
    HELD,
    LIST,
    MAP,
    OFFER,
    REFUSED,
    RELEASED,
    WITHDRAWN,
    body,
    held,
    input_price,
    review,
)

FIRST = "acme/model-0"
SEED_COPY = ServedCopy()


def entry(provider: str = "acme", **figures: object) -> dict[str, object]:
    return {
        "litellm_provider": provider,
        "mode": "chat",
        "input_cost_per_token": 1e-06,
        "output_cost_per_token": 2e-06,
        **figures,
    }


def a_map(provider: str = "acme", **first: object) -> bytes:
    """Return a map of 40 models; `first` are figures of the first one."""
    entries = {f"{provider}/model-{number}": entry(provider) for number in range(40)}
    entries[f"{provider}/model-0"] |= first
    return litellm_body(entries)


def copies(**first: object) -> bytes:
    """Return LiteLLM's copies of OpenRouter's 40 models; `first` are figures of the first."""
    names = [f"openrouter/acme/model-{number}" for number in range(40)]
    entries = {name: entry("openrouter", cache_read_input_token_cost=1e-07) for name in names}
    entries[OFFER] |= first
    return litellm_body(entries)


def cached(**first: object) -> bytes:
    """Return OpenRouter's list with prices of cache reads."""
    pricing: dict[str, Any] = {"input_cache_read": "0.0000001"}
    models = [openrouter_model(f"acme/model-{number}", **pricing) for number in range(1, 40)]
    return openrouter_body(openrouter_model("acme/model-0", **(pricing | first)), *models)


@pytest.mark.parametrize("first", [{"input_cache_read": "0.0001"}, {"input_cache_read": "0"}])
async def test_a_source_confirms_only_what_it_says_itself(
    start: Start, feeds: FakeFeedServer, first: dict[str, str]
) -> None:
    pricing = await start(
        litellm_url=feeds.publish(MAP, copies()), openrouter_url=feeds.publish(LIST, cached())
    )
    await pricing.report()
    feeds.publish(LIST, cached(**first))

    report = await pricing.report()

    assert report.quarantined_count == 1
    assert await held(pricing, RELEASED) == []


ADDED: dict[str, dict[str, Any]] = {
    "a dear band": {"input_cost_per_token_above_1k_tokens": 9e-04},
    "a cheap band": {"input_cost_per_token_above_128k_tokens": 1e-12},
    "a cheap range": {
        "tiered_pricing": [
            {
                "range": [1, 10_000_000],
                "input_cost_per_token": 1e-12,
                "output_cost_per_token": 1e-12,
            }
        ]
    },
    "cheap hours": {
        "off_peak_pricing": {"hours_utc": "00:00-23:59", "input_cost_per_token": 1e-12}
    },
    "a dear request": {"input_cost_per_request": 99},
    "a dear cache": {"cache_read_input_token_cost": 9e-04},
    "a cheap batch": {"input_cost_per_token_batches": 1e-12},
}


@pytest.mark.parametrize("case", ADDED)
async def test_a_new_figure_is_compared_with_what_stood_in_for_it(
    start: Start, feeds: FakeFeedServer, case: str
) -> None:
    pricing = await start(litellm_url=feeds.publish(MAP, a_map()))
    await pricing.report()
    before = (await pricing.price(FIRST)).price.rates
    feeds.publish(MAP, a_map(**ADDED[case]))

    await pricing.report()

    assert [change.offer for change in await held(pricing)] == [FIRST]
    assert (await pricing.price(FIRST)).price.rates == before


async def test_a_usual_batch_price_and_a_generous_cache_pass(
    start: Start, feeds: FakeFeedServer
) -> None:
    pricing = await start(litellm_url=feeds.publish(MAP, a_map()))
    await pricing.report()
    feeds.publish(
        MAP,
        a_map(input_cost_per_token_batches=5e-07, cache_read_input_token_cost=1e-08),
    )

    report = await pricing.report()

    assert (report.changed_count, report.quarantined_count) == (1, 0)


async def test_all_prices_that_are_not_of_plain_tokens_move_at_once(
    start: Start, feeds: FakeFeedServer
) -> None:
    def images(usd_each: float) -> bytes:
        image = {"litellm_provider": "acme", "mode": "image_generation"}
        names = [f"acme/image-{number}" for number in range(40)]
        return litellm_body({name: image | {"output_cost_per_image": usd_each} for name in names})

    pricing = await start(litellm_url=feeds.publish(MAP, images(0.04)))
    await pricing.report()
    feeds.publish(MAP, images(0.36))

    report = await pricing.report()

    assert report.sources[0].error.cause == "catalogue_delta"


async def test_a_unit_error_of_a_known_offer_is_not_believed_for_being_repeated(
    pricing: RunningPricing, feeds: FakeFeedServer, clock: FakeClock
) -> None:
    feeds.publish(LIST, body("0.0032", "0.0097"))

    for _ in range(4):
        await pricing.report()
        await clock.advance(DAY)

    (change,) = await held(pricing)
    assert (change.guard, change.sighting_count) == ("bounds", 4)


@pytest.fixture
async def pricing(start: Start, feeds: FakeFeedServer) -> RunningPricing:
    running = await start(openrouter_url=feeds.publish(LIST, body()))
    await running.report()
    return running


async def test_switching_a_source_off_and_on_lets_nothing_through(
    start: Start, pricing: RunningPricing, feeds: FakeFeedServer
) -> None:
    url = feeds.publish(LIST, body("0.0004", "0.0008"))
    await pricing.report()
    await start()

    pricing = await start(openrouter_url=url)
    await pricing.report()

    assert [change.sighting_count for change in await held(pricing)] == [2]
    assert await input_price(pricing) == per_million("1")


async def test_what_waits_of_a_source_that_is_off_cannot_be_approved(
    start: Start, feeds: FakeFeedServer
) -> None:
    pricing = await start(litellm_url=feeds.publish(MAP, a_map()))
    await pricing.report()
    feeds.publish(MAP, a_map(input_cost_per_token=2e-05))
    await pricing.report()
    (change,) = await held(pricing)
    pricing = await start()
    before = await pricing.status()

    code, reason, _ = await failure_of(review(pricing, change.held_change_id, pb.REVIEW_APPROVE))

    assert (code, reason) == (grpc.StatusCode.FAILED_PRECONDITION, "ERROR_REASON_INVALID_STATE")
    assert (await pricing.status()).model_count == before.model_count
    assert [each.state for each in await held(pricing)] == [HELD]


async def test_another_body_is_another_change(
    pricing: RunningPricing, feeds: FakeFeedServer
) -> None:
    few = [openrouter_model(f"acme/model-{number}") for number in range(30)]
    feeds.publish(LIST, openrouter_body(*few))
    await pricing.report()
    (seen,) = await held(pricing)
    dear = [openrouter_model(f"acme/model-{number}", "0.0009") for number in range(40)]
    feeds.publish(LIST, openrouter_body(*dear))
    await pricing.report()

    code, reason, _ = await failure_of(review(pricing, seen.held_change_id, pb.REVIEW_APPROVE))

    assert (code, reason) == (grpc.StatusCode.FAILED_PRECONDITION, "ERROR_REASON_INVALID_STATE")
    assert await input_price(pricing) == per_million("1")
    assert len(await held(pricing)) == len(await held(pricing, WITHDRAWN)) == 1


async def test_an_approved_body_brings_nothing_that_was_refused(
    pricing: RunningPricing, feeds: FakeFeedServer
) -> None:
    feeds.publish(LIST, body("0.00002", "0.00004"))
    await pricing.report()
    (change,) = await held(pricing)
    await review(pricing, change.held_change_id, pb.REVIEW_REJECT)
    few = [openrouter_model(f"acme/model-{number}") for number in range(1, 30)]
    ours = openrouter_model("acme/model-0", "0.00002", "0.00004")
    feeds.publish(LIST, openrouter_body(ours, *few))
    await pricing.report()
    (change,) = await held(pricing)

    await review(pricing, change.held_change_id, pb.REVIEW_APPROVE)

    assert (await pricing.source("openrouter")).model_count == 30
    assert await input_price(pricing) == per_million("1")


async def test_the_body_before_an_approved_one_is_noticed_when_it_comes_back(
    start: Start, feeds: FakeFeedServer
) -> None:
    whole = body()
    few = openrouter_body(*(openrouter_model(f"acme/model-{number}") for number in range(30)))
    pricing = await start(openrouter_url=feeds.publish(LIST, whole, etag='"a"'))
    await pricing.report()
    feeds.publish(LIST, few, etag='"b"')
    await pricing.report()
    (change,) = await held(pricing)
    await review(pricing, change.held_change_id, pb.REVIEW_APPROVE)
    feeds.publish(LIST, whole, etag='"a"')

    report = await pricing.report()

    assert report.sources[1].outcome == pb.REFRESH_PHASE_PUBLISHED
    assert (await pricing.source("openrouter")).model_count == 40


async def test_a_refused_price_does_not_keep_another_one_waiting(
    pricing: RunningPricing, feeds: FakeFeedServer
) -> None:
    refused, other = body("0.00002", "0.00004"), body("0.00003", "0.00006")
    feeds.publish(LIST, refused)
    await pricing.report()
    (change,) = await held(pricing)
    await review(pricing, change.held_change_id, pb.REVIEW_REJECT)
    for said in (other, refused):
        feeds.publish(LIST, said)
        await pricing.report()

    assert await held(pricing) == []
    assert len(await held(pricing, REFUSED)) == len(await held(pricing, WITHDRAWN)) == 1


async def test_a_seller_that_comes_back_in_part_leaves_nothing_waiting(
    start: Start, feeds: FakeFeedServer
) -> None:
    def sold(count: int) -> bytes:
        big = {f"big{n % 10}/m{n}": entry(f"big{n % 10}") for n in range(400)}
        return litellm_body(big | {f"small/m{n}": entry("small") for n in range(count)})

    pricing = await start(litellm_url=feeds.publish(MAP, sold(6)))
    await pricing.report()
    for count, waiting in ((0, 6), (3, 0)):
        feeds.publish(MAP, sold(count))
        report = await pricing.report()
        assert report.quarantined_count == waiting
        assert (await pricing.status()).quarantined_count == waiting


async def test_an_old_seed_is_not_taken_for_one_of_today(
    start: Start, feeds: FakeFeedServer, clock: FakeClock
) -> None:
    models = [f"acme/model-{number}" for number in range(40)]
    old = source_facts(
        *(a_fact(model, tokens("1", "2"), source="seed") for model in models), source="seed"
    )
    entries = {model: entry() for model in models}
    for model in models[:12]:
        entries[model]["input_cost_per_token"] = 1.1e-06
    await clock.advance(timedelta(weeks=30).total_seconds())
    pricing = await start(
        litellm_url=feeds.publish(MAP, litellm_body(entries)), seed=lambda: (old, SEED_COPY)
    )

    report = await pricing.report()

    assert report.sources[0].outcome == pb.REFRESH_PHASE_PUBLISHED
    assert report.changed_count == 12


async def test_b22_a_dispute_does_not_change_the_past(
    start: Start, feeds: FakeFeedServer, clock: FakeClock
) -> None:
    pricing = await start(
        litellm_url=feeds.publish(MAP, copies()), openrouter_url=feeds.publish(LIST, cached())
    )
    await pricing.report()
    used = clock.now() + timedelta(days=5)
    await clock.advance(10 * DAY)
    feeds.publish(MAP, copies(input_cost_per_token=5e-06, output_cost_per_token=1e-05))
    await pricing.report()

    past, present = await reprice(pricing, used), await reprice(pricing, clock.now())

    assert past.total.total_picodollars == usd("1")
    assert present.total.total_picodollars == usd("5")


async def test_b22_a_source_that_falls_away_does_not_change_the_past(
    start: Start, feeds: FakeFeedServer, clock: FakeClock
) -> None:
    dearer = {"input_cost_per_token": 1.5e-06, "output_cost_per_token": 3e-06}
    pricing = await start(
        litellm_url=feeds.publish(MAP, copies(**dearer)),
        openrouter_url=feeds.publish(LIST, cached()),
    )
    await pricing.report()
    used = clock.now() + timedelta(days=5)
    await clock.advance(10 * DAY)
    rest = [openrouter_model(f"acme/model-{number}") for number in range(1, 40)]
    feeds.publish(LIST, openrouter_body(*rest))
    await pricing.report()

    past, present = await reprice(pricing, used), await reprice(pricing, clock.now())

    assert past.total.total_picodollars == usd("1")
    assert present.total.total_picodollars == usd("1.5")


@pytest.mark.parametrize(
    ("method", "question", "place"),
    [
        ("ListSnapshots", "snapshots", 10**30),
        ("ListSnapshots", "snapshots", -1),
        ("ListOverrides", "overrides expired=False", 10**30),
        ("ListQuarantined", "quarantined HELD", 5),
    ],
)
async def test_a_forged_page_token_is_an_invalid_field(
    pricing: RunningPricing, method: str, question: str, place: int
) -> None:
    token = base64.urlsafe_b64encode(json.dumps([question, place]).encode()).decode()
    request = getattr(pb, f"{method}Request")(page_token=token)

    code, reason, metadata = await failure_of(
        getattr(pricing.stub, method)(request, timeout=CALL_SECONDS)
    )

    assert (code, reason) == (grpc.StatusCode.INVALID_ARGUMENT, "ERROR_REASON_INVALID_FIELD")
    assert metadata["field"] == "page_token"


async def test_no_name_has_a_nul_character(pricing: RunningPricing) -> None:
    used = pb.PastUsage(offer="acme/\0", usage=Usage(page_count=1))
    used.use_time.GetCurrentTime()

    code, _, metadata = await failure_of(
        pricing.stub.Reprice(pb.RepriceRequest(usage=[used]), timeout=CALL_SECONDS)
    )

    assert (code, metadata["field"]) == (grpc.StatusCode.INVALID_ARGUMENT, "usage[0].offer")
