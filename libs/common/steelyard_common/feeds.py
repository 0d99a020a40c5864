"""Conditional download of untrusted feeds: capped in time and size, checked, typed failures.

Beside `webhooks.py` and `provider_probe_http.py` the only module of the control plane that imports
httpx.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Self
from urllib.parse import unquote, urlsplit

import httpx
import stamina

from steelyard_common.clock import Clock
from steelyard_common.feed import (
    DownloadProgress,
    Feed,
    FeedCause,
    FeedCopy,
    FeedError,
    FeedFormat,
    FetchPolicy,
    NotModified,
)
from steelyard_common.feed_content import Decoder, check_content, check_media_type
from steelyard_common.feed_files import read_file_feed

MAX_REDIRECTS = 3
PROGRESS_BYTES = 64 * 1024
USER_AGENT = "steelyard/0.1 (+feed)"

__all__ = ["FeedDownloader"]


class FeedDownloader:
    """Fetches feeds; use as an async context manager, one for the process."""

    def __init__(self, clock: Clock, policy: FetchPolicy | None = None) -> None:
        self._clock = clock
        self._policy = policy or FetchPolicy()
        self._resources = AsyncExitStack()
        self._clients: dict[bool, httpx.AsyncClient] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._clients.clear()
        await self._resources.aclose()

    async def fetch(
        self,
        feed: Feed,
        known: FeedCopy | None = None,
        *,
        progress: DownloadProgress | None = None,
    ) -> FeedCopy | NotModified:
        """Return the feed, or NotModified when it is still what `known` holds.

        Args:
            feed: What to get.
            known: The last good copy.
            progress: Called after every PROGRESS_BYTES of a download and at its end; not for files.

        Raises:
            FeedError: It could not be had, or is not what a feed looks like; says why.
        """
        if known is not None and known.url != feed.url:
            known = None
        if feed.url.startswith("file:"):
            return await self._fetch_file(feed, known)
        _check_url(feed.url)
        try:
            async with asyncio.timeout(self._policy.total_seconds):
                return await self._fetch_with_retries(feed, known, progress)
        except TimeoutError:
            raise FeedError(
                FeedCause.TIMEOUT,
                f"{feed.name} was not complete after {self._policy.total_seconds:g} s",
            ) from None

    async def _fetch_file(self, feed: Feed, known: FeedCopy | None) -> FeedCopy | NotModified:
        path = Path(unquote(urlsplit(feed.url).path))
        known_etag = known.etag if known else None
        read = await asyncio.to_thread(read_file_feed, feed, path, known_etag)
        if read is None:
            return NotModified(self._clock.now())
        body, etag = read
        check_content(feed, body)
        return self._copy(feed, body, etag=etag, last_modified=None)

    async def _fetch_with_retries(
        self, feed: Feed, known: FeedCopy | None, progress: DownloadProgress | None
    ) -> FeedCopy | NotModified:
        policy = self._policy
        async for attempt in stamina.retry_context(
            on=_is_transient,
            attempts=policy.attempts,
            timeout=None,  # the caller's budget ends it
            wait_initial=policy.first_wait_seconds,
            wait_jitter=policy.first_wait_seconds,
            wait_max=policy.max_wait_seconds,
        ):
            with attempt:
                return await self._fetch_once(feed, known, progress)
        raise AssertionError("stamina gave up without an error")

    async def _fetch_once(
        self, feed: Feed, known: FeedCopy | None, progress: DownloadProgress | None
    ) -> FeedCopy | NotModified:
        url = feed.url
        try:
            for _ in range(MAX_REDIRECTS + 1):
                async with self._client(url).stream(
                    "GET", url, headers=_headers(feed, known)
                ) as response:
                    if response.has_redirect_location:
                        url = _redirected(feed, url, response)
                        continue
                    return await self._received(feed, known, response, progress)
        except httpx.TimeoutException:
            raise FeedError(FeedCause.TIMEOUT, f"{feed.name} did not answer in time") from None
        except httpx.RemoteProtocolError as error:
            raise FeedError(
                FeedCause.TRUNCATED, f"{feed.name} broke off or broke HTTP: {error}"
            ) from None
        except httpx.TransportError as error:
            raise FeedError(
                FeedCause.CONNECTION, f"no connection to {feed.name}: {type(error).__name__}"
            ) from None
        raise FeedError(
            FeedCause.REDIRECT, f"{feed.name} redirects more than {MAX_REDIRECTS} times"
        )

    async def _received(
        self,
        feed: Feed,
        known: FeedCopy | None,
        response: httpx.Response,
        progress: DownloadProgress | None,
    ) -> FeedCopy | NotModified:
        if response.status_code == httpx.codes.NOT_MODIFIED and known is not None:
            return NotModified(self._clock.now())
        if response.status_code != httpx.codes.OK:
            raise FeedError(
                FeedCause.HTTP_STATUS,
                f"{feed.name} answered {response.status_code}",
                http_status=response.status_code,
            )
        check_media_type(feed, response.headers.get("content-type", ""))
        body = await _read(feed, response, progress)
        check_content(feed, body)
        return self._copy(
            feed,
            body,
            etag=response.headers.get("etag"),
            last_modified=response.headers.get("last-modified"),
        )

    def _copy(
        self, feed: Feed, body: bytes, *, etag: str | None, last_modified: str | None
    ) -> FeedCopy:
        now = self._clock.now()
        return FeedCopy(
            url=feed.url,
            body=body,
            sha256=hashlib.sha256(body).hexdigest(),
            etag=etag,
            last_modified=last_modified,
            fetched_time=now,
            checked_time=now,
        )

    def _client(self, url: str) -> httpx.AsyncClient:
        """Return the client for a URL: an operator's proxy is for the world, not for loopback."""
        is_local = urlsplit(url).hostname in {"127.0.0.1", "::1", "localhost"}
        if is_local not in self._clients:
            client = httpx.AsyncClient(
                timeout=httpx.Timeout(
                    self._policy.total_seconds, connect=self._policy.connect_seconds
                ),
                follow_redirects=False,
                trust_env=not is_local,
                limits=httpx.Limits(max_connections=8, keepalive_expiry=5),
            )
            self._clients[is_local] = client
            self._resources.push_async_callback(client.aclose)
        return self._clients[is_local]


def _headers(feed: Feed, known: FeedCopy | None) -> dict[str, str]:
    headers = {
        **feed.headers,
        "accept": "application/json" if feed.format is FeedFormat.JSON else "*/*",
        # Only what Decoder can take apart with a limit.
        "accept-encoding": "gzip",
        "user-agent": USER_AGENT,
    }
    if known is not None and known.etag:
        headers["if-none-match"] = known.etag
    if known is not None and known.last_modified:
        headers["if-modified-since"] = known.last_modified
    return headers


async def _read(feed: Feed, response: httpx.Response, progress: DownloadProgress | None) -> bytes:
    declared = response.headers.get("content-length", "")
    total = int(declared) if declared.isdigit() else None
    if total is not None and total > feed.max_bytes:
        raise FeedError(FeedCause.TOO_LARGE, f"{feed.name} announces {total} bytes")
    decoder = Decoder(feed, response.headers.get("content-encoding", ""))
    chunks: AsyncIterator[bytes] = response.aiter_raw(PROGRESS_BYTES)
    received = 0
    async for chunk in chunks:
        decoder.feed(chunk)
        received += len(chunk)
        if progress is not None:
            progress(received, total)
    return decoder.finish()


def _check_url(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise FeedError(FeedCause.URL, "a feed's URL must be https://, http:// or file://")
    if parts.username or parts.password:
        raise FeedError(FeedCause.URL, "a feed's URL must not contain a user or password")


def _redirected(feed: Feed, url: str, response: httpx.Response) -> str:
    target = response.url.join(response.headers["location"])
    here = httpx.URL(url)
    if (target.scheme, target.host, target.port) != (here.scheme, here.host, here.port):
        raise FeedError(FeedCause.REDIRECT, f"{feed.name} redirects to another host")
    return str(target)


def _is_transient(error: Exception) -> bool:
    return isinstance(error, FeedError) and error.is_transient
