"""Whether the body of a feed may be what it should be, before anybody parses it."""

import json
import zlib

from steelyard_common.feed import Feed, FeedCause, FeedError, FeedFormat

_GZIP_WINDOW = 16 + zlib.MAX_WBITS
_JSON_ENDS = {b"{": b"}", b"[": b"]"}
_WHITESPACE = b" \t\r\n"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Decoder:
    """Collects a body, decompressing it, and stops as soon as it is too large."""

    def __init__(self, feed: Feed, content_encoding: str) -> None:
        encoding = content_encoding.strip().lower()
        if encoding not in {"", "identity", "gzip", "x-gzip"}:
            raise FeedError(
                FeedCause.CONTENT_ENCODING, f"{feed.name} comes in an encoding not asked for"
            )
        self._feed = feed
        self._inflate = zlib.decompressobj(_GZIP_WINDOW) if "gzip" in encoding else None
        self._body = bytearray()

    def feed(self, chunk: bytes) -> None:
        """Take one piece of the body as it came over the wire."""
        self._body += chunk if self._inflate is None else self._inflated(chunk, self._inflate)
        if len(self._body) > self._feed.max_bytes:
            raise FeedError(
                FeedCause.TOO_LARGE,
                f"{self._feed.name} is larger than {self._feed.max_bytes} bytes",
            )

    def finish(self) -> bytes:
        """Return the whole body."""
        if self._inflate is not None and not self._inflate.eof:
            raise FeedError(FeedCause.TRUNCATED, f"the gzip stream of {self._feed.name} is cut off")
        return bytes(self._body)

    def _inflated(self, chunk: bytes, inflate: "zlib._Decompress") -> bytes:
        room = self._feed.max_bytes - len(self._body) + 1
        try:
            data = inflate.decompress(chunk, room)
        except zlib.error:
            raise FeedError(
                FeedCause.CONTENT_ENCODING, f"{self._feed.name} is not valid gzip"
            ) from None
        if inflate.unused_data:
            raise FeedError(
                FeedCause.CONTENT_ENCODING, f"{self._feed.name} has data after its gzip stream"
            )
        return data


def check_media_type(feed: Feed, content_type: str) -> None:
    """Refuse what declares itself to be something else; no declaration is fine.

    Raises:
        FeedError: It is not JSON or plain text.
    """
    media_type = content_type.partition(";")[0].strip().lower()
    text_like = media_type.startswith("text/") and media_type != "text/html"
    json_like = media_type.endswith(("/json", "+json"))
    xml_like = media_type.endswith(("/xml", "+xml")) and media_type != "application/xhtml+xml"
    # Object stores do not always know what they hold.
    unknown = media_type in {"", "application/octet-stream", "binary/octet-stream"}
    acceptable = text_like or json_like or unknown or (xml_like and feed.format is FeedFormat.TEXT)
    if not acceptable:
        raise FeedError(FeedCause.CONTENT_TYPE, f"{feed.name} is {media_type}, not a feed")


def check_content(feed: Feed, body: bytes) -> None:
    """Refuse bodies that cannot be the feed: too small, not UTF-8, a web page, cut off.

    Raises:
        FeedError: Says which.
    """
    if len(body) < feed.min_bytes:
        raise FeedError(
            FeedCause.TOO_SMALL, f"{feed.name} has {len(body)} bytes, less than {feed.min_bytes}"
        )
    text = _utf8(feed, body).removeprefix(_BYTE_ORDER_MARK).strip(_WHITESPACE)
    start = text[:256].lower()
    if start.startswith(b"<") and (feed.format is FeedFormat.JSON or _is_page(start)):
        raise FeedError(FeedCause.CONTENT_TYPE, f"{feed.name} is a web page, not a feed")
    if feed.format is FeedFormat.JSON:
        _check_json_ends(feed, text)


def _utf8(feed: Feed, body: bytes) -> bytes:
    guessed = json.detect_encoding(body) if feed.may_be_utf16 else "utf-8"
    encoding = guessed if guessed.startswith("utf-16") else "utf-8"
    try:
        text = body.decode(encoding)
    except UnicodeDecodeError:
        raise FeedError(FeedCause.NOT_UTF8, f"{feed.name} is not UTF-8") from None
    return body if encoding == "utf-8" else text.encode()


def _is_page(start: bytes) -> bool:
    return start.startswith((b"<!doctype html", b"<html")) or b"<html" in start


def _check_json_ends(feed: Feed, text: bytes) -> None:
    """Catch bodies cut off by a wrong Content-Length: HTTP cannot tell those."""
    end = _JSON_ENDS.get(text[:1])
    if end is None:
        raise FeedError(FeedCause.PARSE, f"{feed.name} is not a JSON object or list")
    if not text.endswith(end):
        raise FeedError(FeedCause.TRUNCATED, f"{feed.name} ends in the middle of its JSON")
