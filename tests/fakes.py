"""Stand-ins with state, shared by the tests of every service."""

import asyncio
import heapq
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Self

START = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)


class FakeClock:
    """A clock that stands still until the test advances it."""

    def __init__(self, now: datetime = START) -> None:
        self._start = now
        self._elapsed = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._slept = 0
        self._someone_sleeps = asyncio.Event()

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._elapsed)

    def monotonic(self) -> float:
        return self._elapsed

    @property
    def sleeper_count(self) -> int:
        return len(self._sleepers)

    async def sleep(self, seconds: float) -> None:
        """Wait until the test has advanced the clock by `seconds`."""
        wake: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._slept += 1
        heapq.heappush(self._sleepers, (self._elapsed + seconds, self._slept, wake))
        self._someone_sleeps.set()
        await wake

    async def wait_for_sleeper(self) -> None:
        """Return once somebody waits for this clock."""
        while not self._sleepers:
            self._someone_sleeps.clear()
            await self._someone_sleeps.wait()

    async def advance(self, seconds: float) -> None:
        """Move on, waking sleepers in order and letting each run until it waits again."""
        target = self._elapsed + seconds
        while self._sleepers and self._sleepers[0][0] <= target:
            self._elapsed, _, wake = heapq.heappop(self._sleepers)
            if not wake.done():  # a cancelled sleeper is woken for nothing
                wake.set_result(None)
            await _settle()
        self._elapsed = target
        await _settle()


async def _settle() -> None:
    """Let other tasks run as far as they get without real time passing."""
    for _ in range(10):
        await asyncio.sleep(0)


@dataclass(slots=True, kw_only=True)
class FakeFeed:
    """One document of a FakeFeedServer, and how its delivery goes wrong."""

    body: bytes = b"{}"
    content_type: str | None = "application/json"
    status: int = 200
    etag: str | None = None
    """Sent, and honoured: a matching If-None-Match gets 304."""
    last_modified: str | None = None
    """Sent, and honoured likewise."""
    headers: dict[str, str] = field(default_factory=dict)
    redirect_to: str | None = None
    content_length: int | None = None
    """Announced instead of the true length."""
    cut_after: int | None = None
    """Close the connection after so many bytes of the body."""
    hang_after: int | None = None
    """Send nothing more after so many bytes of the body, until the server's `resumed` is set."""
    drop_connection: bool = False
    """Close without an answer."""
    fail_first: int = 0
    """Answer so many requests with 503 before the right one."""


@dataclass(frozen=True, slots=True)
class FakeFeedRequest:
    """A request that a FakeFeedServer got; header names are lower-case."""

    path: str
    headers: dict[str, str]


class FakeFeedServer:
    """An HTTP server on loopback that delivers feeds, well or badly; an async context manager."""

    def __init__(self) -> None:
        self.feeds: dict[str, FakeFeed] = {}
        self.requests: list[FakeFeedRequest] = []
        self.resumed = asyncio.Event()
        """Lets deliveries that hang go on."""
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._base = ""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self._base = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.stop()

    async def stop(self) -> None:
        """Stop listening and cut what is open, as when the publisher goes down."""
        if self._server is not None:
            self._server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def url(self, path: str) -> str:
        return f"{self._base}{path}"

    def publish(self, path: str, body: bytes, **how: Any) -> str:
        """Put a document at `path`; return its URL."""
        self.feeds[path] = FakeFeed(body=body, **how)
        return self.url(path)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            request = await self._read(reader)
            self.requests.append(request)
            await self._answer(self.feeds.get(request.path), request, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client went away, or the test is over
        finally:
            self._connections.discard(task)
            writer.close()

    async def _read(self, reader: asyncio.StreamReader) -> FakeFeedRequest:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        pairs = (line.split(": ", 1) for line in head[1:] if line)
        return FakeFeedRequest(head[0].split(" ")[1], {key.lower(): value for key, value in pairs})

    async def _answer(
        self, feed: FakeFeed | None, request: FakeFeedRequest, writer: asyncio.StreamWriter
    ) -> None:
        if feed is None:
            feed = FakeFeed(status=404, body=b"not here")
        if feed.drop_connection:
            return
        status, body = self._outcome(feed, request)
        writer.write(_head(feed, status, body))
        stop = min(n for n in (feed.cut_after, feed.hang_after, len(body)) if n is not None)
        writer.write(body[:stop])
        await writer.drain()
        if feed.hang_after is not None:
            await self.resumed.wait()
            writer.write(body[stop:])
            await writer.drain()

    def _outcome(self, feed: FakeFeed, request: FakeFeedRequest) -> tuple[int, bytes]:
        if feed.fail_first > 0:
            feed.fail_first -= 1
            return 503, b"later"
        if feed.redirect_to is not None:
            return 302, b""
        known = request.headers.get("if-none-match"), request.headers.get("if-modified-since")
        if (feed.etag and known[0] == feed.etag) or (
            feed.last_modified and known[1] == feed.last_modified
        ):
            return 304, b""
        return feed.status, feed.body


def _head(feed: FakeFeed, status: int, body: bytes) -> bytes:
    headers = {
        "content-type": feed.content_type,
        "content-length": str(len(body) if feed.content_length is None else feed.content_length),
        "etag": feed.etag,
        "last-modified": feed.last_modified,
        "location": feed.redirect_to,
        "connection": "close",
    } | feed.headers
    lines = [f"{key}: {value}" for key, value in headers.items() if value is not None]
    return "\r\n".join([f"HTTP/1.1 {status} Scripted", *lines, "", ""]).encode()
