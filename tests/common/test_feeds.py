"""Feeds from a real HTTP server that misbehaves in every way we know of."""

import gzip
import hashlib
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from steelyard_common.feed import (
    Feed,
    FeedCause,
    FeedCopy,
    FeedError,
    FeedFormat,
    FetchPolicy,
    NotModified,
)
from steelyard_common.feeds import FeedDownloader
from tests.fakes import FakeClock, FakeFeedServer

BODY = b'{"gpt-4o": {"input_cost_per_token": 2.5e-06}}'
POLICY = FetchPolicy(total_seconds=5, first_wait_seconds=0, max_wait_seconds=0)


@pytest.fixture
async def publisher() -> AsyncIterator[FakeFeedServer]:
    async with FakeFeedServer() as server:
        yield server


@pytest.fixture
async def downloader(clock: FakeClock) -> AsyncIterator[FeedDownloader]:
    async with FeedDownloader(clock, POLICY) as downloader:
        yield downloader


async def refused(
    downloader: FeedDownloader, url: str, known: FeedCopy | None = None, **feed: Any
) -> FeedError:
    with pytest.raises(FeedError) as caught:
        await downloader.fetch(Feed(name="prices", url=url, **feed), known)
    return caught.value


async def fetched(downloader: FeedDownloader, url: str, **feed: Any) -> FeedCopy:
    copy = await downloader.fetch(Feed(name="prices", url=url, **feed))
    assert isinstance(copy, FeedCopy)
    return copy


async def test_a_feed_comes_with_everything_needed_to_ask_again(
    publisher: FakeFeedServer, downloader: FeedDownloader, clock: FakeClock
) -> None:
    url = publisher.publish("/p", BODY, etag='"v1"', last_modified="Mon, 02 Nov 2026 08:00:00 GMT")

    copy = await fetched(downloader, url)

    assert copy.body == BODY
    assert (copy.etag, copy.last_modified) == ('"v1"', "Mon, 02 Nov 2026 08:00:00 GMT")
    assert copy.fetched_time == copy.checked_time == clock.now()
    assert copy.sha256 == hashlib.sha256(BODY).hexdigest()


@pytest.mark.parametrize(
    "validator", [{"etag": '"v1"'}, {"last_modified": "Mon, 02 Nov 2026 08:00:00 GMT"}]
)
async def test_an_unchanged_feed_is_not_sent_again(
    publisher: FakeFeedServer,
    downloader: FeedDownloader,
    clock: FakeClock,
    validator: dict[str, str],
) -> None:
    feed = Feed(name="prices", url=publisher.publish("/p", BODY, **validator))
    first = await downloader.fetch(feed)
    assert isinstance(first, FeedCopy)
    await clock.advance(3600)

    second = await downloader.fetch(feed, first)

    assert second == NotModified(first.fetched_time + timedelta(hours=1))


async def test_a_changed_feed_is_sent(
    publisher: FakeFeedServer, downloader: FeedDownloader
) -> None:
    first = await fetched(downloader, publisher.publish("/p", BODY, etag='"v1"'))
    url = publisher.publish("/p", b"[1]", etag='"v2"')

    second = await downloader.fetch(Feed(name="prices", url=url), first)

    assert isinstance(second, FeedCopy)
    assert second.body == b"[1]"


async def test_a_copy_of_another_url_is_no_reason_for_not_modified(
    publisher: FakeFeedServer, downloader: FeedDownloader
) -> None:
    first = await fetched(downloader, publisher.publish("/old", BODY, etag='"v1"'))
    url = publisher.publish("/new", BODY, etag='"v1"')

    assert isinstance(await downloader.fetch(Feed(name="prices", url=url), first), FeedCopy)
    assert "if-none-match" not in publisher.requests[-1].headers


async def test_not_modified_without_asking_is_an_error(
    publisher: FakeFeedServer, downloader: FeedDownloader
) -> None:
    error = await refused(downloader, publisher.publish("/p", b"", status=304))

    assert (error.cause, error.http_status) == (FeedCause.HTTP_STATUS, 304)


@pytest.mark.parametrize("status", [204, 206, 401, 404, 410, 500])
async def test_another_status_is_refused(
    publisher: FakeFeedServer, downloader: FeedDownloader, status: int
) -> None:
    error = await refused(downloader, publisher.publish("/p", b"", status=status))

    assert (error.cause, error.http_status) == (FeedCause.HTTP_STATUS, status)
    assert str(error) == f"prices answered {status}"


async def test_a_passing_failure_is_tried_again(
    publisher: FakeFeedServer, downloader: FeedDownloader
) -> None:
    copy = await fetched(downloader, publisher.publish("/p", BODY, fail_first=2))

    assert copy.body == BODY
    assert len(publisher.requests) == 3


async def test_three_attempts_are_enough(
    publisher: FakeFeedServer, downloader: FeedDownloader
) -> None:
    error = await refused(downloader, publisher.publish("/p", BODY, fail_first=3))

    assert error.http_status == 503
    assert len(publisher.requests) == 3


async def test_a_lasting_failure_is_not_tried_again(
    publisher: FakeFeedServer, downloader: FeedDownloader
) -> None:
    await refused(downloader, publisher.url("/missing"))

    assert len(publisher.requests) == 1


async def test_a_refused_connection_is_named(
    publisher: FakeFeedServer, downloader: FeedDownloader
) -> None:
    url = publisher.publish("/p", BODY)
    await publisher.stop()

    assert (await refused(downloader, url)).cause is FeedCause.CONNECTION


async def test_a_connection_closed_without_an_answer_is_named(
    publisher: FakeFeedServer, downloader: FeedDownloader
) -> None:
    error = await refused(downloader, publisher.publish("/p", BODY, drop_connection=True))

    assert error.cause is FeedCause.TRUNCATED


@pytest.mark.parametrize("hang_after", [0, 10])
async def test_a_slow_loris_is_cut_off_within_the_total_time(
    publisher: FakeFeedServer, clock: FakeClock, hang_after: int
) -> None:
    url = publisher.publish("/p", BODY, hang_after=hang_after)
    policy = replace(POLICY, total_seconds=0.1)

    async with FeedDownloader(clock, policy) as downloader:
        error = await refused(downloader, url)

    assert error.cause is FeedCause.TIMEOUT


@pytest.mark.parametrize("cut_after", [0, 1, len(BODY) // 2, len(BODY) - 1])
async def test_a_broken_off_body_is_refused(
    publisher: FakeFeedServer, downloader: FeedDownloader, cut_after: int
) -> None:
    error = await refused(downloader, publisher.publish("/p", BODY, cut_after=cut_after))

    assert error.cause is FeedCause.TRUNCATED


async def test_a_content_length_below_the_true_one_is_noticed(
    publisher: FakeFeedServer, downloader: FeedDownloader
) -> None:
    url = publisher.publish("/p", BODY, content_length=len(BODY) - 5)

    assert (await refused(downloader, url)).cause is FeedCause.TRUNCATED


async def test_a_content_length_above_the_true_one_is_noticed(
    publisher: FakeFeedServer, downloader: FeedDownloader
) -> None:
    url = publisher.publish("/p", BODY, content_length=len(BODY) + 5)

    assert (await refused(downloader, url)).cause is FeedCause.TRUNCATED


async def test_an_announced_giant_is_refused_unread(
    publisher: FakeFeedServer, downloader: FeedDownloader
) -> None:
    url = publisher.publish("/p", b"[1]", content_length=10**9, hang_after=3)

    assert (await refused(downloader, url)).cause is FeedCause.TOO_LARGE


async def test_an_unannounced_giant_is_refused(
    publisher: FakeFeedServer, downloader: FeedDownloader
) -> None:
    body = b"[" + b" " * 5000 + b"]"
    url = publisher.publish(
        "/p",
        b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body),
        headers={"transfer-encoding": "chunked", "content-length": None},
    )

    assert (await refused(downloader, url, max_bytes=1000)).cause is FeedCause.TOO_LARGE


async def test_a_body_of_exactly_the_limit_is_taken(
    publisher: FakeFeedServer, downloader: FeedDownloader
) -> None:
    url = publisher.publish("/p", BODY)

    assert (await fetched(downloader, url, max_bytes=len(BODY))).body == BODY
    assert (await refused(downloader, url, max_bytes=len(BODY) - 1)).cause is FeedCause.TOO_LARGE


async def test_a_gzip_body_is_unpacked(
    publisher: FakeFeedServer, downloader: FeedDownloader
) -> None:
    url = publisher.publish("/p", gzip.compress(BODY), headers={"content-encoding": "gzip"})

    assert (await fetched(downloader, url)).body == BODY


async def test_a_gzip_bomb_is_refused(
    publisher: FakeFeedServer, downloader: FeedDownloader
) -> None:
    bomb = gzip.compress(b"[" + b" " * 50_000_000 + b"]")
    url = publisher.publish("/p", bomb, headers={"content-encoding": "gzip"})

    assert (await refused(downloader, url, max_bytes=100_000)).cause is FeedCause.TOO_LARGE


@pytest.mark.parametrize(
    ("encoding", "body", "cause"),
    [
        ("gzip", b"not gzip at all", FeedCause.CONTENT_ENCODING),
        ("gzip", gzip.compress(BODY)[:-4], FeedCause.TRUNCATED),
        ("gzip", gzip.compress(BODY) + b"more", FeedCause.CONTENT_ENCODING),
        ("br", BODY, FeedCause.CONTENT_ENCODING),
    ],
    ids=["garbage", "cut off", "trailing data", "not asked for"],
)
async def test_a_broken_encoding_is_refused(
    publisher: FakeFeedServer,
    downloader: FeedDownloader,
    encoding: str,
    body: bytes,
    cause: FeedCause,
) -> None:
    url = publisher.publish("/p", body, headers={"content-encoding": encoding})

    assert (await refused(downloader, url)).cause is cause


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        (b"", FeedCause.TOO_SMALL),
        (b"<!DOCTYPE html><html>sign in</html>", FeedCause.CONTENT_TYPE),
        (b"\n  <html>", FeedCause.CONTENT_TYPE),
        (b'{"a": "\xff\xfe"}', FeedCause.NOT_UTF8),
        ('{"a": 1}'.encode("utf-16"), FeedCause.NOT_UTF8),
        (b"null", FeedCause.PARSE),
        (b"sorry", FeedCause.PARSE),
        (b'{"a": 1', FeedCause.TRUNCATED),
    ],
)
async def test_a_body_that_cannot_be_the_feed_is_refused(
    publisher: FakeFeedServer, downloader: FeedDownloader, body: bytes, cause: FeedCause
) -> None:
    assert (await refused(downloader, publisher.publish("/p", body))).cause is cause


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-16-le", "utf-8", "utf-8-sig"])
async def test_a_feed_may_be_allowed_to_come_in_utf_16(
    publisher: FakeFeedServer, downloader: FeedDownloader, encoding: str
) -> None:
    body = '[{"a": "\N{SNOWMAN}"}]'.encode(encoding)
    url = publisher.publish("/p", body, content_type="application/json;charset=utf-16")

    assert (await fetched(downloader, url, may_be_utf16=True)).body == body


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        ('[{"a": 1'.encode("utf-16"), FeedCause.TRUNCATED),
        ("<html>".encode("utf-16"), FeedCause.CONTENT_TYPE),
        (b"\xff\xfe\x00\xd8", FeedCause.NOT_UTF8),
        ("[1]".encode("utf-32"), FeedCause.NOT_UTF8),
    ],
)
async def test_a_feed_in_utf_16_is_checked_like_others(
    publisher: FakeFeedServer, downloader: FeedDownloader, body: bytes, cause: FeedCause
) -> None:
    url = publisher.publish("/p", body)

    assert (await refused(downloader, url, may_be_utf16=True)).cause is cause


async def test_a_body_below_the_minimum_is_refused(
    publisher: FakeFeedServer, downloader: FeedDownloader
) -> None:
    error = await refused(downloader, publisher.publish("/p", BODY), min_bytes=64 * 1024)

    assert error.cause is FeedCause.TOO_SMALL


@pytest.mark.parametrize(
    "content_type", ["text/html; charset=utf-8", "image/png", "application/pdf"]
)
async def test_another_content_type_is_refused(
    publisher: FakeFeedServer, downloader: FeedDownloader, content_type: str
) -> None:
    url = publisher.publish("/p", BODY, content_type=content_type)

    assert (await refused(downloader, url)).cause is FeedCause.CONTENT_TYPE


@pytest.mark.parametrize(
    "content_type",
    ["application/json; charset=utf-8", "text/plain", "application/vnd.api+json", None],
)
async def test_the_content_types_of_real_publishers_are_taken(
    publisher: FakeFeedServer, downloader: FeedDownloader, content_type: str | None
) -> None:
    url = publisher.publish("/p", BODY, content_type=content_type)

    assert (await fetched(downloader, url)).body == BODY


async def test_text_feeds_may_be_xml_but_not_web_pages(
    publisher: FakeFeedServer, downloader: FeedDownloader
) -> None:
    rss = publisher.publish("/rss", b"<?xml version='1.0'?><rss/>", content_type="text/xml")
    page = publisher.publish("/page", b"<!doctype html><p>", content_type="text/plain")

    assert (await fetched(downloader, rss, format=FeedFormat.TEXT)).body.startswith(b"<?xml")
    error = await refused(downloader, page, format=FeedFormat.TEXT)
    assert error.cause is FeedCause.CONTENT_TYPE


async def test_a_redirect_on_the_same_host_is_followed(
    publisher: FakeFeedServer, downloader: FeedDownloader
) -> None:
    publisher.publish("/new", BODY)

    copy = await fetched(downloader, publisher.publish("/old", b"", redirect_to="/new"))

    assert (copy.body, copy.url) == (BODY, publisher.url("/old"))


@pytest.mark.parametrize(
    "target", ["http://169.254.169.254/latest", "http://localhost:1/p", "file:///etc/passwd"]
)
async def test_a_redirect_to_another_host_is_not_followed(
    publisher: FakeFeedServer, downloader: FeedDownloader, target: str
) -> None:
    error = await refused(downloader, publisher.publish("/p", b"", redirect_to=target))

    assert error.cause is FeedCause.REDIRECT
    assert len(publisher.requests) == 1


async def test_a_redirect_loop_ends(publisher: FakeFeedServer, downloader: FeedDownloader) -> None:
    error = await refused(downloader, publisher.publish("/p", b"", redirect_to="/p"))

    assert error.cause is FeedCause.REDIRECT
    assert len(publisher.requests) == 4


@pytest.mark.parametrize(
    "url", ["ftp://example.org/p", "prices.json", "http://", "https://me:secret@example.org/p"]
)
async def test_an_odd_url_is_refused_without_quoting_it(
    downloader: FeedDownloader, url: str
) -> None:
    error = await refused(downloader, url)

    assert error.cause is FeedCause.URL
    assert "secret" not in str(error)


async def test_a_file_is_a_feed(downloader: FeedDownloader, tmp_path: Path) -> None:
    path = tmp_path / "my prices.json"
    path.write_bytes(BODY)
    feed = Feed(name="prices", url=path.as_uri())

    first = await downloader.fetch(feed)
    assert isinstance(first, FeedCopy)
    assert first.body == BODY
    assert isinstance(await downloader.fetch(feed, first), NotModified)

    path.write_bytes(b"[1, 2]")
    second = await downloader.fetch(feed, first)
    assert isinstance(second, FeedCopy)
    assert second.body == b"[1, 2]"


async def test_a_file_is_checked_like_a_download(
    downloader: FeedDownloader, tmp_path: Path
) -> None:
    path = tmp_path / "prices.json"
    url = path.as_uri()

    assert (await refused(downloader, url)).cause is FeedCause.CONNECTION
    path.write_bytes(b"<html>")
    assert (await refused(downloader, url)).cause is FeedCause.CONTENT_TYPE
    path.write_bytes(BODY)
    assert (await refused(downloader, url, max_bytes=10)).cause is FeedCause.TOO_LARGE
    assert (await refused(downloader, tmp_path.as_uri())).cause is FeedCause.CONNECTION


async def test_a_named_pipe_does_not_hang(downloader: FeedDownloader, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    assert (await refused(downloader, pipe.as_uri())).cause is FeedCause.URL


@pytest.mark.real_data
async def test_the_real_litellm_map_passes(
    publisher: FakeFeedServer, downloader: FeedDownloader, real_data: Path
) -> None:
    body = (real_data / "litellm" / "2026-10-21_v1.106.2.json").read_bytes()
    url = publisher.publish("/p", body, content_type="text/plain; charset=utf-8")

    assert (await fetched(downloader, url, min_bytes=64 * 1024)).body == body
