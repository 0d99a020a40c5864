"""Every read of the pricing service, through its front door, on the shipped catalogue."""

import re
from datetime import UTC, date, datetime

import grpc
import pytest
from google.protobuf.message import Message

from steelyard.common.v1 import model_traits_pb2
from steelyard.common.v1.usage_pb2 import Usage
from steelyard.pricing.v1 import pricing_service_pb2 as pb
from steelyard_catalog.seed import read_seed
from steelyard_pricing.domain.quote import MAX_COUNT
from tests.pricing.builders import per_million, usd
from tests.pricing.conftest import RunningPricing
from tests.pricing.failures import failure_of

INVALID = grpc.StatusCode.INVALID_ARGUMENT, "ERROR_REASON_INVALID_FIELD"
NONSENSE = "nonsense"
MIX = Usage(uncached_input_token_count=1000, output_token_count=500)


async def call(pricing: RunningPricing, method: str, request: Message) -> object:
    return await getattr(pricing.stub, method)(request, timeout=30)


async def quote(pricing: RunningPricing, *offers: str, **fields: object) -> pb.QuoteResponse:
    request = pb.QuoteRequest(**{"usage": MIX, "offers": offers, **fields})  # type: ignore[arg-type]
    return await pricing.stub.Quote(request, timeout=30)


async def estimate(
    pricing: RunningPricing, model: str, **fields: object
) -> pb.EstimateCostResponse:
    request = pb.EstimateCostRequest(model=model, **fields)  # type: ignore[arg-type]
    return await pricing.stub.EstimateCost(request, timeout=30)


async def test_a_price_names_its_rates_source_and_age(seeded: RunningPricing) -> None:
    answer = await seeded.price("openai/gpt-4o")

    price = answer.price
    standard = {rate.component: rate.picodollars for rate in price.rates if rate.service_tier == ""}
    assert (price.offer, price.provider, price.model) == ("openai/gpt-4o", "openai", "gpt-4o")
    assert price.mode == model_traits_pb2.MODE_CHAT
    assert standard == {1: per_million("2.5"), 2: per_million("1.25"), 5: per_million("10")}
    assert (price.source, price.stale, price.free, price.estimated) == ("seed", True, False, False)
    assert price.observed_time.ToDatetime(tzinfo=UTC).date() == read_seed().edition_date
    assert price.confidence == pytest.approx(0.6)
    assert "gpt-4o" in price.aliases
    assert answer.match == pb.NAME_MATCH_EXACT


async def test_alternatives_are_the_model_at_other_sellers_cheapest_first(
    seeded: RunningPricing,
) -> None:
    answer = await seeded.price("gpt-4o")

    offers = [price.offer for price in answer.alternatives]
    inputs = [
        min(rate.picodollars for rate in price.rates if rate.component == 1)
        for price in answer.alternatives
    ]
    assert "azure/gpt-4o" in offers
    assert "openai/gpt-4o" not in offers
    assert not any("mini" in offer for offer in offers)
    assert inputs[0] == min(inputs)


@pytest.mark.parametrize(
    ("name", "offer"),
    [
        ("gpt-4o", "openai/gpt-4o"),
        ("GPT-4O", "openai/gpt-4o"),
        ("claude-sonnet-4-5", "anthropic/claude-sonnet-4-5"),
        ("gemini-2.5-pro", "google/gemini-2.5-pro"),
        ("gemini/gemini-2.5-pro", "google/gemini-2.5-pro"),
    ],
)
async def test_a_bare_name_means_the_makers_own_offer(
    seeded: RunningPricing, name: str, offer: str
) -> None:
    assert (await seeded.price(name)).price.offer == offer


@pytest.mark.parametrize(
    ("method", "request_message"),
    [
        ("GetPrice", pb.GetPriceRequest(name="gpt-4-mini")),
        ("EstimateCost", pb.EstimateCostRequest(model="gpt-4-mini", usage=MIX)),
        ("CompareProviders", pb.CompareProvidersRequest(model="gpt-4-mini")),
        ("GetCachePolicy", pb.GetCachePolicyRequest(model="gpt-4-mini")),
    ],
)
async def test_an_unknown_model_is_not_found_and_three_names_come_close(
    seeded: RunningPricing, method: str, request_message: Message
) -> None:
    code, reason, metadata = await failure_of(call(seeded, method, request_message))

    assert (code, reason) == (grpc.StatusCode.NOT_FOUND, "ERROR_REASON_MODEL_NOT_FOUND")
    assert metadata["model"] == "gpt-4-mini"
    assert "gpt-4o-mini" in metadata["nearest"].split(",")
    assert len(metadata["nearest"].split(",")) == 3


@pytest.mark.parametrize(
    ("method", "request_message"),
    [
        ("GetPrice", pb.GetPriceRequest(name="volcengine/glm-4-7-251222")),
        ("EstimateCost", pb.EstimateCostRequest(model="volcengine/glm-4-7-251222", usage=MIX)),
        (
            "EstimateCost",
            pb.EstimateCostRequest(model="gpt-4o", usage=Usage(output_millisecond_count=5)),
        ),
    ],
)
async def test_an_unpriced_offer_has_no_price_and_is_not_free(
    seeded: RunningPricing, method: str, request_message: Message
) -> None:
    code, reason, _ = await failure_of(call(seeded, method, request_message))

    assert (code, reason) == (grpc.StatusCode.NOT_FOUND, "ERROR_REASON_PRICE_NOT_FOUND")


async def test_no_price_is_known_of_a_time_before_the_first_observation(
    seeded: RunningPricing,
) -> None:
    request = pb.GetPriceRequest(name="gpt-4o")
    request.at_time.FromDatetime(datetime(2020, 1, 1, tzinfo=UTC))

    code, reason, _ = await failure_of(call(seeded, "GetPrice", request))

    assert (code, reason) == (grpc.StatusCode.NOT_FOUND, "ERROR_REASON_PRICE_NOT_FOUND")


async def test_c2_quotes_come_in_request_order_and_one_bad_offer_fails_nobody(
    seeded: RunningPricing,
) -> None:
    answer = await quote(
        seeded, "gpt-4o", "no-such", "volcengine/glm-4-7-251222", "openai/gpt-4o-mini"
    )

    first, unknown, unpriced, last = answer.quotes
    assert first.offer == "openai/gpt-4o"
    assert first.cost.total_picodollars == usd("0.0075")
    assert first.cost.input_picodollars == usd("0.0025")
    assert first.cost.output_picodollars == usd("0.005")
    assert (unknown.offer, unknown.failure) == ("no-such", pb.QUOTE_FAILURE_UNKNOWN_OFFER)
    assert unpriced.failure == pb.QUOTE_FAILURE_UNPRICED
    assert not unknown.HasField("cost")
    assert not unpriced.HasField("cost")
    assert last.cost.total_picodollars == usd("0.00045")
    assert answer.stale
    assert answer.snapshot_version > 0


async def test_a_free_offer_is_quoted_at_zero(seeded: RunningPricing) -> None:
    answer = await quote(seeded, "ollama/llama3")

    assert answer.quotes[0].HasField("cost")
    assert answer.quotes[0].cost.total_picodollars == 0
    assert not answer.quotes[0].failure


async def test_a_tier_is_applied_where_there_is_one(seeded: RunningPricing) -> None:
    answer = await quote(seeded, "gpt-4o", "xai/grok-4", service_tier="batch")

    assert answer.quotes[0].cost.total_picodollars == usd("0.00375")
    assert [one.service_tier for one in answer.quotes] == ["batch", ""]


async def test_the_standard_tier_may_be_named(seeded: RunningPricing) -> None:
    answer = await quote(seeded, "gpt-4o", service_tier="standard")

    assert answer.quotes[0].service_tier == ""


@pytest.mark.parametrize(
    ("at_time", "total"),
    [
        (datetime(2026, 11, 2, 5, 30, tzinfo=UTC), "0.66"),
        (datetime(2026, 11, 2, 7, tzinfo=UTC), "1.32"),
    ],
)
async def test_a_price_by_the_hour_is_that_of_the_time_asked_for(
    seeded: RunningPricing, at_time: datetime, total: str
) -> None:
    options = pb.QuoteOptions(include_rates=True)
    options.at_time.FromDatetime(at_time)
    usage = Usage(uncached_input_token_count=1_000_000)

    answer = await quote(seeded, "deepseek/deepseek-v4-pro", usage=usage, options=options)

    assert answer.quotes[0].cost.total_picodollars == usd(total)
    assert [rate.usage_class for rate in answer.quotes[0].rates] == ["uncached_input_token"]


@pytest.mark.parametrize("count", [0, 101])
async def test_a_quote_is_for_1_to_100_offers(seeded: RunningPricing, count: int) -> None:
    code, reason, metadata = await failure_of(quote(seeded, *["gpt-4o"] * count))

    assert (code, reason) == INVALID
    assert metadata["field"] == "offers"


async def test_the_name_of_an_offer_has_a_limit(seeded: RunningPricing) -> None:
    code, reason, metadata = await failure_of(quote(seeded, "gpt-4o", "x" * 513))

    assert (code, reason) == INVALID
    assert metadata["field"] == "offers[1]"


@pytest.mark.parametrize("count", [-1, MAX_COUNT + 1, 2**63 - 1, -(2**63)])
async def test_b18_a_count_out_of_range_is_named(seeded: RunningPricing, count: int) -> None:
    usage = Usage(output_token_count=count)

    for failing in (quote(seeded, "gpt-4o", usage=usage), estimate(seeded, "gpt-4o", usage=usage)):
        code, reason, metadata = await failure_of(failing)
        assert (code, reason) == INVALID
        assert metadata["field"] == "usage.output_token_count"


async def test_an_estimate_is_exact_and_explains_itself(seeded: RunningPricing) -> None:
    answer = await estimate(seeded, "gpt-4o", usage=MIX)

    assert answer.cost.total_picodollars == 7_500_000_000
    assert [(rate.usage_class, rate.unit_picodollars) for rate in answer.rates] == [
        ("uncached_input_token", per_million("2.5")),
        ("output_token", per_million("10")),
    ]
    assert answer.usage == MIX
    assert (answer.estimated, answer.tokens_estimated, answer.stale) == (False, False, True)
    assert (answer.offer, answer.source) == ("openai/gpt-4o", "seed")


@pytest.mark.parametrize(
    ("prompt", "total", "above"),
    [(200_000, "0.25", 0), (200_001, "0.5000025", 200_000), (250_000, "0.625", 200_000)],
)
async def test_a_long_prompt_is_priced_by_its_band(
    seeded: RunningPricing, prompt: int, total: str, above: int
) -> None:
    usage = Usage(uncached_input_token_count=prompt - 1000, cache_read_token_count=1000)
    plain = Usage(uncached_input_token_count=prompt)

    answer = await estimate(seeded, "google/gemini-2.5-pro", usage=plain)
    with_cache = await estimate(seeded, "google/gemini-2.5-pro", usage=usage)

    assert answer.cost.total_picodollars == usd(total)
    assert answer.above_prompt_token_count == with_cache.above_prompt_token_count == above


async def test_a_prompt_is_counted_and_said_to_be(seeded: RunningPricing) -> None:
    answer = await estimate(seeded, "gpt-4o-mini", prompt="Explain monads in three sentences.")

    assert 5 <= answer.usage.uncached_input_token_count <= 9
    assert answer.usage.output_token_count == 500
    assert answer.estimated
    assert answer.tokens_estimated


async def test_the_expected_completion_may_be_none(seeded: RunningPricing) -> None:
    answer = await estimate(seeded, "gpt-4o", prompt="hello", expected_output_token_count=0)

    assert answer.usage.output_token_count == 0


async def test_p8_a_prompt_costs_what_the_mode_charges_for(seeded: RunningPricing) -> None:
    embedding = await estimate(seeded, "openai/text-embedding-3-small", prompt="hello world")
    speech = await estimate(seeded, "openai/tts-1", prompt="hello world")

    assert embedding.usage.output_token_count == 0
    assert embedding.cost.total_picodollars > 0
    assert speech.usage.input_character_count == 11
    assert speech.cost.total_picodollars == 11 * usd("0.000015")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({}, "usage"),
        ({"prompt": "hi", "expected_output_token_count": -1}, "expected_output_token_count"),
        ({"usage": MIX, "service_tier": "x" * 65}, "service_tier"),
    ],
)
async def test_an_estimate_names_what_is_wrong(
    seeded: RunningPricing, fields: dict[str, object], field: str
) -> None:
    code, reason, metadata = await failure_of(estimate(seeded, "gpt-4o", **fields))

    assert (code, reason) == INVALID
    assert metadata["field"] == field


async def test_prices_are_listed_page_by_page(seeded: RunningPricing) -> None:
    request = pb.ListPricesRequest(provider="openai", order_by="input_price desc", page_size=40)
    offers: list[str] = []
    while True:
        page = await seeded.stub.ListPrices(request, timeout=30)
        offers += [price.offer for price in page.prices]
        request.page_token = page.page_info.next_page_token
        if not request.page_token:
            break

    assert len(offers) == len(set(offers)) == page.page_info.total_count > 100
    assert all(offer.startswith("openai/") for offer in offers)


async def test_unpriced_offers_are_listed_on_request_with_no_rates(
    seeded: RunningPricing,
) -> None:
    request = pb.ListPricesRequest(filter="volcengine GLM", include_unpriced=True)

    with_unpriced = await seeded.stub.ListPrices(request, timeout=30)
    request.include_unpriced = False
    without = await seeded.stub.ListPrices(request, timeout=30)

    unpriced = [price for price in with_unpriced.prices if not price.rates]
    assert [price.offer for price in unpriced] == ["volcengine/glm-4-7-251222"]
    assert not any(price.free for price in unpriced)
    assert "volcengine/glm-4-7-251222" not in {price.offer for price in without.prices}


@pytest.mark.parametrize(
    ("request_message", "field"),
    [
        (pb.ListPricesRequest(page_size=-1), "page_size"),
        (pb.ListPricesRequest(page_token=NONSENSE), "page_token"),
        (pb.ListPricesRequest(order_by="price"), "order_by"),
        (pb.ListPricesRequest(mode=99), "mode"),  # type: ignore[arg-type]
        (pb.ListPricesRequest(filter="x" * 257), "filter"),
        (pb.ListCheapestRequest(limit=-1), "limit"),
        (pb.ListCheapestRequest(capabilities=[99]), "capabilities"),  # type: ignore[list-item]
        (pb.ListCheapestRequest(usage=Usage(page_count=-5)), "usage.page_count"),
        (pb.CompareProvidersRequest(mode=99), "mode"),  # type: ignore[arg-type]
        (pb.GetPriceRequest(name="x" * 513), "name"),
        (pb.GetPriceRequest(), "name"),
    ],
)
async def test_a_field_out_of_range_is_named(
    seeded: RunningPricing, request_message: Message, field: str
) -> None:
    method = type(request_message).__name__.removesuffix("Request")

    code, reason, metadata = await failure_of(call(seeded, method, request_message))

    assert (code, reason) == INVALID
    assert metadata["field"] == field


async def test_p8_the_cheapest_are_chat_offers_that_cost_something(seeded: RunningPricing) -> None:
    answer = await seeded.stub.ListCheapest(
        pb.ListCheapestRequest(
            limit=20,
            provider="openai",
            capabilities=[model_traits_pb2.CAPABILITY_TOOLS],
        ),
        timeout=30,
    )

    costs = [offer.cost.total_picodollars for offer in answer.offers]
    assert costs == sorted(costs)
    assert costs[0] > 0
    assert {offer.price.mode for offer in answer.offers} == {model_traits_pb2.MODE_CHAT}
    assert {offer.price.provider for offer in answer.offers} == {"openai"}


async def test_the_cheapest_of_all_write_text(seeded: RunningPricing) -> None:
    answer = await seeded.stub.ListCheapest(pb.ListCheapestRequest(limit=100), timeout=30)

    words = {word for offer in answer.offers for word in re.split("[^a-z]+", offer.price.offer)}
    assert len(answer.offers) == 100
    assert words.isdisjoint({"embed", "flux", "lyria", "tts"})
    assert answer.offers[0].cost.total_picodollars >= per_million("0.01") * 10**6


async def test_the_cheapest_leave_out_what_is_no_longer_served(seeded: RunningPricing) -> None:
    answer = await seeded.stub.ListCheapest(pb.ListCheapestRequest(limit=1000), timeout=30)

    today = date(2026, 11, 2)  # the fake clock's
    dated = [
        offer.price.deprecation_date
        for offer in answer.offers
        if offer.price.HasField("deprecation_date")
    ]
    assert dated
    assert all(date(day.year, day.month, day.day) > today for day in dated)
    assert answer.free_count > 0
    assert answer.unpriced_count > 0


async def test_sellers_are_summed_up_by_what_the_mix_costs(seeded: RunningPricing) -> None:
    answer = await seeded.stub.CompareProviders(pb.CompareProvidersRequest(), timeout=30)

    openai = next(each for each in answer.providers if each.provider == "openai")
    assert openai.offer_count >= openai.priced_count > 50
    assert openai.min_picodollars < openai.mean_picodollars < openai.max_picodollars
    assert openai.cheapest_offer.startswith("openai/")
    assert len({each.provider for each in answer.providers}) == len(answer.providers)
    assert not answer.offers


async def test_one_model_is_compared_at_each_seller(seeded: RunningPricing) -> None:
    answer = await seeded.stub.CompareProviders(
        pb.CompareProvidersRequest(model="gpt-4o"), timeout=30
    )

    offers = [offer.price.offer for offer in answer.offers]
    costs = [offer.cost.total_picodollars for offer in answer.offers if offer.HasField("cost")]
    assert {"openai/gpt-4o", "azure/gpt-4o"} <= set(offers)
    assert costs == sorted(costs)
    assert {each.provider for each in answer.providers} == {
        offer.price.provider for offer in answer.offers
    }


async def test_rate_cards_give_the_same_costs_as_quotes(seeded: RunningPricing) -> None:
    answer = await seeded.stub.ListRateCards(pb.ListRateCardsRequest(), timeout=30)

    cards = {card.offer: card for card in answer.rate_cards}
    bands = cards["google/gemini-2.5-pro"].bands
    assert len(cards) > 2500
    assert [band.above_prompt_token_count for band in bands] == [0, 200_000]
    assert [band.input_picodollars for band in bands] == [per_million("1.25"), per_million("2.5")]
    assert cards["openai/gpt-4o"].bands[0].cache_write_1h_picodollars == per_million("2.5")
    quoted = await quote(seeded, *list(cards)[:100])
    for one in quoted.quotes:
        base = cards[one.offer].bands[0]
        expected = 1000 * base.input_picodollars + 500 * base.output_picodollars
        assert one.cost.total_picodollars == expected + cards[one.offer].request_picodollars


async def test_rate_cards_are_not_sent_again_to_who_has_them(seeded: RunningPricing) -> None:
    version = (await seeded.status()).snapshot_version

    answer = await seeded.stub.ListRateCards(
        pb.ListRateCardsRequest(known_version=version), timeout=30
    )

    assert not answer.rate_cards
    assert answer.snapshot_version == version


async def test_a_cache_policy_says_where_it_comes_from(seeded: RunningPricing) -> None:
    answer = await seeded.stub.GetCachePolicy(pb.GetCachePolicyRequest(model="gpt-4o"), timeout=30)

    assert answer.supported
    assert answer.min_token_count == 1024
    assert answer.read_picodollars == per_million("1.25")
    assert not answer.HasField("write_picodollars")
    assert (answer.supported_source, answer.min_token_source) == ("flag", "provider_default")


async def test_without_any_feed_the_seed_is_served_and_said_to_be_stale(
    seeded: RunningPricing,
) -> None:
    status = await seeded.status()

    seed = status.sources[-1]
    assert status.model_count >= 4000
    assert (status.stale, status.cache_valid, status.refreshing) == (True, False, False)
    assert not status.HasField("last_updated_time")
    names = ["litellm", "openrouter", "models_dev", "seed"]
    assert [source.source for source in status.sources] == names
    assert [source.enabled for source in status.sources] == [False, False, False, True]
    edition = seed.edition_date
    assert date(edition.year, edition.month, edition.day) == read_seed().edition_date


async def test_p12_what_callers_get_is_a_copy(seeded: RunningPricing) -> None:
    answer = await seeded.price("gpt-4o")
    answer.price.rates[0].picodollars = 1

    again = await seeded.price("gpt-4o")

    assert again.price.rates[0].picodollars != 1
