"""Cancelled transactions end at once and whole, on real SQLite files."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy

from steelyard_common.database import Database
from steelyard_common.errors import OverloadedError
from steelyard_common.migrations import Migration
from tests.common.cancelling import cancel_at

CREATE = Migration(("CREATE TABLE note (text TEXT)",))
INSERT = sqlalchemy.text("INSERT INTO note (text) VALUES (:text)")
SELECT = sqlalchemy.text("SELECT text FROM note")
# Long enough that a cancellation always finds it running.
SLOW = sqlalchemy.text(
    "INSERT INTO note (text) WITH RECURSIVE step (n) AS"
    " (SELECT 1 UNION ALL SELECT n + 1 FROM step WHERE n < 100000)"
    " SELECT 'slow' || max(n) FROM step"
)
SLOW_SELECT = sqlalchemy.text(
    "WITH RECURSIVE step (n) AS"
    " (SELECT 1 UNION ALL SELECT n + 1 FROM step WHERE n < 100000) SELECT max(n) FROM step"
)
MOST_WAITS = 50


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = await Database.open("notes", data_dir=tmp_path, migrations=[CREATE])
    yield database
    await database.close()


async def add_quickly(database: Database) -> None:
    async with database.write() as connection:
        await connection.execute(INSERT, {"text": "half"})
        await connection.execute(INSERT, [{"text": "half"}] * 50)


async def add_slowly(database: Database) -> None:
    async with database.write() as connection:
        await connection.execute(SLOW)
        await connection.execute(SLOW)


async def look_slowly(database: Database) -> None:
    async with database.read() as connection:
        await connection.execute(SLOW_SELECT)
        await connection.execute(SELECT)


def contents(path: Path) -> list[str]:
    """Return the notes as another process sees them that would not wait for a lock."""
    other = sqlite3.connect(path / "notes.db", isolation_level=None, timeout=0)
    try:
        other.execute("BEGIN IMMEDIATE")
        return [text for (text,) in other.execute("SELECT text FROM note")]
    finally:
        other.close()


async def write_alone(database: Database) -> None:
    """Write with nothing else going on; a lock that is left makes it fail."""
    async with database.write() as connection:
        await connection.execute(sqlalchemy.text("DELETE FROM note"))
        await connection.execute(INSERT, {"text": "whole"})


@pytest.mark.parametrize("times", [1, 2, 3])
@pytest.mark.parametrize(("add", "rows"), [(add_quickly, 51), (add_slowly, 2)])
async def test_a_write_cancelled_anywhere_is_done_or_undone_and_frees_the_database(
    database: Database,
    tmp_path: Path,
    add: Callable[[Database], Coroutine[Any, Any, None]],
    rows: int,
    times: int,
) -> None:
    outcomes = set()
    for wait in range(MOST_WAITS):
        if not await cancel_at(add(database), wait, times=times):
            break
        outcomes.add(len(contents(tmp_path)))
        await write_alone(database)
        assert contents(tmp_path) == ["whole"]
    else:
        pytest.fail(f"a write waits more than {MOST_WAITS} times")
