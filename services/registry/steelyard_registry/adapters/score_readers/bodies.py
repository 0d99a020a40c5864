"""Bodies from strangers: unpacked within bounds, and told apart."""

import codecs
import csv
import io
import zlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from steelyard_catalog.json_text import CatalogueFormatError, FormatProblem

# The largest real body, a leaderboard of 29 categories, has 1.5 MB.
MAX_BYTES = 32 * 1024 * 1024

Row = Mapping[str, str]

_GZIP_MAGIC = b"\x1f\x8b"
_GZIP_WINDOW = 31


def unpacked(body: bytes) -> bytes:
    """Return the body as it was before gzip, or as it is when it is not packed.

    Raises:
        CatalogueFormatError: It is longer than `MAX_BYTES`, or its gzip stream is broken.
    """
    plain = _inflated(body) if body.startswith(_GZIP_MAGIC) else body
    if len(plain) > MAX_BYTES:
        raise CatalogueFormatError(
            FormatProblem.NOT_AN_OBJECT, f"is longer than {MAX_BYTES // 1024 // 1024} MiB"
        )
    return plain


def is_json(plain: bytes) -> bool:
    """Whether an unpacked body begins as an object or a list of JSON does, not as a table does."""
    start = plain.removeprefix(codecs.BOM_UTF8).lstrip()[:1]
    return start in (b"{", b"[")


@dataclass(frozen=True, slots=True)
class Table:
    """A CSV table that is read while its rows are asked for."""

    columns: tuple[str, ...]
    rows: Iterator[Row]
    """Cells by column; those that a row lacks are left out.

    Raises CatalogueFormatError when what follows is no CSV.
    """


def read_table(plain: bytes, required: Collection[str]) -> Table:
    """Read the head of an unpacked table.

    Args:
        plain: Unpacked body.
        required: Columns that make it a table of this kind.

    Raises:
        CatalogueFormatError: It is not a table in UTF-8, or lacks a required column.
    """
    try:
        text = plain.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CatalogueFormatError(FormatProblem.NOT_JSON, f"is not UTF-8: {error}") from error
    lines = _lines(text)
    columns = tuple(cell.strip() for cell in next(lines, []))
    missing = sorted(set(required) - set(columns))
    if missing:
        raise CatalogueFormatError(
            FormatProblem.NOT_AN_OBJECT, f"has no column {', '.join(missing)}"
        )
    return Table(columns, (dict(zip(columns, cells, strict=False)) for cells in lines if cells))


def _lines(text: str) -> Iterator[list[str]]:
    try:
        yield from csv.reader(io.StringIO(text, newline=""))
    except csv.Error as error:
        raise CatalogueFormatError(FormatProblem.NOT_JSON, f"is not CSV: {error}") from error


def _inflated(body: bytes) -> bytes:
    inflate = zlib.decompressobj(_GZIP_WINDOW)
    try:
        # One byte more than is allowed tells a body of exactly the limit from a longer one.
        plain = inflate.decompress(body, MAX_BYTES + 1)
    except zlib.error as error:
        raise CatalogueFormatError(FormatProblem.NOT_JSON, f"is not gzip: {error}") from error
    if len(plain) <= MAX_BYTES and not inflate.eof:
        raise CatalogueFormatError(FormatProblem.NOT_JSON, "its gzip stream is cut off")
    if inflate.unused_data:
        raise CatalogueFormatError(FormatProblem.NOT_JSON, "has data after its gzip stream")
    return plain
