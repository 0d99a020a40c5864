"""Where the catalogue comes from, and what it survives."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from steelyard_common.feeds import FeedDownloader
from steelyard_registry.adapters.sync import CatalogueSync
from steelyard_registry.domain.live import LiveCatalogue
from steelyard_registry.domain.models import State
from tests.fakes import START, FakeClock, FakeFeedServer
from tests.registry.builders import chat, listed, litellm_body, openrouter_body, sync_of

SEED = {f"gpt-{number}": chat("openai") for number in range(20)}
LIVE = SEED | {"gpt-live": chat("openai")}
DAY = 86_400


class Running:
    """A sync at work on a catalogue."""

    def __init__(self, sync: CatalogueSync, live: LiveCatalogue, clock: FakeClock) -> None:
        self.live = live
        self._clock = clock
        self._task = asyncio.create_task(sync.run(live))

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
        return set(self.live.current.edition.models)

    @property
    def is_stale(self) -> bool:
        return self.live.current.edition.is_stale


async def started(sync: CatalogueSync, clock: FakeClock) -> Running:
    return Running(sync, await sync.open(), clock)


def states(running: Running, model: str) -> list[State]:
    return [offer.state for offer in running.live.current.edition.models[model].offers]


def damage(directory: Path) -> None:
    """Overwrite the one body that is kept there."""
    (body,) = directory.glob("litellm.*.body")
    body.write_bytes(b"garbage")


Make = Callable[..., CatalogueSync]


@pytest.fixture
def make(tmp_path: Path, clock: FakeClock, downloader: FeedDownloader) -> Make:
    """Return a function that makes a sync on the files of this test, as after a restart."""

    def sync(litellm_url: str = "", openrouter_url: str = "") -> CatalogueSync:
        return sync_of(
            tmp_path,
            clock,
            downloader,
            seed=SEED,
            litellm_url=litellm_url,
            openrouter_url=openrouter_url,
        )

    return sync


async def test_the_seed_is_there_before_any_feed_and_says_that_it_is_old(make: Make) -> None:
    live = await make(litellm_url="http://127.0.0.1:1/none").open()

    assert set(live.current.edition.models) == set(SEED)
    assert live.current.edition.is_stale
    assert live.current.edition.models["gpt-1"].offers[0].observed_time.year == 2026


async def test_fresh_feeds_replace_the_seed(
    make: Make, clock: FakeClock, feed_server: FakeFeedServer
) -> None:
    url = feed_server.publish("/map", litellm_body(LIVE))

    running = await started(make(url), clock)
    await running.after(0)

    assert running.models == set(LIVE)
    assert not running.is_stale
    offer = running.live.current.edition.models["gpt-live"].offers[0]
    assert (offer.source, offer.observed_time) == ("litellm", clock.now())
    await running.stop()


async def test_openrouter_is_asked_about_its_own_offers(
    make: Make, clock: FakeClock, feed_server: FakeFeedServer
) -> None:
    copied = LIVE | {"openrouter/openai/gpt-1": chat("openrouter", max_input_tokens=1)}
    litellm = feed_server.publish("/map", litellm_body(copied))
    openrouter = feed_server.publish(
        "/list", openrouter_body(listed("openai/gpt-1", context_length=2), listed("x-ai/grok-9"))
    )

    running = await started(make(litellm, openrouter), clock)
    await running.after(0)

    offers = running.live.current.edition.models["gpt-1"].offers
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
    make: Make, clock: FakeClock, feed_server: FakeFeedServer, body: bytes
) -> None:
    url = feed_server.publish("/map", litellm_body(LIVE))
    running = await started(make(url), clock)
    await running.after(0)
    before = running.live.current.edition

    feed_server.publish("/map", body)
    await running.after(2 * DAY)

    assert running.live.current.edition.models == before.models
    assert running.is_stale
    await running.stop()
    assert set((await make(url).open()).current.edition.models) == set(LIVE)


async def test_a_feed_that_fails_is_tried_again_later_and_later(
    make: Make, clock: FakeClock, feed_server: FakeFeedServer
) -> None:
    url = feed_server.publish("/map", b"gone", status=404)

    running = await started(make(url), clock)
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
    make: Make, clock: FakeClock, feed_server: FakeFeedServer
) -> None:
    url = feed_server.publish("/map", litellm_body(LIVE))
    first = await started(make(url), clock)
    await first.after(0)
    await first.stop()
    await feed_server.stop()
    await clock.advance(60)

    second = await started(make(url), clock)

    assert second.models == set(LIVE)
    assert not second.is_stale
    assert second.live.current.edition.version > first.live.current.edition.version
    await second.after(DAY)
    assert (second.models, second.is_stale) == (set(LIVE), True)
    await second.stop()


async def test_a_copy_from_before_the_seed_gives_way_to_it(make: Make, tmp_path: Path) -> None:
    old_clock = FakeClock(START - timedelta(days=400))
    path = tmp_path / "map.json"
    path.write_bytes(litellm_body(LIVE))
    async with FeedDownloader(old_clock) as old_downloader:
        old = sync_of(tmp_path, old_clock, old_downloader, seed=SEED, litellm_url=path.as_uri())
        running = await started(old, old_clock)
        await running.after(0)
        await running.stop()
    assert running.models == set(LIVE)

    live = await make(litellm_url=path.as_uri()).open()

    assert set(live.current.edition.models) == set(SEED)


async def test_what_has_not_changed_is_confirmed_and_not_published_again(
    make: Make, clock: FakeClock, feed_server: FakeFeedServer
) -> None:
    url = feed_server.publish("/map", litellm_body(LIVE), etag='"1"')
    running = await started(make(url), clock)
    await running.after(0)
    version = running.live.current.edition.version

    await running.after(DAY / 4)

    assert running.live.current.edition.version == version
    await running.after(DAY)
    assert [request.headers.get("if-none-match") for request in feed_server.requests] == [
        None,
        '"1"',
    ]
    assert not running.is_stale
    await running.stop()


async def test_r1_an_offer_is_deprecated_at_midnight_without_any_feed(
    make: Make, clock: FakeClock, feed_server: FakeFeedServer
) -> None:
    ending = LIVE | {"gpt-1": chat("openai", deprecation_date="2026-11-03")}
    url = feed_server.publish("/map", litellm_body(ending))
    running = await started(make(url), clock)
    await running.after(0)
    assert states(running, "gpt-1") == [State.ACTIVE]

    await running.after((24 - START.hour) * 3600 - START.minute * 60)

    assert clock.now().date().isoformat() == "2026-11-03"
    assert states(running, "gpt-1") == [State.DEPRECATED]
    assert len(feed_server.requests) == 1
    await running.stop()


async def test_a_disk_that_takes_nothing_does_not_spoil_what_was_read(
    clock: FakeClock, downloader: FeedDownloader, feed_server: FakeFeedServer, tmp_path: Path
) -> None:
    in_the_way = tmp_path / "a file where the folder should be"
    in_the_way.write_text("")
    url = feed_server.publish("/map", litellm_body(LIVE))

    running = await started(
        sync_of(in_the_way, clock, downloader, seed=SEED, litellm_url=url), clock
    )
    await running.after(0)

    assert running.models == set(LIVE)
    await running.stop()


async def test_a_damaged_copy_is_no_obstacle(
    make: Make, clock: FakeClock, feed_server: FakeFeedServer, tmp_path: Path
) -> None:
    url = feed_server.publish("/map", litellm_body(LIVE))
    running = await started(make(url), clock)
    await running.after(0)
    await running.stop()
    damage(tmp_path)

    live = await make(url).open()

    assert set(live.current.edition.models) == set(SEED)


async def test_sources_that_are_switched_off_are_never_read(make: Make, clock: FakeClock) -> None:
    running = await started(make(), clock)

    await running.after(3 * DAY)

    assert running.models == set(SEED)
    assert running.is_stale
    await running.stop()
