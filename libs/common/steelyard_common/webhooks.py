"""Signed messages to a URL that an operator names, as in the Standard Webhooks specification.

Beside `feeds.py` and `provider_probe_http.py` the only module of the control plane that imports
httpx. The URL may hold a token: it is in no error, no log line and no representation.
"""

import asyncio
import base64
import binascii
import hmac
import ipaddress
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Self
from urllib.parse import urlsplit

import httpx

from steelyard_common.clock import Clock

TIMEOUT_SECONDS = 10.0
CONNECT_SECONDS = 5.0
MAX_ANSWER_BYTES = 64 * 1024
"""Read of a body, so that the connection can be used again; what it says is ignored."""

MAX_URL_LENGTH = 2048
MIN_SECRET_LENGTH = 24
"""Characters of a plain secret; bytes of an encoded one."""

SECRET_PREFIX = "whsec_"  # noqa: S105 - says that base64 follows
USER_AGENT = "steelyard/0.1 (+webhook)"

__all__ = ["WebhookAnswer", "WebhookSender", "WebhookTarget", "check_webhook_url", "webhook_key"]


@dataclass(frozen=True, slots=True)
class WebhookTarget:
    """Where messages go, and what they are signed with."""

    url: str = field(repr=False)
    key: bytes = field(repr=False)

    @classmethod
    def of(cls, url: str, secret: str) -> Self:
        """Return the target of a URL and a secret as people write them.

        Raises:
            ValueError: One of them cannot be used. The message quotes neither.
        """
        check_webhook_url(url)
        return cls(url, webhook_key(secret))


@dataclass(frozen=True, slots=True)
class WebhookAnswer:
    """How one attempt ended."""

    status: int | None
    """None without an answer."""
    problem: str = ""
    """One sentence for people; empty when the message was taken."""

    @property
    def is_taken(self) -> bool:
        """Whether the receiver has the message."""
        return not self.problem

    @property
    def is_refused_for_good(self) -> bool:
        """Whether trying again is pointless: the receiver says that it is gone."""
        return self.status == HTTPStatus.GONE


class WebhookSender:
    """Sends to one target; use as an async context manager, one for the process."""

    def __init__(
        self, target: WebhookTarget, clock: Clock, *, timeout_seconds: float = TIMEOUT_SECONDS
    ) -> None:
        """Take where to send.

        Args:
            target: URL and key.
            clock: Dates the messages.
            timeout_seconds: Of one attempt, from connecting to the end of the answer.
        """
        self._target = target
        self._clock = clock
        self._timeout_seconds = timeout_seconds
        self._resources = AsyncExitStack()
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(timeout_seconds, connect=min(timeout_seconds, CONNECT_SECONDS)),
            follow_redirects=False,
            # An operator's proxy is for the world, not for loopback.
            trust_env=not _is_loopback(urlsplit(target.url).hostname or ""),
            limits=httpx.Limits(max_connections=8, keepalive_expiry=5),
        )

    async def __aenter__(self) -> Self:
        self._resources.push_async_callback(self._client.aclose)
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._resources.aclose()

    async def send(self, delivery_id: str, body: bytes) -> WebhookAnswer:
        """Make one attempt and say how it ended.

        Args:
            delivery_id: Stays the same over attempts, so that receivers can tell repeats.
            body: JSON.
        """
        status: int | None = None
        problem = ""
        try:
            async with (
                asyncio.timeout(self._timeout_seconds),
                self._client.stream(
                    "POST",
                    self._target.url,
                    content=body,
                    headers=self._headers(delivery_id, body),
                ) as response,
            ):
                status = response.status_code
                await _skip(response)
        except (TimeoutError, httpx.TimeoutException):
            problem = f"no answer within {self._timeout_seconds:g} s"
        except httpx.HTTPError as error:
            # Its message may quote the URL.
            problem = f"no connection: {type(error).__name__}"
        self._client.cookies.clear()
        # The status decides: what happens to the body after it does not matter.
        return WebhookAnswer(None, problem) if status is None else _answer(status)

    def _headers(self, delivery_id: str, body: bytes) -> dict[str, str]:
        timestamp = int(self._clock.now().timestamp())
        return {
            "content-type": "application/json",
            "accept-encoding": "identity",
            "user-agent": USER_AGENT,
            "webhook-id": delivery_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": _signature(self._target.key, delivery_id, timestamp, body),
        }


def check_webhook_url(url: str) -> None:
    """Check a URL for messages: https, or http to this machine.

    Raises:
        ValueError: It cannot be used. The message does not quote it.
    """
    if len(url) > MAX_URL_LENGTH or not url.isascii() or not url.isprintable() or " " in url:
        raise ValueError(f"must have at most {MAX_URL_LENGTH} characters, ASCII and no space")
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port, httpx.URL(url)
    except (ValueError, httpx.InvalidURL):
        raise ValueError("is not a URL") from None
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not contain a user or password")
    if not host or (parts.scheme != "https" and not _is_local_http(parts.scheme, host)):
        raise ValueError("must start with https://, or with http:// for this machine")


def webhook_key(secret: str) -> bytes:
    """Return the key that a secret stands for: base64 after `whsec_`, else its own characters.

    Raises:
        ValueError: It is too short or not base64. The message does not quote it.
    """
    if secret.startswith(SECRET_PREFIX):
        try:
            key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
        except (binascii.Error, ValueError):
            raise ValueError(f"must be base64 after {SECRET_PREFIX}") from None
        if len(key) < MIN_SECRET_LENGTH:
            raise ValueError(f"must hold at least {MIN_SECRET_LENGTH} bytes")
        return key
    if len(secret) < MIN_SECRET_LENGTH:
        raise ValueError(f"must have at least {MIN_SECRET_LENGTH} characters")
    return secret.encode()


def _signature(key: bytes, delivery_id: str, timestamp: int, body: bytes) -> str:
    signed = b".".join((delivery_id.encode(), str(timestamp).encode(), body))
    return f"v1,{base64.b64encode(hmac.digest(key, signed, 'sha256')).decode()}"


async def _skip(response: httpx.Response) -> None:
    received = 0
    async for chunk in response.aiter_raw():
        received += len(chunk)
        if received > MAX_ANSWER_BYTES:
            return


def _answer(status: int) -> WebhookAnswer:
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return WebhookAnswer(status)
    return WebhookAnswer(status, f"the receiver answered {status}")


def _is_local_http(scheme: str, host: str) -> bool:
    return scheme == "http" and _is_loopback(host)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
