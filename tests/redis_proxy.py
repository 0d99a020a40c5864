"""A way to a Redis that can be slow, closed, or answer something of its own."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self

CHUNK_BYTES = 65_536


@dataclass(slots=True, kw_only=True)
class RedisProxy:
    """Passes bytes on to a server on this machine; an async context manager."""

    target_port: int
    latency_seconds: float = 0.0
    """Added to each answer."""
    is_closed: bool = False
    """Connections are accepted and cut at once."""
    scripted: dict[bytes, bytes] = field(default_factory=dict)
    """Answers to requests that have some bytes in them, instead of the server's."""
    loses_answers_to: bytes | None = None
    """Requests that have these bytes in them are passed on, and nothing comes back any more."""
    connection_count: int = 0
    request_bytes: bytearray = field(default_factory=bytearray)
    _arrived: asyncio.Event = field(default_factory=asyncio.Event)
    _server: asyncio.Server | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def close(self) -> None:
        """Cut all connections, and new ones at once."""
        self.is_closed = True
        for task in self._tasks:
            task.cancel()

    async def has_seen(self, text: bytes, times: int) -> None:
        """Return once a text was in requests so many times."""
        while self.request_bytes.count(text) < times:
            self._arrived.clear()
            await self._arrived.wait()

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"redis://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/0"

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connection_count += 1
        try:
            if not self.is_closed:
                await self._serve(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass  # one side went away, or the test is over
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream, requests = await asyncio.open_connection("127.0.0.1", self.target_port)
        answers = asyncio.create_task(self._pass_answers(upstream, writer))
        try:
            while chunk := await reader.read(CHUNK_BYTES):
                self.request_bytes += chunk
                self._arrived.set()
                answer = next((self.scripted[key] for key in self.scripted if key in chunk), None)
                if self.loses_answers_to is not None and self.loses_answers_to in chunk:
                    answers.cancel()
                if answer is None:
                    requests.write(chunk)
                else:
                    writer.write(answer)
        finally:
            answers.cancel()
            requests.close()

    async def _pass_answers(
        self, upstream: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        with suppress(OSError):
            while chunk := await upstream.read(CHUNK_BYTES):
                await asyncio.sleep(self.latency_seconds)
                writer.write(chunk)
        writer.close()
