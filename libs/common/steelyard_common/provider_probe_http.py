"""Small calls to providers' APIs: one try, capped in time and size, the key only in a header.

Beside `feeds.py` and `webhooks.py` the only module of the control plane that imports httpx.
"""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Literal, Self
from urllib.parse import urlsplit

import httpx
from pydantic import SecretStr

TOTAL_SECONDS: Final = 10.0
MAX_BODY_BYTES: Final = 64 * 1024
USER_AGENT: Final = "steelyard/0.1 (+probe)"

_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_OURS = (httpx.LocalProtocolError, httpx.UnsupportedProtocol, httpx.ProxyError, httpx.InvalidURL)

__all__ = ["CallFault", "CallFaultError", "ProviderAnswer", "ProviderCall", "ProviderHttp"]


class CallFault(StrEnum):
    """Why there is no answer."""

    REQUEST = "request"
    """It could not be sent from here: nothing that the provider did."""
    CONNECTION = "connection"
    TIMEOUT = "timeout"
    TRUNCATED = "truncated"
    """It broke off."""


class CallFaultError(Exception):
    """There is no whole answer; the message quotes nothing that was sent or received."""

    def __init__(self, fault: CallFault) -> None:
        super().__init__(f"no answer: {fault}")
        self.fault = fault


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderCall:
    """What is sent."""

    method: Literal["GET", "POST"]
    url: str
    """`https://` or `http://`; without secrets."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Without secrets; lower-case names."""
    body: bytes | None = field(default=None, repr=False)
    key_header: str = ""
    """Name of the header that shows the key."""
    key_prefix: str = ""
    """What stands before the key in it."""
    key: SecretStr | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderAnswer:
    """What came back."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    """At most MAX_BODY_BYTES of it; nothing of one that is no success, whose status says all."""
    is_whole: bool
    """Whether that is all of it."""


class ProviderHttp:
    """Calls providers; an async context manager, one for the process. Opens nothing by itself.

    TLS certificates are checked and redirects are not followed. An operator's proxy is for the
    world, not for loopback.
    """

    def __init__(self, *, total_seconds: float = TOTAL_SECONDS) -> None:
        self._total_seconds = total_seconds
        self._resources = AsyncExitStack()
        self._clients: dict[bool, httpx.AsyncClient] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._clients.clear()
        await self._resources.aclose()

    async def send(self, call: ProviderCall) -> ProviderAnswer:
        """Make a call, once.

        Raises:
            CallFaultError: There is no whole answer.
        """
        client = self._client(is_local=_checked_host(call.url) in _LOOPBACK)
        try:
            async with asyncio.timeout(self._total_seconds):
                return await self._send(client, call)
        except (TimeoutError, httpx.TimeoutException):
            fault = CallFault.TIMEOUT
        except _OURS:
            fault = CallFault.REQUEST
        except httpx.TransportError:
            fault = CallFault.CONNECTION
        # Outside of the handler: httpx's errors hold the request, and that holds the key.
        raise CallFaultError(fault)

    async def _send(self, client: httpx.AsyncClient, call: ProviderCall) -> ProviderAnswer:
        async with client.stream(
            call.method, call.url, headers=_headers(call), content=call.body
        ) as response:
            try:
                body, is_whole = await _read(response)
            except httpx.TimeoutException:
                raise
            except httpx.TransportError:
                fault = CallFault.TRUNCATED
            else:
                return ProviderAnswer(
                    status=response.status_code,
                    headers=response.headers,
                    body=body,
                    is_whole=is_whole,
                )
        raise CallFaultError(fault)

    def _client(self, *, is_local: bool) -> httpx.AsyncClient:
        if is_local not in self._clients:
            client = httpx.AsyncClient(
                timeout=self._total_seconds,
                follow_redirects=False,
                trust_env=not is_local,
                limits=httpx.Limits(max_connections=8, keepalive_expiry=5),
            )
            self._clients[is_local] = client
            self._resources.push_async_callback(client.aclose)
        return self._clients[is_local]


def _headers(call: ProviderCall) -> dict[str, str]:
    headers = {
        "accept": "application/json",
        # What is packed could unpack to any size.
        "accept-encoding": "identity",
        "user-agent": USER_AGENT,
        **call.headers,
    }
    if call.key is not None and call.key_header:
        headers[call.key_header] = f"{call.key_prefix}{call.key.get_secret_value()}"
    return headers


async def _read(response: httpx.Response) -> tuple[bytes, bool]:
    """Return the beginning of the body and whether it is all of it."""
    if not response.is_success:
        return b"", False
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk[: MAX_BODY_BYTES + 1 - len(body)]
        if len(body) > MAX_BODY_BYTES:
            return bytes(body[:MAX_BODY_BYTES]), False
    return bytes(body), True


def _checked_host(url: str) -> str:
    """Return the host of a URL that may be called."""
    try:
        parts = urlsplit(url)
        is_usable = parts.port != 0 and parts.username is None and parts.password is None
        host = parts.hostname
    except ValueError:
        host, is_usable = None, False
    if not host or not is_usable or not url.startswith(("https://", "http://")):
        raise CallFaultError(CallFault.REQUEST)
    return host
