"""Swapping catalogues under the eyes of those who follow them."""

import asyncio
from contextlib import aclosing

import pytest

from steelyard_registry.domain.catalogue import Catalogue
from steelyard_registry.domain.live import KEPT_EDITIONS, LiveCatalogue
from tests.registry.builders import catalogue_of, chat


def numbered(version: int) -> Catalogue:
    return catalogue_of({f"gpt-{version}": chat("openai")}, version=version)


async def test_a_follower_gets_the_present_at_once_and_then_each_change() -> None:
    live = LiveCatalogue(numbered(1))

    async with aclosing(live.updates(0, asyncio.Event())) as updates:
        first = await anext(updates)
        live.publish(numbered(2))
        second = await anext(updates)

    assert (first.edition.version, first.since) == (1, None)
    assert second.edition.version == 2
    assert second.since is first.edition


async def test_a_slow_follower_gets_all_changes_as_one() -> None:
    live = LiveCatalogue(numbered(1))

    async with aclosing(live.updates(0, asyncio.Event())) as updates:
        first = await anext(updates)
        for version in range(2, 6):
            live.publish(numbered(version))
        second = await anext(updates)

    assert second.edition.version == 5
    assert second.since is first.edition


async def test_a_follower_that_fell_far_behind_starts_over() -> None:
    live = LiveCatalogue(numbered(1))

    async with aclosing(live.updates(0, asyncio.Event())) as updates:
        await anext(updates)
        for version in range(2, 2 + KEPT_EDITIONS):
            live.publish(numbered(version))
        update = await anext(updates)

    assert (update.edition.version, update.since) == (1 + KEPT_EDITIONS, None)


async def test_followers_do_not_wait_for_each_other() -> None:
    live = LiveCatalogue(numbered(1))
    stop = asyncio.Event()

    async with aclosing(live.updates(0, stop)) as idle, aclosing(live.updates(0, stop)) as keen:
        await anext(idle)
        await anext(keen)
        seen = []
        for version in range(2, 5):
            live.publish(numbered(version))
            seen.append((await anext(keen)).edition.version)

    assert seen == [2, 3, 4]


async def test_followers_end_when_the_server_drains_and_leave_no_task_behind() -> None:
    live = LiveCatalogue(numbered(1))
    stop = asyncio.Event()
    before = asyncio.all_tasks()

    async def follow() -> list[int]:
        return [update.edition.version async for update in live.updates(0, stop)]

    followers = [asyncio.create_task(follow()) for _ in range(50)]
    await asyncio.sleep(0)
    stop.set()

    assert await asyncio.gather(*followers) == [[1]] * 50
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before


@pytest.mark.parametrize("version", [0, 1])
def test_a_version_that_does_not_increase_is_refused(version: int) -> None:
    live = LiveCatalogue(numbered(1))

    with pytest.raises(ValueError, match="must increase"):
        live.publish(numbered(version))

    assert live.current.edition.version == 1
