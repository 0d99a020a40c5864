"""What commands print: tables for people, JSON for programs, money exact in both."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any, Protocol

import orjson
import typer
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from steelyard_common.money import usd_text

UNITS_PER_1M = 1_000_000
NANOS = 1_000_000_000
UNKNOWN = "-"


class EnumNames(Protocol):
    """A generated enum, as far as its names go."""

    def Name(self, number: Any) -> str:
        """Return the name of a value."""


def label(names: EnumNames, number: int, prefix: str) -> str | None:
    """Return `chat` for MODE_CHAT with the prefix `MODE_`; None for the unspecified value."""
    return names.Name(number).removeprefix(prefix).lower() if number else None


def day_if(message: Any, field: str) -> date | None:
    """Return a Date field, None when it is unset or names no whole day."""
    if not message.HasField(field):
        return None
    value: Date = getattr(message, field)
    try:
        return date(value.year, value.month, value.day)
    except ValueError:
        return None


def moment_if(message: Any, field: str) -> datetime | None:
    """Return a Timestamp field in UTC, None when it is unset."""
    if not message.HasField(field):
        return None
    timestamp: Timestamp = getattr(message, field)
    return timestamp.ToDatetime(tzinfo=UTC)


def moment_text(message: Any, field: str) -> str:
    """Return a Timestamp field to the minute in UTC, for people."""
    moment = moment_if(message, field)
    return UNKNOWN if moment is None else f"{moment:%Y-%m-%d %H:%M}"


def seconds_if(message: Any, field: str) -> float | None:
    """Return a Duration field in seconds, None when it is unset."""
    if not message.HasField(field):
        return None
    duration: Duration = getattr(message, field)
    return duration.seconds + duration.nanos / NANOS


def print_json(content: Any) -> None:
    """Print one document."""
    typer.echo(orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z))


def print_json_line(content: Any) -> None:
    """Print one document of a stream of them."""
    typer.echo(orjson.dumps(content, option=orjson.OPT_UTC_Z))


def usd(picodollars: int | None) -> orjson.Fragment | None:
    """Return an amount for JSON: an exact number, null where there is none."""
    return None if picodollars is None else orjson.Fragment(usd_text(picodollars))


def money(picodollars: int | None) -> str:
    """Return an amount for people."""
    return UNKNOWN if picodollars is None else f"${usd_text(picodollars)}"


def per_1m(picodollars: int | None) -> str:
    """Return a price per unit as one of a million, for people."""
    return money(None if picodollars is None else picodollars * UNITS_PER_1M)


def print_facts(facts: Mapping[str, str]) -> None:
    """Print names and values below each other."""
    table = Table.grid(padding=(0, 2))
    for name, value in facts.items():
        table.add_row(f"[dim]{name}[/dim]", escape(value))
    _console().print(table)


def print_table(
    headings: Iterable[str], rows: Iterable[Iterable[str]], *, title: str | None = None
) -> None:
    """Print rows; headings that end in `>` are of columns to be aligned right."""
    table = Table(title=title, title_justify="left", header_style="bold", box=None, pad_edge=False)
    for heading in headings:
        right = heading.endswith(">")
        table.add_column(heading.rstrip(">"), justify="right" if right else "left")
    for row in rows:
        # What services say is text, not markup.
        table.add_row(*map(escape, row))
    _console().print(table)


def print_line(text: str = "") -> None:
    _console().print(text)


def _console() -> Console:
    console = Console(highlight=False)
    # Into a pipe, a row is a line.
    return console if console.is_terminal else Console(highlight=False, width=240)
