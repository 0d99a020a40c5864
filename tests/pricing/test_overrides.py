"""Prices that tenants have agreed with sellers, through the front door."""

from datetime import datetime, timedelta
from typing import Any

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from steelyard.common.v1.usage_pb2 import Usage
from steelyard.pricing.v1 import price_pb2
from steelyard.pricing.v1 import pricing_service_pb2 as pb
from steelyard_pricing.domain.bounds import MAX_TOKEN_PRICE
from steelyard_pricing.domain.rates import Rate
from tests.fakes import FakeClock
from tests.pricing import builders
from tests.pricing.builders import a_fact, per_million, tokens, usd
from tests.pricing.conftest import RunningPricing, Start
from tests.pricing.failures import failure_of
from tests.pricing.tenants import INPUT, OUTPUT, Caller, HeaderAuthenticator, a_seed, rate

INVALID = grpc.StatusCode.INVALID_ARGUMENT, "ERROR_REASON_INVALID_FIELD"
NOT_FOUND = grpc.StatusCode.NOT_FOUND, "ERROR_REASON_RESOURCE_NOT_FOUND"
LIST_COST = usd("0.002")
"""Of 1000 prompt tokens and 500 of completion at 1 and 2 USD per million."""
HOUR = 3600
SEED = a_seed(
    a_fact("acme/model", tokens("1", "2"), source="seed"),
    a_fact("acme/other", tokens("1", "2"), source="seed"),
    a_fact("acme/unpriced", source="seed"),
    a_fact("rival/model", tokens("1", "2"), model="rival-model", source="seed"),
    a_fact(
        "acme/tiered",
        (
            *tokens("1", "2"),
            Rate(builders.INPUT, per_million("0.5"), "batch"),
            Rate(builders.INPUT, per_million("4"), above_prompt_tokens=500),
        ),
        source="seed",
    ),
)


def time(at: datetime) -> Timestamp:
    message = Timestamp()
    message.FromDatetime(at)
    return message


@pytest.fixture
async def pricing(start: Start) -> RunningPricing:
    return await start(seed=SEED, authenticator=HeaderAuthenticator())


@pytest.fixture
def ada(pricing: RunningPricing) -> Caller:
    return Caller(pricing, "ada")


@pytest.fixture
def bob(pricing: RunningPricing) -> Caller:
    return Caller(pricing, "bob")


async def test_own_rates_are_what_the_tenant_pays(ada: Caller, bob: Caller) -> None:
    own = [rate(INPUT, per_million("0.5"))]

    kept = await ada.override(offer="acme/model", rates=own, note="Contract 7")

    (quote,) = await ada.quote("acme/model", options=pb.QuoteOptions(include_rates=True))
    assert quote.cost.input_picodollars == usd("0.0005")
    assert quote.cost.output_picodollars == usd("0.001")
    assert quote.cost.total_picodollars == usd("0.0015")
    assert (quote.negotiated, quote.margin_picodollars) == (True, 0)
    assert [each.unit_picodollars for each in quote.rates] == [
        per_million("0.5"),
        per_million("2"),
    ]
    assert kept.override_id.startswith("ovr_")
    assert (kept.offer, list(kept.rates), kept.note) == ("acme/model", own, "Contract 7")
    (theirs,) = await bob.quote("acme/model")
    assert (theirs.cost.total_picodollars, theirs.negotiated) == (LIST_COST, False)


async def test_list_prices_ignore_what_was_agreed(ada: Caller) -> None:
    await ada.override(offer="acme/model", factor_basis_points=5_000)

    (quote,) = await ada.quote("acme/model", options=pb.QuoteOptions(list_prices=True))
    listed = await ada.price("acme/model", view=pb.PRICE_VIEW_LIST)

    assert (quote.cost.total_picodollars, quote.negotiated) == (LIST_COST, False)
    assert listed.source == "seed"
    assert {each.picodollars for each in listed.rates} == {per_million("1"), per_million("2")}


async def test_a_factor_applies_to_every_offer_of_a_provider(ada: Caller) -> None:
    await ada.override(provider="acme", factor_basis_points=9_000)

    costs = [await ada.cost(offer) for offer in ("acme/model", "acme/other", "rival/model")]

    assert costs == [LIST_COST * 9 // 10, LIST_COST * 9 // 10, LIST_COST]


async def test_the_offer_comes_before_the_provider_and_then_the_newest(ada: Caller) -> None:
    await ada.override(offer="acme/model", factor_basis_points=8_000)
    await ada.override(provider="acme", factor_basis_points=5_000)
    assert await ada.cost("acme/model") == LIST_COST * 8 // 10

    await ada.override(offer="acme/model", factor_basis_points=7_000)
    assert await ada.cost("acme/model") == LIST_COST * 7 // 10


async def test_an_override_applies_within_its_dates(ada: Caller, clock: FakeClock) -> None:
    now = clock.now()
    start, end = now + timedelta(hours=1), now + timedelta(hours=2)
    await ada.override(
        offer="acme/model", factor_basis_points=5_000, start_time=time(start), end_time=time(end)
    )

    async def cost_at(at: datetime) -> int:
        return await ada.cost("acme/model", options=pb.QuoteOptions(at_time=time(at)))

    instant = timedelta(microseconds=1)
    costs = [await cost_at(at) for at in (start - instant, start, end - instant, end)]
    assert costs == [LIST_COST, LIST_COST // 2, LIST_COST // 2, LIST_COST]
    assert await ada.cost("acme/model") == LIST_COST
    await clock.advance(HOUR)
    assert await ada.cost("acme/model") == LIST_COST // 2


async def test_own_rates_keep_to_their_tier_and_band(ada: Caller) -> None:
    short = Usage(uncached_input_token_count=500)
    long = Usage(uncached_input_token_count=1000)
    await ada.override(
        offer="acme/tiered",
        rates=[
            rate(INPUT, per_million("0.4"), service_tier="batch"),
            rate(INPUT, per_million("3"), above_prompt_token_count=500),
        ],
    )

    costs = [
        await ada.cost("acme/tiered", usage=short),
        await ada.cost("acme/tiered", usage=short, service_tier="batch"),
        await ada.cost("acme/tiered", usage=long),
    ]

    assert costs == [usd("0.0005"), usd("0.0002"), usd("0.003")]


async def test_own_rates_price_an_unpriced_offer_for_that_tenant_alone(
    ada: Caller, bob: Caller
) -> None:
    await ada.override(
        offer="acme/unpriced",
        rates=[rate(INPUT, per_million("1")), rate(OUTPUT, per_million("2"))],
    )

    assert await ada.cost("acme/unpriced") == LIST_COST
    assert (await ada.price("acme/unpriced")).source == "override"
    (quote,) = await bob.quote("acme/unpriced")
    assert quote.failure == pb.QUOTE_FAILURE_UNPRICED
    code, reason, _ = await failure_of(bob.price("acme/unpriced"))
    assert (code, reason) == (grpc.StatusCode.NOT_FOUND, "ERROR_REASON_PRICE_NOT_FOUND")


async def test_a_price_says_that_an_override_made_it(ada: Caller, bob: Caller) -> None:
    await ada.override(offer="acme/model", factor_basis_points=5_000)

    mine, theirs = await ada.price("acme/model"), await bob.price("acme/model")

    assert (mine.source, theirs.source) == ("override", "seed")
    assert [each.picodollars for each in mine.rates] == [per_million("0.5"), per_million("1")]


async def test_an_estimate_is_at_the_tenants_price(ada: Caller) -> None:
    await ada.override(offer="acme/model", factor_basis_points=5_000)
    request = pb.EstimateCostRequest(
        model="acme/model", usage=Usage(uncached_input_token_count=1000)
    )

    estimate = await ada.call("EstimateCost", request)

    assert estimate.cost.total_picodollars == usd("0.0005")
    assert (estimate.source, estimate.margin_picodollars) == ("override", 0)


async def test_a_batch_is_at_the_tenants_price(ada: Caller) -> None:
    await ada.override(offer="acme/model", factor_basis_points=5_000)
    request = pb.QuoteRequest(
        usage=Usage(uncached_input_token_count=1000), offers=["acme/model", "acme/other"]
    )

    answer = await ada.call("BatchQuote", pb.BatchQuoteRequest(requests=[request, request]))

    assert [
        [quote.cost.total_picodollars for quote in response.quotes] for response in answer.responses
    ] == [[usd("0.0005"), usd("0.001")]] * 2


async def test_overrides_survive_a_restart(start: Start, ada: Caller) -> None:
    kept = await ada.override(
        offer="model", rates=[rate(INPUT, 1), rate(OUTPUT, 2, service_tier="batch")]
    )
    ended = await ada.override(provider="acme", factor_basis_points=1)
    await ada.end(ended.override_id)

    again = Caller(await start(seed=SEED, authenticator=HeaderAuthenticator()), "ada")

    assert list((await again.overrides()).overrides) == [kept]
    assert await again.cost("acme/model") == 1000 + usd("0.001")
    assert await again.cost("acme/other") == LIST_COST


async def test_an_override_that_is_ended_stays_for_past_usage(
    ada: Caller, clock: FakeClock
) -> None:
    override = await ada.override(offer="acme/model", factor_basis_points=5_000)
    before = clock.now()
    await clock.advance(HOUR)

    await ada.end(override.override_id)
    await clock.advance(HOUR)
    await ada.end(override.override_id)  # once more is no error, and changes nothing

    past = pb.QuoteOptions(at_time=time(before))
    assert await ada.cost("acme/model", options=past) == LIST_COST // 2
    assert await ada.cost("acme/model") == LIST_COST
    assert list((await ada.overrides()).overrides) == []
    (listed,) = (await ada.overrides(include_expired=True)).overrides
    assert listed.end_time == time(before + timedelta(hours=1))


async def test_an_override_that_is_replaced_stays_for_past_usage(
    ada: Caller, clock: FakeClock
) -> None:
    override = await ada.override(offer="acme/model", factor_basis_points=5_000)
    before = clock.now()
    await clock.advance(HOUR)

    changed = await ada.override(
        override_id=override.override_id, offer="acme/model", factor_basis_points=9_000
    )

    past = pb.QuoteOptions(at_time=time(before))
    assert changed.override_id == override.override_id
    assert await ada.cost("acme/model", options=past) == LIST_COST // 2
    assert await ada.cost("acme/model") == LIST_COST * 9 // 10
    assert list((await ada.overrides(include_expired=True)).overrides) == [changed]


async def test_nobody_sees_or_touches_the_overrides_of_another_tenant(
    ada: Caller, bob: Caller
) -> None:
    override = await ada.override(offer="acme/model", factor_basis_points=5_000)
    stolen = bob.override(
        override_id=override.override_id, offer="acme/model", factor_basis_points=1
    )

    for call in (stolen, bob.end(override.override_id)):
        code, reason, metadata = await failure_of(call)
        assert (code, reason) == NOT_FOUND
        assert metadata == {"resource": "override", "id": override.override_id}
    assert list((await bob.overrides(include_expired=True)).overrides) == []
    assert list((await ada.overrides()).overrides) == [override]
    assert await ada.cost("acme/model") == LIST_COST // 2


async def test_overrides_are_listed_newest_first_page_by_page(ada: Caller) -> None:
    kept = [
        await ada.override(offer="acme/model", factor_basis_points=factor)
        for factor in (1, 2, 3, 4, 5)
    ]

    first = await ada.overrides(page_size=2)
    newer = await ada.override(offer="acme/model", factor_basis_points=6)
    second = await ada.overrides(page_size=2, page_token=first.page_info.next_page_token)
    third = await ada.overrides(page_size=2, page_token=second.page_info.next_page_token)

    pages = [*first.overrides, *second.overrides, *third.overrides]
    assert pages == kept[::-1]
    assert newer not in pages
    assert (first.page_info.total_count, third.page_info.next_page_token) == (5, "")
    code, reason, metadata = await failure_of(ada.overrides(page_token=str(kept)[:20]))
    assert (code, reason, metadata["field"]) == (*INVALID, "page_token")


WINDOW = price_pb2.TimeWindow(start_minute=60, end_minute=30)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"factor_basis_points": 1}, "override.offer"),
        ({"offer": "model", "provider": "acme", "factor_basis_points": 1}, "override.offer"),
        ({"offer": "acme/model"}, "override.rates"),
        ({"provider": "acme", "rates": [rate(INPUT, 1)]}, "override.rates"),
        (
            {"offer": "acme/model", "rates": [rate(INPUT, 1)], "factor_basis_points": 1},
            "override.rates",
        ),
        ({"provider": "acme", "factor_basis_points": -1}, "override.factor_basis_points"),
        ({"provider": "acme", "factor_basis_points": 1_000_001}, "override.factor_basis_points"),
        (
            {"offer": "acme/model", "rates": [rate(INPUT, MAX_TOKEN_PRICE + 1)]},
            "override.rates[0].picodollars",
        ),
        (
            {"offer": "acme/model", "rates": [rate(INPUT, 1), rate(INPUT, -1)]},
            "override.rates[1].picodollars",
        ),
        ({"offer": "acme/model", "rates": [rate(0, 1)]}, "override.rates[0].component"),
        (
            {"offer": "acme/model", "rates": [rate(INPUT, 1), rate(INPUT, 2)]},
            "override.rates[1]",
        ),
        (
            {"offer": "acme/model", "rates": [rate(INPUT, 1, windows=[WINDOW])]},
            "override.rates[0].windows[0].end_minute",
        ),
        ({"provider": "acme", "factor_basis_points": 1, "note": "x" * 1001}, "override.note"),
        (
            {"provider": "acme", "factor_basis_points": 1, "end_time": Timestamp(seconds=1)},
            "override.end_time",
        ),
    ],
)
async def test_an_override_that_makes_no_sense_is_refused(
    ada: Caller, fields: dict[str, Any], field: str
) -> None:
    code, reason, metadata = await failure_of(ada.override(**fields))

    assert (code, reason, metadata["field"]) == (*INVALID, field)
    assert list((await ada.overrides(include_expired=True)).overrides) == []


async def test_names_must_mean_something(ada: Caller) -> None:
    code, reason, metadata = await failure_of(ada.override(offer="models", factor_basis_points=1))
    assert (code, reason) == (grpc.StatusCode.NOT_FOUND, "ERROR_REASON_MODEL_NOT_FOUND")
    assert metadata["nearest"].split(",")[0] == "model"

    code, reason, metadata = await failure_of(ada.override(provider="acm", factor_basis_points=1))
    assert (code, reason) == (grpc.StatusCode.NOT_FOUND, "ERROR_REASON_PROVIDER_NOT_FOUND")
    assert metadata == {"provider": "acm", "nearest": "acme"}


PLACES = ({"offer": "acme/model"}, {"offer": "rival/model"}, {"provider": "acme"})
OFFERS = ("acme/model", "acme/other", "acme/tiered", "acme/unpriced", "rival/model")


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    theirs=st.lists(
        st.tuples(st.sampled_from(PLACES), st.integers(1, 1_000_000)), min_size=1, max_size=4
    ),
    mine=st.integers(1, 1_000_000),
)
async def test_quotes_never_change_with_the_overrides_of_another_tenant(
    ada: Caller, bob: Caller, theirs: list[tuple[dict[str, str], int]], mine: int
) -> None:
    await ada.override(provider="acme", factor_basis_points=mine)
    before = await ada.quote(*OFFERS)

    for place, factor in theirs:
        await bob.override(**place, factor_basis_points=factor)

    assert await ada.quote(*OFFERS) == before
    assert [quote.negotiated for quote in before] == [True, True, True, False, False]
