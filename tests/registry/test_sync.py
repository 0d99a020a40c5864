"""Where the catalogue comes from, and what it survives."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from steelyard_registry.domain.models import State
from steelyard_registry.domain.quality.editions import ScoreSource
from steelyard_registry.domain.quality.scores import Basis
from steelyard_registry.domain.sync_run import SourceResult
from tests.fakes import START, FakeClock, FakeFeedServer
from tests.registry.builders import (
    SEED_TIME,
    arena_body,
    chat,
    listed,
    litellm_body,
    openrouter_body,
)
from tests.registry.keeping import Feeds, Keeping, keeping

SEED = {f"gpt-{number}": chat("openai") for number in range(20)}
LIVE = SEED | {"gpt-live": chat("openai")}
DAY = 86_400


class Running:
    """A registry that syncs by itself."""

    def __init__(self, kept: Keeping, clock: FakeClock) -> None:
        self.kept = kept
        self._clock = clock
        self._task = asyncio.create_task(kept.automatic.run())

    async def after(self, seconds: float) -> None:
        """Let time pass, and the sync do what it then does."""
        await self._clock.wait_for_sleeper()
        await self._clock.advance(seconds)
        # Reading takes no time of this clock: what fell due meanwhile is done now.
        for _ in range(3):
            await self._clock.wait_for_sleeper()
            await self._clock.advance(0)
        await self._clock.wait_for_sleeper()

    async def stop(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    @property
    def models(self) -> set[str]:
        return set(self.kept.edition.models)

    @property
    def is_stale(self) -> bool:
        return self.kept.edition.is_stale


def states(running: Running, model: str) -> list[State]:
    return [offer.state for offer in running.kept.edition.models[model].offers]


Start = Callable[..., Awaitable[Running]]


@pytest.fixture
async def start(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Start]:
    """Return a function that starts a registry on the files of this test, as after a restart."""
    async with AsyncExitStack() as resources:

        async def started(litellm: str = "", openrouter: str = "") -> Running:
            feeds = Feeds(litellm=litellm, openrouter=openrouter)
            kept = await resources.enter_async_context(keeping(tmp_path, clock, SEED, feeds))
            running = Running(kept, clock)
            resources.push_async_callback(running.stop)
            return running

        yield started


async def test_the_seed_is_there_before_any_feed_and_says_that_it_is_old(start: Start) -> None:
    running = await start("http://127.0.0.1:1/none")

    assert running.models == set(SEED)
    assert running.is_stale
    offer = running.kept.offer("openai/gpt-1")
    assert (offer.observed_time, offer.first_seen_time) == (SEED_TIME, None)


async def test_fresh_feeds_replace_the_seed(
    start: Start, clock: FakeClock, feed_server: FakeFeedServer
) -> None:
    url = feed_server.publish("/map", litellm_body(LIVE))

    running = await start(url)
    await running.after(0)

    assert running.models == set(LIVE)
    assert not running.is_stale
    offer = running.kept.edition.models["gpt-live"].offers[0]
    assert (offer.source, offer.observed_time) == ("litellm", clock.now())
    await running.stop()


async def test_openrouter_is_asked_about_its_own_offers(
    start: Start, feed_server: FakeFeedServer
) -> None:
    copied = LIVE | {"openrouter/openai/gpt-1": chat("openrouter", max_input_tokens=1)}
    litellm = feed_server.publish("/map", litellm_body(copied))
    openrouter = feed_server.publish(
        "/list", openrouter_body(listed("openai/gpt-1", context_length=2), listed("x-ai/grok-9"))
    )

    running = await start(litellm, openrouter)
    await running.after(0)

    offers = running.kept.edition.models["gpt-1"].offers
    assert [(each.offer, each.max_input_tokens, each.source) for each in offers] == [
        ("openai/gpt-1", None, "litellm"),
        ("openrouter/openai/gpt-1", 2, "openrouter"),
    ]
    assert "grok-9" in running.models
    await running.stop()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>" + b" " * 2000,
        litellm_body(LIVE)[:-1010],
        b'{"gpt-1": {"litellm_provider": "openai", "x": NaN}}' + b" " * 1000,
        b"[" * 60_000 + b"]" * 60_000,
        b"{}" + b" " * 1000,
        b"[]" + b" " * 1000,
        b'{"gpt-1": "\xff"}' + b" " * 1000,
        litellm_body({"gpt-1": chat("openai")}),
    ],
    ids=["empty", "html", "cut", "nan", "deep", "no-models", "list", "not-utf8", "shrunk"],
)
async def test_a_bad_feed_leaves_the_last_good_catalogue(
    start: Start, feed_server: FakeFeedServer, body: bytes
) -> None:
    url = feed_server.publish("/map", litellm_body(LIVE))
    running = await start(url)
    await running.after(0)
    before = running.kept.edition

    feed_server.publish("/map", body)
    await running.after(2 * DAY)

    assert running.kept.edition.models == before.models
    assert running.is_stale
    assert running.kept.publisher.state.source("litellm").failures > 0
    await running.stop()
    assert (await start(url)).models == set(LIVE)


async def test_a_feed_that_fails_is_tried_again_later_and_later(
    start: Start, feed_server: FakeFeedServer
) -> None:
    url = feed_server.publish("/map", b"gone", status=404)

    running = await start(url)
    await running.after(0)
    counts = []
    for seconds in (59, 1, 119, 1, 239, 1):
        await running.after(seconds)
        counts.append(len(feed_server.requests))

    assert counts == [1, 2, 2, 3, 3, 4]
    feed_server.publish("/map", litellm_body(LIVE))
    await running.after(3600)
    assert running.models == set(LIVE)
    await running.stop()


async def test_a_restart_serves_the_last_good_feeds_without_asking(
    start: Start, clock: FakeClock, feed_server: FakeFeedServer
) -> None:
    url = feed_server.publish("/map", litellm_body(LIVE))
    first = await start(url)
    await first.after(0)
    await first.stop()
    await feed_server.stop()
    await clock.advance(60)

    second = await start(url)

    assert second.models == set(LIVE)
    assert not second.is_stale
    assert second.kept.edition.version == first.kept.edition.version
    await second.after(DAY)
    assert (second.models, second.is_stale) == (set(LIVE), True)
    await second.stop()


async def test_a_copy_from_before_the_seed_gives_way_to_it(tmp_path: Path) -> None:
    clock = FakeClock(START - timedelta(days=400))
    path = tmp_path / "map.json"
    path.write_bytes(litellm_body(LIVE))
    feeds = Feeds(litellm=path.as_uri())
    async with keeping(tmp_path, clock, SEED, feeds) as old:
        await old.sync()
        assert set(old.edition.models) == set(LIVE)

    now = FakeClock()
    async with keeping(tmp_path, now, SEED, feeds) as kept:
        assert set(kept.edition.models) == set(SEED)
        report = await kept.sync()

        assert report.outcomes[0].result is SourceResult.READ
        assert set(kept.edition.models) == set(LIVE)


async def test_what_has_not_changed_is_confirmed_and_not_published_again(
    start: Start, feed_server: FakeFeedServer
) -> None:
    url = feed_server.publish("/map", litellm_body(LIVE), etag='"1"')
    running = await start(url)
    await running.after(0)
    version = running.kept.edition.version

    await running.after(DAY / 4)

    assert running.kept.edition.version == version
    await running.after(DAY)
    assert [request.headers.get("if-none-match") for request in feed_server.requests] == [
        None,
        '"1"',
    ]
    assert not running.is_stale
    await running.stop()


async def test_r1_an_offer_is_deprecated_at_midnight_without_any_feed(
    start: Start, clock: FakeClock, feed_server: FakeFeedServer
) -> None:
    ending = LIVE | {"gpt-1": chat("openai", deprecation_date="2026-11-03")}
    url = feed_server.publish("/map", litellm_body(ending))
    running = await start(url)
    await running.after(0)
    assert states(running, "gpt-1") == [State.ACTIVE]

    await running.after((24 - START.hour) * 3600 - START.minute * 60)

    assert clock.now().date().isoformat() == "2026-11-03"
    assert states(running, "gpt-1") == [State.DEPRECATED]
    assert len(feed_server.requests) == 1
    await running.stop()


async def test_sources_that_are_switched_off_are_never_read(start: Start) -> None:
    running = await start()

    await running.after(3 * DAY)

    assert running.models == set(SEED)
    assert running.is_stale
    await running.stop()


async def test_scores_are_read_by_themselves_and_again_when_they_are_old(
    tmp_path: Path, clock: FakeClock, feed_server: FakeFeedServer
) -> None:
    board = {f"gpt-{place}": 1000.0 + 10 * place for place in range(20)}
    feeds = Feeds(scores={ScoreSource.ARENA: feed_server.publish("/arena.json", arena_body(board))})
    async with keeping(tmp_path, clock, SEED, feeds) as kept:
        running = Running(kept, clock)
        await running.after(0)
        quality = kept.edition.models["gpt-1"].quality
        await running.after(DAY)
        await running.stop()

    assert quality is not None
    assert quality.basis is Basis.MEASURED
    assert len(feed_server.requests) == 2
