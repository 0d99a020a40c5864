"""One database per service: a SQLite file by default, a PostgreSQL schema when scaled."""

import asyncio
import fcntl
import importlib.util
import os
import sqlite3
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    asynccontextmanager,
    closing,
    contextmanager,
    nullcontext,
)
from pathlib import Path
from typing import Any, Self

import sqlalchemy
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from steelyard_common.completion import complete
from steelyard_common.errors import OverloadedError, StorageFullError
from steelyard_common.migrations import Migration, migrate

BUSY_SECONDS = 2
READERS = 4
_POSTGRES_DRIVER = "asyncpg"
_SQLITE_BUSY, _SQLITE_LOCKED, _SQLITE_FULL = 5, 6, 13
_POSTGRES_FULL = "53100"


class DatabaseUnavailableError(Exception):
    """The database that the settings name cannot be used."""


class Database:
    """Reads run side by side, writes one after the other in this process."""

    def __init__(self, engine: AsyncEngine, *, schema: str) -> None:
        self._engine = engine
        self._schema = schema
        # PostgreSQL locks rows; SQLite has one writer, and queueing beats its busy loop.
        self._writing: AbstractAsyncContextManager[object] = (
            asyncio.Lock() if self.is_sqlite else nullcontext()
        )

    @classmethod
    async def open(
        cls,
        service: str,
        *,
        data_dir: Path,
        url: str | None = None,
        migrations: Sequence[Migration] = (),
    ) -> Self:
        """Return the database of a service, with its tables brought up to date.

        Args:
            service: Names the SQLite file `{service}.db`, or the PostgreSQL schema.
            data_dir: Where SQLite files are.
            url: `postgresql://...`; None means SQLite.
            migrations: What the service's tables are, oldest first.

        Raises:
            DatabaseUnavailableError: The URL or its driver is not usable.
            NewerSchemaError: A later version of the program has written to it.
        """
        if url is None:
            engine = await asyncio.to_thread(_sqlite_engine, data_dir, f"{service}.db")
        else:
            engine = _postgres_engine(url, service)
        database = cls(engine, schema=service)
        try:
            await database._prepare(migrations)
        except BaseException:
            await database.close()
            raise
        return database

    @property
    def is_sqlite(self) -> bool:
        return self._engine.dialect.name == "sqlite"

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection whose statements see one state of the database."""
        with _translated():
            async with self._engine.connect() as connection:
                if not self.is_sqlite:
                    # By default each of its statements would see a state of its own.
                    await connection.execution_options(isolation_level="REPEATABLE READ")
                async with _transaction(connection):
                    yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection inside a transaction: committed at the end, or not at all.

        It has ended, one way or the other, before a cancellation reaches the caller.

        Raises:
            StorageFullError: There is no room.
            OverloadedError: Another process kept the database locked.
        """
        with _translated():
            async with self._writing, self._engine.connect() as connection:
                await connection.execution_options(steelyard_write=True)
                async with _transaction(connection):
                    yield connection

    async def close(self) -> None:
        await self._engine.dispose()

    async def _prepare(self, migrations: Sequence[Migration]) -> None:
        async with self.write() as connection:
            if not self.is_sqlite:
                await connection.execute(
                    sqlalchemy.schema.CreateSchema(self._schema, if_not_exists=True)
                )
            await migrate(connection, migrations)


def _sqlite_engine(data_dir: Path, file_name: str) -> AsyncEngine:
    path = data_dir / file_name
    try:
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        # SQLite gives its -wal and -shm files the mode of the database itself.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
        path.chmod(0o600)
        _use_wal(path)
    except OSError as error:
        problem = os.strerror(error.errno or 0)
        raise DatabaseUnavailableError(f"cannot open {path}: {problem}") from error
    except sqlite3.Error as error:
        raise DatabaseUnavailableError(f"cannot open {path}: {error}") from error
    engine = create_async_engine(
        sqlalchemy.URL.create("sqlite+aiosqlite", database=str(path)),
        pool_size=READERS + 1,
        max_overflow=0,
        connect_args={"timeout": BUSY_SECONDS},
    )
    event.listen(engine.sync_engine, "connect", _configure_sqlite)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    event.listen(engine.sync_engine, "handle_error", _keep_after_cancellation)
    return engine


def _use_wal(path: Path) -> None:
    """Let readers go on beside a writer; the file remembers it.

    Of two that switch a new file at once one fails, whatever the busy timeout: hence in turns.
    """
    directory = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        with closing(sqlite3.connect(path, timeout=BUSY_SECONDS)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
    finally:
        os.close(directory)


def _configure_sqlite(connection: Any, _record: object) -> None:
    # The driver would begin transactions by itself, and too late.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout = {BUSY_SECONDS * 1000}",
        "synchronous = FULL",
        "foreign_keys = ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: sqlalchemy.Connection) -> None:
    # IMMEDIATE: a read that turns into a write fails at once when another writer was faster.
    is_write = connection.get_execution_options().get("steelyard_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_write else "BEGIN")


def _keep_after_cancellation(context: sqlalchemy.engine.ExceptionContext) -> None:
    # Its thread takes our rollback after the statement that still runs. Closed without one, as
    # SQLAlchemy would, SQLite keeps the lock until the last statement object is garbage.
    if isinstance(context.original_exception, asyncio.CancelledError):
        context.is_disconnect = False


@asynccontextmanager
async def _transaction(connection: AsyncConnection) -> AsyncIterator[None]:
    transaction = connection.begin()
    # When the caller is cancelled in here, closing the connection rolls back.
    await complete(transaction.start())
    try:
        yield
        await complete(transaction.commit())
    except BaseException:
        await complete(transaction.close())
        raise


def _postgres_engine(url: str, schema: str) -> AsyncEngine:
    try:
        parsed = sqlalchemy.make_url(url)
    except sqlalchemy.exc.ArgumentError:
        raise DatabaseUnavailableError("STEELYARD_DATABASE_URL is not a URL") from None
    if parsed.drivername not in {"postgresql", "postgres", f"postgresql+{_POSTGRES_DRIVER}"}:
        raise DatabaseUnavailableError("STEELYARD_DATABASE_URL must start with postgresql://")
    if importlib.util.find_spec(_POSTGRES_DRIVER) is None:
        raise DatabaseUnavailableError(
            f"PostgreSQL needs the package {_POSTGRES_DRIVER}, which is not installed"
        )
    return create_async_engine(
        parsed.set(drivername=f"postgresql+{_POSTGRES_DRIVER}"),
        pool_size=READERS + 1,
        pool_pre_ping=True,
        connect_args={
            "server_settings": {"search_path": schema, "statement_timeout": f"{BUSY_SECONDS}s"}
        },
    )


@contextmanager
def _translated() -> Iterator[None]:
    """Turn what callers may know of into our errors; the rest is a bug or an outage."""
    try:
        yield
    except DBAPIError as error:
        # SQLite's extended codes hold the primary one in their low byte.
        code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
        if code == _SQLITE_FULL or getattr(error.orig, "sqlstate", None) == _POSTGRES_FULL:
            raise StorageFullError from error
        if code in {_SQLITE_BUSY, _SQLITE_LOCKED}:
            raise OverloadedError from error
        raise
