"""Requests that arrive together share calls to pricing and health, through the front door."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest

from steelyard.router.v1 import decision_pb2
from steelyard_common.clock import SystemClock
from steelyard_router.adapters.health_client import MAX_GATHERED, HealthClient
from steelyard_router.adapters.pricing_client import PricingClient
from steelyard_router.adapters.snapshot_files import SnapshotFiles
from steelyard_router.domain.usage import Usage
from tests.router.world import RIVAL, World

CLIENTS = 32
TIMEOUT = 10.0


@pytest.fixture
async def pricing_client(world: World, tmp_path: Path) -> AsyncIterator[PricingClient]:
    async with grpc.aio.insecure_channel(str(world.hosts["pricing"].address)) as channel:
        yield PricingClient(channel, SnapshotFiles(tmp_path, SystemClock()), SystemClock())


@pytest.fixture
async def health_client(world: World) -> AsyncIterator[HealthClient]:
    async with grpc.aio.insecure_channel(str(world.hosts["health"].address)) as channel:
        yield HealthClient(channel, SystemClock())


def expected_cost(world: World, decision: decision_pb2.Decision) -> int:
    usage = decision.expected_usage
    input_rate, output_rate = world.pricing.rates[decision.chosen.offer]
    return usage.uncached_input_token_count * input_rate + usage.output_token_count * output_rate


async def test_requests_that_arrive_together_share_calls_and_each_gets_its_own_costs(
    world: World,
) -> None:
    world.pricing.quote.let_go = world.health.check.let_go = asyncio.Event()
    texts = ["word " * (10 * number + 1) for number in range(CLIENTS)]
    routes = [asyncio.create_task(world.decision(text)) for text in texts]
    await world.pricing.quote.called.wait()

    world.pricing.quote.let_go.set()
    decisions = await asyncio.gather(*routes)

    prompts = [decision.expected_usage.uncached_input_token_count for decision in decisions]
    assert prompts == sorted(set(prompts))
    for decision in decisions:
        assert decision.chosen.expected_cost.total_picodollars == expected_cost(world, decision)
        assert not decision.stale_prices
        assert not decision.stale_health
    assert len(world.pricing.quoted) == CLIENTS
    assert world.pricing.quote.calls <= CLIENTS // 2
    assert world.health.check.calls <= CLIENTS // 2


async def test_a_caller_who_leaves_does_not_spoil_the_call_of_the_others(world: World) -> None:
    world.pricing.quote.let_go = asyncio.Event()
    leaving, *staying = [asyncio.create_task(world.decision(f"text {n}")) for n in range(6)]
    await world.pricing.quote.called.wait()

    leaving.cancel()
    await asyncio.wait({leaving})
    world.pricing.quote.let_go.set()

    assert all(not decision.stale_prices for decision in await asyncio.gather(*staying))


async def test_while_shared_calls_hang_everybody_decides_on_what_is_known(tmp_path: Path) -> None:
    async with World(tmp_path, router_ask_timeout_seconds=0.05) as world:
        world.pricing.quote.hangs = world.health.check.hangs = True

        during = await asyncio.gather(*(world.decision() for _ in range(CLIENTS)))

        assert all(decision.stale_prices and decision.stale_health for decision in during)
        assert {decision.chosen.offer for decision in during} == {RIVAL}
        world.pricing.quote.hangs = world.health.check.hangs = False
        await world.decision_when(
            lambda decision: not decision.stale_prices and not decision.stale_health
        )


async def test_each_is_quoted_for_their_own_usage_and_offers(
    world: World, pricing_client: PricingClient
) -> None:
    offers = sorted(world.pricing.rates)
    asks = [
        pricing_client.ask(Usage(number, 1), offers[: number % 3 + 1], "", TIMEOUT)
        for number in range(1, 71)
    ]

    answers = await asyncio.gather(*(ask.answer() for ask in asks))

    for number, quotes in enumerate(answers, start=1):
        assert quotes is not None
        assert list(quotes.by_offer) == offers[: number % 3 + 1]
        for offer, quote in quotes.by_offer.items():
            input_rate, output_rate = world.pricing.rates[offer]
            assert quote.cost is not None
            assert quote.cost.total == number * input_rate + output_rate
    assert world.pricing.quote.calls == 2


async def test_offers_that_several_ask_about_are_checked_once(
    world: World, health_client: HealthClient
) -> None:
    world.health.report("acme/1", score=0.5)
    asks = [health_client.ask(["acme/1", f"acme/{number}"], TIMEOUT) for number in range(2, 12)]

    reports = await asyncio.gather(*(ask.answer() for ask in asks))

    assert [list(request.offers) for request in world.health.checked] == [
        [f"acme/{number}" for number in range(1, 12)]
    ]
    assert all(report is reports[0] for report in reports)
    assert reports[0] is not None
    assert reports[0].by_offer["acme/1"].score == 0.5


async def test_a_check_never_names_more_offers_than_health_takes(
    world: World, health_client: HealthClient
) -> None:
    questions = [[f"acme/{number}-{each}" for each in range(32)] for number in range(7)]
    asks = [health_client.ask(question, TIMEOUT) for question in questions]

    reports = await asyncio.gather(*(ask.answer() for ask in asks))

    for question, report in zip(questions, reports, strict=True):
        assert report is not None
        assert set(question) <= report.by_offer.keys()
    sizes = [len(request.offers) for request in world.health.checked]
    assert sizes == [96, 96, 32]
    assert max(sizes) <= MAX_GATHERED
