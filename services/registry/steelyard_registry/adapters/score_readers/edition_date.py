"""Of when a body is."""

import re
from collections.abc import Iterator
from datetime import UTC, date
from email.utils import parsedate_to_datetime
from urllib.parse import unquote, urlsplit

from steelyard_catalog.json_text import CatalogueFormatError, read_json
from steelyard_registry.adapters.score_readers.bodies import is_json, read_table, unpacked

_FIELD = "updated_at"
# No leaderboard of language models is older; what says so is a default or a mistake.
_FIRST_DAY = date(2020, 1, 1)
_START_OF_TIME = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?=[T ]|$)", re.ASCII)
_SNAPSHOT = re.compile(
    rb"[a-zA-Z][\w.]{0,40}(?:-[\w.]{1,40}){0,8}?-(20\d{2})-?(\d{2})-?(\d{2})(?![\d])", re.ASCII
)
_IN_NAME = re.compile(r"(?<!\d)(20\d{2})([-_]?)(\d{2})\2(\d{2})(?!\d)", re.ASCII)


def edition_date_of(url: str, last_modified: str | None, body: bytes, fetched: date) -> date:
    """Return the day that a body is of, never later than `fetched`.

    The newest `updated_at` in the body counts first, then a date in the file name of the URL
    (`2025-12-11`, `2026_01_08`, `20251211`), then the header. A body without any of them may be
    old when it is fetched for the first time: it counts as of the newest snapshot of a model that
    it names, which in real editions is one to six weeks before; only then as of the day it was
    fetched. A date in the future, or before there were such tables, is not believed.

    Args:
        url: Where the body is from.
        last_modified: Value of that header, when there is one.
        body: As fetched, perhaps gzip; what is in it may be anything.
        fetched: Day in UTC.
    """
    for days in (
        _days_in_body(body),
        _days_in_name(url),
        _days_of_header(last_modified),
        _days_of_snapshots(body),
    ):
        believed = [day for day in days if _FIRST_DAY <= day <= fetched]
        if believed:
            return max(believed)
    return fetched


def _days_in_body(body: bytes) -> Iterator[date]:
    try:
        plain = unpacked(body)
        # Spares the large bodies that have no such field.
        if _FIELD.encode() not in plain:
            return
        if is_json(plain):
            document = read_json(plain)
            texts = iter([document.get(_FIELD)] if isinstance(document, dict) else [])
        else:
            texts = (row.get(_FIELD) for row in read_table(plain, [_FIELD]).rows)
        for text in texts:
            match = _START_OF_TIME.match(text) if isinstance(text, str) else None
            if match:
                yield from _days(*match.groups())
    except CatalogueFormatError:
        # Whoever reads the scores says what is wrong with it.
        return


def _days_in_name(url: str) -> Iterator[date]:
    try:
        name = unquote(urlsplit(url).path).rpartition("/")[2]
    except ValueError:
        return
    for match in _IN_NAME.finditer(name):
        yield from _days(match[1], match[3], match[4])


def _days_of_snapshots(body: bytes) -> Iterator[date]:
    """Return the days in names like `claude-opus-4-5-20251101` and `gpt-4o-2024-08-06`."""
    try:
        plain = unpacked(body)
    except CatalogueFormatError:
        return
    for match in set(_SNAPSHOT.findall(plain)):
        yield from _days(*(part.decode() for part in match))


def _days_of_header(last_modified: str | None) -> Iterator[date]:
    try:
        moment = parsedate_to_datetime(last_modified) if last_modified else None
        if moment is not None:
            yield (moment.astimezone(UTC) if moment.tzinfo else moment).date()
    except (ValueError, TypeError, OverflowError):
        return


def _days(year: str, month: str, day: str) -> Iterator[date]:
    try:
        yield date(int(year), int(month), int(day))
    except ValueError:
        return
