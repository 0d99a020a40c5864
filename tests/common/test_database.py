"""The database against real SQLite files."""

import asyncio
import sqlite3
import stat
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy
from sqlalchemy.exc import IntegrityError, StatementError

from steelyard_common.columns import UtcDateTime
from steelyard_common.database import Database, DatabaseUnavailableError
from steelyard_common.errors import OverloadedError, StorageFullError
from steelyard_common.migrations import Migration, NewerSchemaError

CREATE = Migration(("CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT, time TIMESTAMP)",))
INDEX = Migration(("CREATE INDEX note_time ON note (time)",))
NOTE = sqlalchemy.table(
    "note",
    sqlalchemy.column("id", sqlalchemy.Integer),
    sqlalchemy.column("text", sqlalchemy.String),
    sqlalchemy.column("time", UtcDateTime()),
)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = await Database.open("notes", data_dir=tmp_path / "data", migrations=[CREATE])
    yield database
    await database.close()


async def add(database: Database, text: str, time: datetime | None = None) -> None:
    async with database.write() as connection:
        await connection.execute(sqlalchemy.insert(NOTE).values(text=text, time=time))


async def texts(database: Database) -> list[str]:
    async with database.read() as connection:
        return list((await connection.execute(sqlalchemy.select(NOTE.c.text))).scalars())


async def test_what_is_written_is_read(database: Database) -> None:
    await add(database, "one")

    assert await texts(database) == ["one"]


async def test_a_failed_write_leaves_nothing(database: Database) -> None:
    async def fail_halfway() -> None:
        async with database.write() as connection:
            await connection.execute(sqlalchemy.insert(NOTE).values(text="half"))
            raise LookupError

    with pytest.raises(LookupError):
        await fail_halfway()

    assert await texts(database) == []


async def test_the_file_is_private(database: Database, tmp_path: Path) -> None:
    await add(database, "one")

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "data").iterdir()}
    assert modes == {"notes.db": 0o600, "notes.db-wal": 0o600, "notes.db-shm": 0o600}


async def test_an_open_file_of_others_is_made_private(tmp_path: Path) -> None:
    (tmp_path / "notes.db").touch(mode=0o644)

    database = await Database.open("notes", data_dir=tmp_path)
    await database.close()

    assert stat.S_IMODE((tmp_path / "notes.db").stat().st_mode) == 0o600


async def test_concurrent_writers_queue_and_lose_nothing(database: Database) -> None:
    async def count_up() -> None:
        async with database.write() as connection:
            count = (
                await connection.execute(sqlalchemy.select(sqlalchemy.func.count(NOTE.c.id)))
            ).scalar_one()
            await asyncio.sleep(0)
            await connection.execute(sqlalchemy.insert(NOTE).values(text=str(count)))

    await asyncio.gather(*(count_up() for _ in range(30)))

    assert sorted(map(int, await texts(database))) == list(range(30))


async def test_readers_are_not_held_up_by_a_writer(database: Database) -> None:
    await add(database, "before")

    async with database.write() as connection:
        await connection.execute(sqlalchemy.insert(NOTE).values(text="during"))

        assert await texts(database) == ["before"]


async def test_a_database_locked_by_another_process_is_overload(
    database: Database, tmp_path: Path
) -> None:
    other = sqlite3.connect(tmp_path / "data" / "notes.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        with pytest.raises(OverloadedError):
            await add(database, "one")
        assert await texts(database) == []
    finally:
        other.close()

    await add(database, "two")
    assert await texts(database) == ["two"]


async def test_a_full_database_is_storage_full_and_still_readable(database: Database) -> None:
    await add(database, "one")

    async def fill() -> None:
        async with database.write() as connection:
            await connection.exec_driver_sql("PRAGMA max_page_count = 1")
            await connection.execute(sqlalchemy.insert(NOTE).values(text="x" * 1_000_000))

    with pytest.raises(StorageFullError):
        await fill()

    assert await texts(database) == ["one"]


async def test_other_database_errors_are_not_hidden(database: Database) -> None:
    async with database.write() as connection:
        await connection.execute(sqlalchemy.insert(NOTE).values(id=1))
    with pytest.raises(IntegrityError):
        async with database.write() as connection:
            await connection.execute(sqlalchemy.insert(NOTE).values(id=1))


async def test_p11_times_are_aware_utc_whatever_zone_they_came_in(database: Database) -> None:
    tokyo = datetime(2026, 11, 2, 9, 0, tzinfo=timezone(timedelta(hours=9)))

    await add(database, "one", tokyo)

    async with database.read() as connection:
        time = (await connection.execute(sqlalchemy.select(NOTE.c.time))).scalar_one()
    assert time == tokyo
    assert time.tzinfo is UTC


async def test_p11_no_time_stays_no_time(database: Database) -> None:
    await add(database, "one", None)

    async with database.read() as connection:
        assert (await connection.execute(sqlalchemy.select(NOTE.c.time))).scalar_one() is None


async def test_r11_a_naive_time_is_refused(database: Database) -> None:
    with pytest.raises(StatementError, match="without a zone"):
        await add(database, "one", datetime(2026, 11, 2))  # noqa: DTZ001


async def test_migrations_run_once_and_in_order(tmp_path: Path) -> None:
    for migrations in ([], [CREATE], [CREATE, INDEX], [CREATE, INDEX]):
        database = await Database.open("notes", data_dir=tmp_path, migrations=migrations)
        await database.close()

    with sqlite3.connect(tmp_path / "notes.db") as connection:
        assert connection.execute("SELECT version FROM schema_version").fetchall() == [(2,)]
    connection.close()


async def test_a_failed_migration_changes_nothing(tmp_path: Path) -> None:
    broken = Migration(("CREATE TABLE extra (id INTEGER)", "CREATE NONSENSE"))
    with pytest.raises(sqlalchemy.exc.OperationalError):
        await Database.open("notes", data_dir=tmp_path, migrations=[CREATE, broken])

    connection = sqlite3.connect(tmp_path / "notes.db")
    assert connection.execute("SELECT name FROM sqlite_master").fetchall() == []
    connection.close()


async def test_tables_of_a_later_version_are_refused(tmp_path: Path) -> None:
    database = await Database.open("notes", data_dir=tmp_path, migrations=[CREATE, INDEX])
    await database.close()

    with pytest.raises(NewerSchemaError, match="version 2, this program knows 1"):
        await Database.open("notes", data_dir=tmp_path, migrations=[CREATE])


async def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(DatabaseUnavailableError, match=r"notes\.db: Not a directory"):
        await Database.open("notes", data_dir=tmp_path / "file" / "data")


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("postgresql://me:hunter2@db/steelyard", "asyncpg, which is not installed"),
        ("mysql://me:hunter2@db/steelyard", "must start with postgresql://"),
        ("hunter2", "is not a URL"),
    ],
)
async def test_an_unusable_url_is_named_without_its_password(
    tmp_path: Path, url: str, problem: str
) -> None:
    with pytest.raises(DatabaseUnavailableError, match=problem) as caught:
        await Database.open("notes", data_dir=tmp_path, url=url)

    assert "hunter2" not in str(caught.value)


async def test_many_may_open_a_new_file_at_once(tmp_path: Path) -> None:
    for number in range(10):
        directory = tmp_path / str(number)
        opened = await asyncio.gather(
            *(Database.open("notes", data_dir=directory) for _ in range(4))
        )
        async with opened[0].read() as connection:
            mode = (await connection.exec_driver_sql("PRAGMA journal_mode")).scalar_one()
        assert mode == "wal"
        for database in opened:
            await database.close()
