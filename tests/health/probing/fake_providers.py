"""Providers on loopback whose health, manners and memory the test sets."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any, Self

from steelyard_health.domain.provider import Provider

COMPLETIONS: dict[str, dict[str, Any]] = {
    "openai": {"choices": [{"message": {"content": "H"}, "finish_reason": "length"}]},
    "anthropic": {"type": "message", "content": [], "stop_reason": "max_tokens"},
    "gemini": {"candidates": [{"finishReason": "MAX_TOKENS"}]},
}


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it came; header names are lower-case."""

    provider: str
    method: str
    path: str
    """Below the provider's base URL."""
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True, kw_only=True)
class FakeProvider:
    """How one provider answers at present."""

    wire_format: str
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    models: bytes = b'{"data": []}'
    completion: bytes | None = None
    """Instead of one of the right shape."""
    drops: bool = False
    """Closes the connection without an answer."""
    hangs: bool = False
    """Answers nothing until the server stops."""
    cut_after: int | None = None
    """Closes the connection after so many bytes of the body."""


class FakeProviders:
    """An HTTP server that plays all providers; an async context manager."""

    def __init__(self) -> None:
        self.played: dict[str, FakeProvider] = {}
        self.providers: dict[str, Provider] = {}
        """As the registry tells of them."""
        self.received: list[Received] = []
        self.connection_count = 0
        self.came = asyncio.Event()
        """Set with each request."""
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    @property
    def origin(self) -> str:
        assert self._server is not None
        host, port = self._server.sockets[0].getsockname()[:2]
        return f"http://{host}:{port}"

    def add(
        self,
        name: str = "acme",
        *,
        wire_format: str = "openai",
        auth_style: str = "bearer",
        key_variables: tuple[str, ...] | None = None,
    ) -> FakeProvider:
        """Let a provider exist, and tell the registry."""
        self.providers[name] = Provider(
            provider=name,
            display_name=name.title(),
            base_url=f"{self.origin}/{name}/v1",
            wire_format=wire_format,
            auth_style=auth_style,
            key_variables=(f"{name.upper()}_API_KEY",) if key_variables is None else key_variables,
        )
        self.played[name] = FakeProvider(wire_format=wire_format)
        return self.played[name]

    def calls(self, kind: str | None = None) -> list[str]:
        """Return who was called and where, of `GET` or `POST` only if asked for."""
        return [
            f"{each.provider}{each.path}" for each in self.received if kind in {None, each.method}
        ]

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        self.connection_count += 1
        try:
            request = await _read(reader)
            self.received.append(request)
            self.came.set()
            await self._answer(request, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client went away, or the test is over
        finally:
            self._connections.discard(task)
            writer.close()

    async def _answer(self, request: Received, writer: asyncio.StreamWriter) -> None:
        played = self.played[request.provider]
        if played.drops:
            return
        if played.hangs:
            await asyncio.Event().wait()
        body = played.models if request.method == "GET" else _completion(played)
        if played.status >= 300:
            body = b'{"error": {"message": "no"}}'
        headers = {"content-length": str(len(body)), "connection": "close", **played.headers}
        lines = [f"{name}: {value}" for name, value in headers.items()]
        writer.write("\r\n".join([f"HTTP/1.1 {played.status} So", *lines, "", ""]).encode())
        writer.write(body if played.cut_after is None else body[: played.cut_after])
        await writer.drain()


def _completion(played: FakeProvider) -> bytes:
    if played.completion is not None:
        return played.completion
    return json.dumps(COMPLETIONS[played.wire_format]).encode()


async def _read(reader: asyncio.StreamReader) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, _ = head[0].split(" ")
    pairs = (line.split(": ", 1) for line in head[1:] if line)
    headers = {name.lower(): value for name, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    _, provider, path = target.split("/", 2)
    return Received(provider, method, "/" + path.removeprefix("v1/"), headers, body)
