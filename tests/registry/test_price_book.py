"""The copy of the list prices, and price ceilings that rest on it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import grpc
import pytest

from steelyard.common.v1 import error_reason_pb2 as reasons
from steelyard.common.v1 import model_traits_pb2 as traits
from steelyard.pricing.v1 import price_pb2, rate_card_pb2
from steelyard.pricing.v1 import pricing_service_pb2 as pricing_pb
from steelyard.pricing.v1 import pricing_service_pb2_grpc as pricing_grpc
from steelyard.registry.v1 import registry_service_pb2 as pb
from steelyard.registry.v1.registry_service_pb2_grpc import RegistryServiceStub
from steelyard_common.errors import PricingUnavailableError
from steelyard_common.grpc_status import failure
from steelyard_registry.adapters.price_book import MAX_AGE_SECONDS, PriceBook
from steelyard_registry.domain.catalogue import Catalogue
from steelyard_registry.domain.prices import blended
from tests.conftest import Serve
from tests.fakes import FakeClock, FakeFeedServer
from tests.pricing.conftest import RunningPricing, settings_for, small_seed, start_pricing
from tests.registry.builders import catalogue_of, chat, litellm_body
from tests.registry.priced import (
    FakePricing,
    FixedPrices,
    a_card,
    fake_pricing,
    serve_queries,
    shipped_catalogue,
)

pytestmark = pytest.mark.xdist_group("price_book")

SECONDS = 10
MODES = len(traits.Mode.values()) - 1
MICRODOLLAR = 1_000_000


async def book_of(serve: Serve, pricing: FakePricing, clock: FakeClock) -> PriceBook:
    channel = await serve(pricing_grpc.add_PricingServiceServicer_to_server, pricing)
    return PriceBook(channel, clock)


@pytest.mark.parametrize(
    ("prompt", "completion", "expected"),
    [
        (0, 0, 0),
        (4, 4, 4),
        (1, 0, 1),
        (0, 1, 0),
        (0, 2, 1),
        (0, 3, 1),
        (2_500_000, 10_000_000, 4_375_000),
    ],
)
def test_three_parts_of_input_and_one_of_output_are_rounded_half_up(
    prompt: int, completion: int, expected: int
) -> None:
    assert blended(prompt, completion) == expected


async def test_prices_of_all_modes_are_read(serve: Serve, clock: FakeClock) -> None:
    pricing = fake_pricing(a_card("openai/gpt-4o", 2_500_000, 10_000_000))
    pricing.publish(a_card("openai/embed", 20_000), mode=traits.MODE_EMBEDDING)
    book = await book_of(serve, pricing, clock)

    prices = await book.current(SECONDS)

    assert prices.version == 2
    assert prices.blended == {"openai/gpt-4o": 4_375_000, "openai/embed": 15_000}


async def test_free_is_a_price_and_zero_is_none(serve: Serve, clock: FakeClock) -> None:
    pricing = fake_pricing(
        a_card("a/free", 0, 0, free=True),
        a_card("a/per-query", 0, 0, request_picodollars=MICRODOLLAR),
        rate_card_pb2.RateCard(offer="a/no-band"),
    )
    book = await book_of(serve, pricing, clock)

    assert (await book.current(SECONDS)).blended == {"a/free": 0}


async def test_the_price_of_short_prompts_counts(serve: Serve, clock: FakeClock) -> None:
    card = a_card("a/long", 4, 8)
    card.bands.add(above_prompt_token_count=200_000, input_picodollars=8, output_picodollars=16)
    book = await book_of(serve, fake_pricing(card), clock)

    assert (await book.current(SECONDS)).blended == {"a/long": 5}


async def test_prices_are_read_again_only_when_there_are_others(
    serve: Serve, clock: FakeClock
) -> None:
    pricing = fake_pricing(a_card("a/x", 4, 4))
    book = await book_of(serve, pricing, clock)

    await book.current(SECONDS)
    await book.current(SECONDS)
    assert len(pricing.asked) == MODES + 1

    pricing.publish(a_card("a/x", 8, 8))
    assert (await book.current(SECONDS)).blended == {"a/x": 8}
    assert len(pricing.asked) == 2 * MODES + 1


async def test_callers_at_the_same_time_ask_once(serve: Serve, clock: FakeClock) -> None:
    pricing = fake_pricing(a_card("a/x", 4, 4))
    pricing.answers.clear()
    book = await book_of(serve, pricing, clock)

    callers = [asyncio.create_task(book.current(SECONDS)) for _ in range(20)]
    await pricing.was_asked.wait()
    callers[0].cancel()
    pricing.answers.set()
    answers = await asyncio.gather(*callers[1:])

    assert all(answer is answers[0] for answer in answers)
    assert len(pricing.asked) == MODES


async def test_a_caller_that_runs_out_of_time_leaves_the_reading_to_others(
    serve: Serve, clock: FakeClock
) -> None:
    pricing = fake_pricing(a_card("a/x", 4, 4))
    pricing.answers.clear()
    book = await book_of(serve, pricing, clock)

    with pytest.raises(PricingUnavailableError):
        await book.current(0.01)
    pricing.answers.set()

    assert (await book.current(SECONDS)).blended == {"a/x": 4}
    assert len(pricing.asked) == MODES


async def test_without_pricing_and_without_a_copy_there_are_no_prices(
    serve: Serve, clock: FakeClock
) -> None:
    pricing = fake_pricing()
    pricing.is_down = True
    book = await book_of(serve, pricing, clock)

    with pytest.raises(PricingUnavailableError):
        await book.current(SECONDS)


async def test_a_copy_stands_in_for_pricing_for_less_than_an_hour(
    serve: Serve, clock: FakeClock
) -> None:
    pricing = fake_pricing(a_card("a/x", 4, 4))
    book = await book_of(serve, pricing, clock)
    await book.current(SECONDS)
    await clock.advance(MAX_AGE_SECONDS)
    await book.current(SECONDS)  # confirms it

    pricing.is_down = True
    await clock.advance(MAX_AGE_SECONDS - 1)
    assert (await book.current(SECONDS)).blended == {"a/x": 4}
    await clock.advance(1)
    with pytest.raises(PricingUnavailableError):
        await book.current(SECONDS)

    pricing.is_down = False
    assert (await book.current(SECONDS)).blended == {"a/x": 4}


class ChangingPricing(FakePricing):
    """Publishes once while it is read."""

    async def ListRateCards(
        self,
        request: pricing_pb.ListRateCardsRequest,
        context: "grpc.aio.ServicerContext[Any, Any]",
    ) -> pricing_pb.ListRateCardsResponse:
        answer = await super().ListRateCards(request, context)
        if len(self.asked) == 1:
            self.publish(a_card("a/x", 8, 8))
        return answer


async def test_prices_that_change_while_they_are_read_are_read_again(
    serve: Serve, clock: FakeClock
) -> None:
    pricing = ChangingPricing(a_card("a/x", 4, 4))  # type: ignore[abstract]
    book = await book_of(serve, pricing, clock)

    assert (await book.current(SECONDS)).version == 1
    assert (await book.current(SECONDS)).blended == {"a/x": 8}


GPT = {
    "gpt-4o": chat("openai", supports_vision=True),
    "groq/gpt-4o": chat("groq"),
    "o1": chat("openai"),
}


async def names(stub: RegistryServiceStub, ceiling: int, **conditions: object) -> list[str]:
    model_filter = pb.ModelFilter(max_blended_picodollars=ceiling, **conditions)  # type: ignore[arg-type]
    request = pb.ListModelsRequest(filter=model_filter, page_size=1000)
    answer = await stub.ListModels(request, timeout=SECONDS)
    assert answer.page_info.total_count == len(answer.models)
    return [each.model for each in answer.models]


async def test_a_ceiling_holds_inclusively_and_leaves_out_the_unpriced(serve: Serve) -> None:
    prices = FixedPrices({"openai/gpt-4o": 100})
    stub = await serve_queries(serve, catalogue_of(GPT), prices)

    assert await names(stub, 99) == []
    assert await names(stub, 100) == ["gpt-4o"]


async def test_a_ceiling_of_nothing_finds_what_is_free(serve: Serve) -> None:
    stub = await serve_queries(
        serve, catalogue_of(GPT), FixedPrices({"openai/gpt-4o": 100, "openai/o1": 0})
    )

    assert await names(stub, 0) == ["o1"]


async def test_one_offer_must_meet_all_conditions(serve: Serve) -> None:
    prices = FixedPrices({"openai/gpt-4o": 100, "groq/gpt-4o": 10})
    stub = await serve_queries(serve, catalogue_of(GPT), prices)
    vision = [traits.CAPABILITY_VISION]

    assert await names(stub, 10) == ["gpt-4o"]
    assert await names(stub, 10, provider="openai") == []
    assert await names(stub, 10, capabilities=vision) == []
    assert await names(stub, 10, routable_only=True) == []
    assert await names(stub, 100, capabilities=vision, routable_only=True) == ["gpt-4o"]


async def test_a_search_has_a_ceiling_too(serve: Serve) -> None:
    prices = FixedPrices({"openai/gpt-4o": 100, "openai/o1": 10})
    stub = await serve_queries(serve, catalogue_of(GPT), prices)
    request = pb.SearchModelsRequest(filter=pb.ModelFilter(max_blended_picodollars=10))

    answer = await stub.SearchModels(request, timeout=SECONDS)

    assert [each.model for each in answer.models] == ["o1"]
    assert answer.total_count == 1


async def test_a_negative_ceiling_is_refused(serve: Serve) -> None:
    stub = await serve_queries(serve, catalogue_of(GPT), FixedPrices({}))

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await names(stub, -1)

    assert failure(caught.value).violations[0].field == "filter.max_blended_picodollars"


async def test_a_ceiling_needs_pricing_and_nothing_else_does(
    serve: Serve, clock: FakeClock
) -> None:
    pricing = fake_pricing()
    pricing.is_down = True
    stub = await serve_queries(serve, catalogue_of(GPT), await book_of(serve, pricing, clock))

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await names(stub, 100)

    assert failure(caught.value).reason == reasons.ERROR_REASON_PRICING_UNAVAILABLE
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    listed = await stub.ListModels(pb.ListModelsRequest(), timeout=SECONDS)
    assert len(listed.models) == 2


async def test_older_prices_are_used_within_the_callers_deadline_when_pricing_hangs(
    serve: Serve, clock: FakeClock
) -> None:
    pricing = fake_pricing(a_card("openai/gpt-4o", 4, 4))
    stub = await serve_queries(serve, catalogue_of(GPT), await book_of(serve, pricing, clock))
    assert await names(stub, 4) == ["gpt-4o"]
    pricing.answers.clear()
    request = pb.ListModelsRequest(filter=pb.ModelFilter(max_blended_picodollars=4))

    answer = await stub.ListModels(request, timeout=1)

    assert [each.model for each in answer.models] == ["gpt-4o"]
    pricing.answers.set()


@pytest.fixture(scope="module")
async def real_pricing(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningPricing]:
    """Return the pricing service on the shipped catalogue; tests only read."""
    async with AsyncExitStack() as stack:
        settings = settings_for(tmp_path_factory.mktemp("pricing"))
        yield await start_pricing(stack, settings, clock=FakeClock())


@pytest.fixture(scope="module")
def shipped() -> Catalogue:
    return shipped_catalogue()


def channel_to(pricing: RunningPricing) -> grpc.aio.Channel:
    return grpc.aio.insecure_channel(f"127.0.0.1:{pricing.service.server.port}")


async def published_prices(pricing: RunningPricing) -> dict[str, int]:
    """Return what pricing lists for a token of short prompts, mixed three to one."""
    found: dict[str, int] = {}
    token = ""
    while True:
        page = await pricing.stub.ListPrices(
            pricing_pb.ListPricesRequest(mode=traits.MODE_CHAT, page_size=1000, page_token=token),
            timeout=SECONDS,
        )
        for price in page.prices:
            base = {
                rate.component: rate.picodollars
                for rate in price.rates
                if not (rate.service_tier or rate.above_prompt_token_count or rate.windows)
            }
            parts = [
                base.get(price_pb2.PRICE_COMPONENT_INPUT_TOKEN),
                base.get(price_pb2.PRICE_COMPONENT_OUTPUT_TOKEN),
            ]
            if None not in parts and (price.free or any(parts)):
                prompt, completion = (part or 0 for part in parts)
                found[price.offer] = int((3 * prompt + completion) / 4 + 0.5)
        token = page.page_info.next_page_token
        if not token:
            return found


@pytest.mark.parametrize("ceiling", [0, 100_000, 300_000, MICRODOLLAR, 10 * MICRODOLLAR, 10**15])
async def test_a_ceiling_finds_what_pricing_sells_for_less(
    serve: Serve,
    clock: FakeClock,
    real_pricing: RunningPricing,
    shipped: Catalogue,
    ceiling: int,
) -> None:
    prices = await published_prices(real_pricing)
    expected = [
        model.model
        for model in shipped.edition.models.values()
        if any(
            prices.get(offer.offer, ceiling + 1) <= ceiling and offer.state == 1
            for offer in model.offers
        )
    ]
    async with channel_to(real_pricing) as channel:
        stub = await serve_queries(serve, shipped, PriceBook(channel, clock))
        found: list[str] = []
        token = ""
        while True:
            page = await stub.ListModels(
                pb.ListModelsRequest(
                    filter=pb.ModelFilter(max_blended_picodollars=ceiling, mode=traits.MODE_CHAT),
                    page_size=1000,
                    page_token=token,
                ),
                timeout=SECONDS,
            )
            found += [each.model for each in page.models]
            token = page.page_info.next_page_token
            if not token:
                break

    assert len(prices) > 2500
    assert found == expected
    assert found or ceiling == 0


async def test_a_ceiling_follows_pricing_when_a_feed_changes(
    serve: Serve, clock: FakeClock, tmp_path: Path
) -> None:
    def body(price: float) -> bytes:
        tokens = {"input_cost_per_token": price, "output_cost_per_token": price}
        return litellm_body({"gpt-4o": chat("openai", **tokens)})

    async with FakeFeedServer() as feeds, AsyncExitStack() as stack:
        url = feeds.publish("/litellm", body(2e-6))
        pricing = await start_pricing(
            stack, settings_for(tmp_path, litellm_url=url), clock=clock, seed=small_seed
        )
        await pricing.refresh("litellm")
        channel = await stack.enter_async_context(channel_to(pricing))
        stub = await serve_queries(serve, catalogue_of(GPT), PriceBook(channel, clock))
        assert await names(stub, 1_900_000) == []

        feeds.publish("/litellm", body(1.8e-6))
        await pricing.refresh("litellm")

        assert await names(stub, 1_900_000) == ["gpt-4o"]
