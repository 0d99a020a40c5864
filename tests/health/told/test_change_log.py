"""The log of changes, and those who follow it."""

import asyncio
from contextlib import aclosing

import pytest

from steelyard_common.errors import OverloadedError
from steelyard_health.domain.change_log import ChangeLog, Subscription, Told
from tests.fakes import START
from tests.health.told.builders import (
    DEGRADED,
    HEALTHY,
    MAINTENANCE,
    OPEN,
    RATE_LIMITED,
    UNHEALTHY,
    UNKNOWN,
    Story,
)

MICROS = 1_793_611_800_000_000
"""START as microseconds since the epoch."""


async def told(
    log: ChangeLog, from_version: int = 0, tenant_id: str = "acme", count: int | None = None
) -> list[Told]:
    """Return what a follower gets at once: `count` times, or until it would have to wait."""
    stop = asyncio.Event()
    got = []
    async with aclosing(log.follow(from_version, tenant_id, stop)) as following:
        if count is None:
            stop.set()
        async for each in following:
            got.append(each)
            if len(got) == count:
                break
    return got


def test_versions_are_microseconds_and_grow_though_the_clock_stands_still() -> None:
    log, story = ChangeLog(), Story(MICROS - 1)

    first = log.next_version(START)
    log.add(story(DEGRADED))

    assert first == MICROS
    assert log.next_version(START) == MICROS + 1


def test_versions_go_on_above_those_of_the_process_before() -> None:
    before = ChangeLog()
    last = before.next_version(START)

    assert ChangeLog().next_version(START.replace(microsecond=1)) > last


def test_a_version_that_does_not_grow_is_refused() -> None:
    log = ChangeLog()
    log.add(Story(10)(DEGRADED))

    with pytest.raises(ValueError, match="increase"):
        log.add(Story(10)(DEGRADED))


@pytest.mark.parametrize("state", [DEGRADED, UNHEALTHY, RATE_LIMITED, MAINTENANCE])
async def test_a_newcomer_is_told_what_is_not_well(state: object) -> None:
    log, story = ChangeLog(), Story()
    change = story(state)  # type: ignore[arg-type]
    log.add(change)
    log.add(story(HEALTHY, "groq/llama"))

    assert await told(log) == [Told(change, is_present=True)]


async def test_an_open_circuit_is_told_though_the_state_is_well() -> None:
    log, story = ChangeLog(), Story()
    change = story(HEALTHY, circuit=OPEN)
    log.add(change)

    assert await told(log) == [Told(change, is_present=True)]


@pytest.mark.parametrize("state", [HEALTHY, UNKNOWN])
async def test_what_is_well_again_is_no_longer_present(state: object) -> None:
    log, story = ChangeLog(), Story()
    log.add(story(UNHEALTHY))
    log.add(story(state))  # type: ignore[arg-type]

    assert await told(log) == []
    assert log.present == ()


async def test_the_present_has_the_last_change_of_each_subject_in_order_of_versions() -> None:
    log, story = ChangeLog(), Story()
    changes = [story(DEGRADED), story(DEGRADED, "groq/llama"), story(UNHEALTHY)]
    for change in changes:
        log.add(change)

    assert await told(log) == [
        Told(changes[1], is_present=True),
        Told(changes[2], is_present=True),
    ]


async def test_who_names_a_kept_version_goes_on_from_there() -> None:
    log, story = ChangeLog(), Story()
    changes = [story(DEGRADED), story(UNHEALTHY), story(HEALTHY)]
    for change in changes:
        log.add(change)

    got = await told(log, from_version=changes[0].version, count=2)

    assert got == [Told(changes[1], is_present=False), Told(changes[2], is_present=False)]


@pytest.mark.parametrize("version", [3, 99, 2**62], ids=["older", "newer", "far"])
async def test_who_names_an_unknown_version_hears_that_it_is_void_and_starts_over(
    version: int,
) -> None:
    log, story = ChangeLog(capacity=2), Story(2)
    changes = [story(DEGRADED), story(HEALTHY), story(UNHEALTHY)]
    for change in changes:
        log.add(change)

    got = await told(log, from_version=version)

    assert got == [Told(None, is_present=True), Told(changes[2], is_present=True)]


async def test_what_happens_while_who_starts_over_is_told_so_is_told_once_and_in_order() -> None:
    log, story, stop = ChangeLog(), Story(), asyncio.Event()
    changes = [story(DEGRADED), story(UNHEALTHY)]
    async with aclosing(log.follow(99, "acme", stop)) as following:
        assert await anext(following) == Told(None, is_present=True)
        for change in changes:
            log.add(change)

        got = [await anext(following), await anext(following)]

    assert got == [Told(change, is_present=False) for change in changes]


async def test_after_a_restart_old_knowledge_is_void_though_nothing_is_bad() -> None:
    before = ChangeLog()
    change = Story(before.next_version(START))(DEGRADED)
    before.add(change)

    got = await told(ChangeLog(), from_version=change.version)

    assert got == [Told(None, is_present=True)]


async def test_a_tenant_hears_of_everybody_and_itself_only() -> None:
    log, story = ChangeLog(), Story()
    first = story(DEGRADED, "openai/a")
    log.add(first)
    log.add(story(DEGRADED, "openai/b", tenant_id="rival"))
    own = story(DEGRADED, "openai/c", tenant_id="acme")
    log.add(own)

    present = await told(log, tenant_id="acme")
    resumed = await told(log, from_version=first.version, tenant_id="acme", count=1)

    assert [each.change for each in present] == [first, own]
    assert [each.change for each in resumed] == [own]


async def test_a_follower_hears_of_changes_as_they_happen() -> None:
    log, story, stop = ChangeLog(), Story(), asyncio.Event()
    following = log.follow(0, "acme", stop)
    waiting = asyncio.ensure_future(anext(following))
    await asyncio.sleep(0)
    change = story(DEGRADED)

    log.add(change)

    assert await waiting == Told(change, is_present=False)
    await following.aclose()


async def test_a_follower_that_waits_ends_when_it_is_stopped() -> None:
    stop = asyncio.Event()
    following = ChangeLog().follow(0, "acme", stop)
    waiting = asyncio.ensure_future(anext(following))
    await asyncio.sleep(0)

    stop.set()

    with pytest.raises(StopAsyncIteration):
        await waiting


async def test_a_follower_that_falls_behind_by_more_than_is_kept_is_refused() -> None:
    log, story = ChangeLog(capacity=3), Story()
    log.add(story(DEGRADED))
    following = log.follow(1, "acme", asyncio.Event())
    log.add(story(UNHEALTHY))
    assert (await anext(following)).change is not None

    for _ in range(4):
        log.add(story(DEGRADED))

    with pytest.raises(OverloadedError):
        await anext(following)


async def test_a_follower_just_as_far_behind_as_is_kept_gets_everything() -> None:
    log, story = ChangeLog(capacity=3), Story()
    log.add(story(DEGRADED))
    following = log.follow(1, "acme", asyncio.Event())
    log.add(story(UNHEALTHY))
    await anext(following)

    added = [story(DEGRADED) for _ in range(3)]
    for change in added:
        log.add(change)
    got = [(await anext(following)).change for _ in range(3)]
    await following.aclose()

    assert got == added


def test_the_present_is_bounded_and_forgets_the_oldest() -> None:
    log, story = ChangeLog(capacity=2), Story()
    for name in ("a/1", "b/1", "c/1"):
        log.add(story(DEGRADED, name))

    assert [each.subject.name for each in log.present] == ["b/1", "c/1"]


async def test_a_subscription_gets_what_comes_after_it_in_order() -> None:
    log, story = ChangeLog(), Story()
    log.add(story(DEGRADED))
    subscription = log.subscribe()
    later = [story(UNHEALTHY), story(HEALTHY, tenant_id="acme")]
    for change in later:
        log.add(change)

    assert [await subscription.next() for _ in later] == later


async def test_a_full_subscription_drops_what_later_changes_made_void() -> None:
    subscription, story = Subscription(capacity=3), Story()
    changes = [
        story(DEGRADED, "a/1"),
        story(DEGRADED, "b/1"),
        story(HEALTHY, "b/1"),
        story(UNHEALTHY, "c/1"),
    ]
    for change in changes:
        subscription.offer(change)

    got = [await subscription.next() for _ in range(3)]

    assert got == [changes[0], changes[2], changes[3]]
    assert subscription.dropped_count == 1


async def test_a_full_subscription_of_different_subjects_drops_the_oldest() -> None:
    subscription, story = Subscription(capacity=2), Story()
    changes = [story(DEGRADED, name) for name in ("a/1", "b/1", "c/1")]
    for change in changes:
        subscription.offer(change)

    assert [await subscription.next() for _ in range(2)] == changes[1:]
    assert subscription.dropped_count == 1


async def test_who_waits_for_a_subscription_is_woken() -> None:
    subscription = Subscription(capacity=2)
    waiting = asyncio.ensure_future(subscription.next())
    await asyncio.sleep(0)
    change = Story()(DEGRADED)

    subscription.offer(change)

    assert await waiting == change
