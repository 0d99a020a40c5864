"""An HTTP server that takes signed messages, well or badly."""

import asyncio
import base64
import hashlib
import hmac
from collections import deque
from dataclasses import dataclass, field
from typing import Self

CHUNK_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True)
class Message:
    """What a receiver got; header names are lower-case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What a receiver says to a message."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    content_length: int | None = None
    """Announced instead of the true length; then the rest never comes."""
    is_silent: bool = False
    """Say nothing at all, until the receiver stops."""


class WebhookReceiver:
    """Gives each message the next answer, 200 when there is none; an async context manager."""

    def __init__(self) -> None:
        self.answers: deque[Answer] = deque()
        self.received: list[Message] = []
        self.sent_bytes = 0
        self.url = ""
        self._asked = asyncio.Event()
        self._connections: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}/hook/T0KEN-in-the-path"
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._connections:
            task.cancel()
        await self.ended()

    async def asked(self) -> None:
        """Wait for the first message."""
        await self._asked.wait()

    async def ended(self) -> None:
        """Wait until no connection is left."""
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            self.received.append(await _read(reader))
            self._asked.set()
            answer = self.answers.popleft() if self.answers else Answer(200)
            await self._answer(answer, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the sender went away, or the test is over
        finally:
            self._connections.discard(task)
            writer.close()

    async def _answer(self, answer: Answer, writer: asyncio.StreamWriter) -> None:
        if answer.is_silent:
            await asyncio.Event().wait()
        length = len(answer.body) if answer.content_length is None else answer.content_length
        headers = {"content-length": str(length), "connection": "close"} | answer.headers
        lines = [f"{key}: {value}" for key, value in headers.items()]
        head = "\r\n".join([f"HTTP/1.1 {answer.status} Scripted", *lines, "", ""])
        writer.write(head.encode())
        for start in range(0, len(answer.body), CHUNK_BYTES):
            writer.write(answer.body[start : start + CHUNK_BYTES])
            await writer.drain()
            self.sent_bytes += CHUNK_BYTES
        if answer.content_length is not None:
            await writer.drain()
            await asyncio.Event().wait()


def is_signed(message: Message, key: bytes) -> bool:
    """Say whether a message is signed with a key, as its receiver finds out."""
    headers = message.headers
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{message.body.decode()}"
    mac = hmac.new(key, signed.encode(), hashlib.sha256).digest()
    return headers["webhook-signature"].split(" ") == [f"v1,{base64.b64encode(mac).decode()}"]


async def _read(reader: asyncio.StreamReader) -> Message:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, path, _ = head[0].split(" ")
    pairs = (line.split(": ", 1) for line in head[1:] if line)
    headers = {key.lower(): value for key, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Message(method, path, headers, body)
