"""Cancelled transactions end at once and whole, on real SQLite files."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy

from steelyard_common.completion import complete
from steelyard_common.database import READERS, Database
from steelyard_common.migrations import Migration
from tests.common.cancelling import cancel_at

CREATE = Migration(("CREATE TABLE note (text TEXT)",))
INSERT = sqlalchemy.text("INSERT INTO note (text) VALUES (:text)")
DELETE = sqlalchemy.text("DELETE FROM note")
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


async def look(database: Database) -> None:
    async with database.read() as connection:
        await connection.execute(SELECT)


async def clear(database: Database) -> None:
    async with database.write() as connection:
        await connection.execute(DELETE)


def contents(path: Path) -> list[str]:
    """Return the notes as another process sees them that would not wait for a lock."""
    other = sqlite3.connect(path / "notes.db", isolation_level=None, timeout=0)
    try:
        other.execute("BEGIN IMMEDIATE")
        return [text for (text,) in other.execute("SELECT text FROM note")]
    finally:
        other.close()


async def write_alone(database: Database) -> None:
    """Replace what is there by one row; a lock that is left makes it fail."""
    async with database.write() as connection:
        await connection.execute(DELETE)
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
    outcomes: list[int] = []
    while await cancel_at(add(database), len(outcomes), times=times):
        outcomes.append(len(contents(tmp_path)))
        await write_alone(database)
        assert contents(tmp_path) == ["whole"]
        await clear(database)

    assert set(outcomes) == {0, rows}
    assert outcomes == sorted(outcomes)
    assert len(contents(tmp_path)) == rows


@pytest.mark.parametrize("times", [1, 2, 3])
async def test_a_read_cancelled_anywhere_gives_its_connection_back(
    database: Database, times: int
) -> None:
    wait = 0
    while await cancel_at(look_slowly(database), wait, times=times):
        wait += 1
        await write_alone(database)
        # More than there are connections: a lost one would make the last reader wait for ever.
        await asyncio.gather(*(look(database) for _ in range(READERS + 2)))

    assert wait > 0


async def test_readers_and_writers_cancelled_together_leave_no_lock(
    database: Database, tmp_path: Path
) -> None:
    async def go_on(work: Callable[[Database], Coroutine[Any, Any, None]]) -> None:
        while True:
            await work(database)

    for turns in range(0, 400, 20):
        tasks = [asyncio.create_task(go_on(work)) for work in (add_quickly, look) * 3]
        for _ in range(turns):
            await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)

        assert len(contents(tmp_path)) % 51 == 0
        await clear(database)


async def test_a_write_cancelled_while_another_process_writes_leaves_no_lock(
    database: Database, tmp_path: Path
) -> None:
    other = sqlite3.connect(tmp_path / "notes.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    waiting = asyncio.create_task(add_quickly(database))
    for _ in range(20):
        await asyncio.sleep(0)
    waiting.cancel()
    other.execute("ROLLBACK")
    other.close()
    await asyncio.wait({waiting})

    assert waiting.cancelled()
    assert contents(tmp_path) == []


async def test_an_error_of_a_cancelled_commit_is_the_cause_of_the_cancellation() -> None:
    begun = asyncio.Event()
    may_end = asyncio.Event()

    async def fail() -> None:
        begun.set()
        await may_end.wait()
        raise LookupError

    caller = asyncio.create_task(complete(fail()))
    await begun.wait()
    for _ in range(3):
        caller.cancel()
        await asyncio.sleep(0)
    assert not caller.done()
    may_end.set()

    with pytest.raises(asyncio.CancelledError) as caught:
        await caller
    assert isinstance(caught.value.__cause__, LookupError)
