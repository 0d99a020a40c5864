"""Texts and times from strangers, made harmless."""

import hashlib
import html
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

MAX_ID: Final = 256
MAX_NAME: Final = 128
MAX_TITLE: Final = 300
MAX_DESCRIPTION: Final = 2000
MAX_URL: Final = 2048
MAX_COMPONENTS: Final = 50

# Of a longer text nobody sees the end, and patterns need not walk it.
_MAX_RAW = 20_000
_TAG = re.compile(r"<[^<>]{0,500}>")
_SPACE = re.compile(r"[\s\x00-\x1f\x7f]+")


def one_line(text: str, maximum: int) -> str:
    """Return a text on one line, without control characters, cut to a length."""
    # Lone surrogates are in no encoding, and databases take no zero byte.
    clean = text[:_MAX_RAW].encode("utf-8", "replace").decode()
    line = _SPACE.sub(" ", clean).strip()
    return line if len(line) <= maximum else f"{line[: maximum - 1]}…"


def plain(text: str, maximum: int = MAX_DESCRIPTION) -> str:
    """Return what a piece of HTML says, on one line."""
    return one_line(html.unescape(_TAG.sub(" ", text[:_MAX_RAW])), maximum)


def bounded_id(text: str) -> str:
    """Return an id of at most `MAX_ID` characters: a hash of what is longer."""
    line = one_line(text, _MAX_RAW)
    return line if len(line) <= MAX_ID else hashlib.sha256(line.encode()).hexdigest()


def web_address(text: str | None) -> str:
    """Return a URL that people may follow, or an empty text."""
    url = one_line(text or "", _MAX_RAW)
    is_good = url.startswith(("https://", "http://")) and len(url) <= MAX_URL and " " not in url
    return url if is_good else ""


def instant(text: str | None) -> datetime | None:
    """Return the time that an ISO 8601 text names, in UTC; None when it names none."""
    if not text:
        return None
    try:
        return _in_utc(datetime.fromisoformat(text.strip()))
    except (ValueError, OverflowError):
        return None


def mail_instant(text: str | None) -> datetime | None:
    """Return the time that a text like `Fri, 02 Jan 2026 02:47:40 GMT` names, in UTC."""
    if not text:
        return None
    try:
        return _in_utc(parsedate_to_datetime(text.strip()))
    except (ValueError, OverflowError, TypeError, IndexError):
        return instant(text)


def epoch_instant(seconds: float | None) -> datetime | None:
    """Return the time that many seconds after 1970; None for zero, which means never."""
    if not seconds:
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _in_utc(time: datetime) -> datetime:
    # Pages that name no zone mean UTC.
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
