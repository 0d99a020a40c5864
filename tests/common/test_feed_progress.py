"""What a download tells of itself while it runs, from a real HTTP server."""

import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from steelyard_common.feed import Feed, FeedCopy, FeedError, FetchPolicy
from steelyard_common.feeds import FeedDownloader
from tests.fakes import FakeClock, FakeFeedServer

POLICY = FetchPolicy(total_seconds=5, first_wait_seconds=0, max_wait_seconds=0)
LARGE = b'["' + b"x" * 200_000 + b'"]'


@pytest.fixture
async def publisher() -> AsyncIterator[FakeFeedServer]:
    async with FakeFeedServer() as server:
        yield server


@pytest.fixture
async def downloader(clock: FakeClock) -> AsyncIterator[FeedDownloader]:
    async with FeedDownloader(clock, POLICY) as downloader:
        yield downloader


class Steps:
    """What a download told of itself."""

    def __init__(self) -> None:
        self.told: list[tuple[int, int | None]] = []

    def __call__(self, received: int, total: int | None) -> None:
        self.told.append((received, total))


async def test_a_download_tells_how_far_it_is(
    publisher: FakeFeedServer, downloader: FeedDownloader
) -> None:
    steps = Steps()
    feed = Feed(name="prices", url=publisher.publish("/p", LARGE))

    await downloader.fetch(feed, progress=steps)

    size = len(LARGE)
    assert steps.told == [(65_536, size), (131_072, size), (196_608, size), (size, size)]


async def test_a_compressed_download_tells_the_bytes_that_are_sent(
    publisher: FakeFeedServer, downloader: FeedDownloader
) -> None:
    steps = Steps()
    body = gzip.compress(LARGE)
    url = publisher.publish("/p", body, headers={"content-encoding": "gzip"})

    await downloader.fetch(Feed(name="prices", url=url), progress=steps)

    assert steps.told == [(len(body), len(body))]


async def test_a_download_of_unannounced_size_tells_no_total(
    publisher: FakeFeedServer, downloader: FeedDownloader
) -> None:
    steps = Steps()
    chunked = b"%x\r\n%b\r\n0\r\n\r\n" % (len(LARGE), LARGE)
    headers = {"transfer-encoding": "chunked", "content-length": None}
    url = publisher.publish("/p", chunked, headers=headers)

    await downloader.fetch(Feed(name="prices", url=url), progress=steps)

    assert {total for _, total in steps.told} == {None}
    assert steps.told[-1][0] == len(LARGE)


async def test_a_second_try_tells_its_steps_from_the_beginning(
    publisher: FakeFeedServer, downloader: FeedDownloader
) -> None:
    steps = Steps()
    url = publisher.publish("/p", LARGE, cut_after=70_000)

    with pytest.raises(FeedError):
        await downloader.fetch(Feed(name="prices", url=url), progress=steps)

    assert steps.told == [(65_536, len(LARGE))] * POLICY.attempts


async def test_what_is_not_downloaded_tells_no_steps(
    publisher: FakeFeedServer, downloader: FeedDownloader, tmp_path: Path
) -> None:
    steps = Steps()
    path = tmp_path / "prices.json"
    path.write_bytes(LARGE)
    feed = Feed(name="prices", url=publisher.publish("/p", b"{}", etag='"v1"'))
    known = await downloader.fetch(feed)
    assert isinstance(known, FeedCopy)

    await downloader.fetch(Feed(name="prices", url=path.as_uri()), progress=steps)
    await downloader.fetch(feed, known, progress=steps)

    assert steps.told == []
