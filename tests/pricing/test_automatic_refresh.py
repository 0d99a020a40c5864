"""The service keeps its prices current by itself."""

import asyncio
from contextlib import suppress

import pytest

from steelyard_common.background import supervised
from tests.fakes import FakeClock, FakeFeedServer
from tests.pricing.builders import openrouter_body, openrouter_model
from tests.pricing.conftest import RunningPricing, Start

LIST = "/api/v1/models"
GOOD = openrouter_body(openrouter_model("acme/model"))
DAY = 86_400


class Background:
    """Runs the tasks of a service as its process does."""

    def __init__(self, pricing: RunningPricing, clock: FakeClock) -> None:
        (self._task,) = (task for task in pricing.service.tasks if task.name == "refresh")
        self._clock = clock

    async def __aenter__(self) -> "asyncio.Task[None]":
        self._running = asyncio.create_task(supervised(self._task, self._clock))
        return self._running

    async def __aexit__(self, *exc_info: object) -> None:
        self._running.cancel()
        with suppress(asyncio.CancelledError):
            await self._running


async def requests(feeds: FakeFeedServer, clock: FakeClock, count: int) -> None:
    """Wait until the feed was asked `count` times and the service sleeps again."""
    async with asyncio.timeout(20):
        while len(feeds.requests) < count or not clock.sleeper_count:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.005)


async def test_a_stale_source_is_read_at_once_and_again_each_day(
    start: Start, feeds: FakeFeedServer, clock: FakeClock
) -> None:
    pricing = await start(openrouter_url=feeds.publish(LIST, GOOD))

    async with Background(pricing, clock):
        await requests(feeds, clock, 1)
        await clock.advance(0.89 * DAY)
        assert len(feeds.requests) == 1
        await clock.advance(0.22 * DAY)
        await requests(feeds, clock, 2)

    assert (await pricing.status()).cache_valid


async def test_a_fresh_copy_is_not_read_again_after_a_restart(
    start: Start, feeds: FakeFeedServer, clock: FakeClock
) -> None:
    url = feeds.publish(LIST, GOOD)
    await (await start(openrouter_url=url)).report()

    pricing = await start(openrouter_url=url)
    async with Background(pricing, clock):
        await clock.wait_for_sleeper()

    assert len(feeds.requests) == 1


async def test_failures_are_tried_again_ever_later(
    start: Start, feeds: FakeFeedServer, clock: FakeClock
) -> None:
    pricing = await start(openrouter_url=feeds.publish(LIST, b"no", status=500))

    async with Background(pricing, clock):
        await requests(feeds, clock, 1)
        await clock.advance(67)  # a minute and a tenth
        await requests(feeds, clock, 2)
        await clock.advance(67)
        assert len(feeds.requests) == 2
        await clock.advance(67)
        await requests(feeds, clock, 3)

    assert (await pricing.source("openrouter")).success_rate == pytest.approx(0.0)


async def test_with_every_source_off_there_is_nothing_to_do(start: Start, clock: FakeClock) -> None:
    pricing = await start()

    async with asyncio.timeout(5), Background(pricing, clock) as task:
        await task
