"""What a feed is, what a copy of it is, and all the ways in which getting one fails."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from http import HTTPStatus
from typing import Protocol

DEFAULT_MAX_BYTES = 32 * 1024 * 1024

DownloadProgress = Callable[[int, int | None], None]
"""Told the bytes that came so far, as sent (perhaps compressed), and the announced total if any.

A second try starts over.
"""


class FeedCause(StrEnum):
    """Why a feed was refused; the values are for metrics and reports."""

    URL = "url"
    CONNECTION = "connection"
    TIMEOUT = "timeout"
    HTTP_STATUS = "http_status"
    REDIRECT = "redirect"
    TOO_LARGE = "too_large"
    TOO_SMALL = "too_small"
    CONTENT_TYPE = "content_type"
    CONTENT_ENCODING = "content_encoding"
    TRUNCATED = "truncated"
    NOT_UTF8 = "not_utf8"
    PARSE = "parse"
    """The caller could not parse it."""
    INVALID = "invalid"
    """The caller parsed it and found it wrong."""
    SHRUNK = "shrunk"
    """The caller found far less in it than before."""
    STORAGE = "storage"
    """It was fine, but could not be kept."""


_TRANSIENT = frozenset({FeedCause.CONNECTION, FeedCause.TIMEOUT, FeedCause.TRUNCATED})
_TRANSIENT_STATUSES = frozenset(
    {
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)


class FeedError(Exception):
    """A feed could not be had or is not acceptable; the message is one sentence for people."""

    def __init__(self, cause: FeedCause, message: str, *, http_status: int | None = None) -> None:
        super().__init__(message)
        self.cause = cause
        self.http_status = http_status

    @property
    def is_transient(self) -> bool:
        """Whether trying once more may help."""
        return self.cause in _TRANSIENT or self.http_status in _TRANSIENT_STATUSES


class FeedFormat(StrEnum):
    """What a feed's text is."""

    JSON = "json"
    TEXT = "text"
    """CSV, RSS or anything else that is text and not a web page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A document at a URL that somebody else publishes and changes."""

    name: str
    url: str
    """`https://`, `http://` or `file://`."""
    format: FeedFormat = FeedFormat.JSON
    max_bytes: int = DEFAULT_MAX_BYTES
    """Of the body after decompression."""
    min_bytes: int = 1
    may_be_utf16: bool = False
    """Whether UTF-16 is as good as UTF-8; the copy's body is as it came, all the same."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What else to send, such as a key; lower-case names. Never sent to another host."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedCopy:
    """What a feed said at one time."""

    url: str
    body: bytes = field(repr=False)
    sha256: str
    etag: str | None
    last_modified: str | None
    fetched_time: datetime
    checked_time: datetime
    """When the publisher last said that this is the current content."""


@dataclass(frozen=True, slots=True)
class NotModified:
    """The publisher says that the known copy is current: a success."""

    checked_time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchPolicy:
    """How long a download may take, retries included."""

    connect_seconds: float = 5.0
    total_seconds: float = 30.0
    attempts: int = 3
    first_wait_seconds: float = 0.5
    max_wait_seconds: float = 5.0


class FeedReader(Protocol):
    """Downloads a feed, safely."""

    async def fetch(
        self,
        feed: Feed,
        known: FeedCopy | None = None,
        *,
        progress: DownloadProgress | None = None,
    ) -> FeedCopy | NotModified:
        """Return the feed, or NotModified when `known` is current.

        Raises:
            FeedError: It could not be had.
        """
