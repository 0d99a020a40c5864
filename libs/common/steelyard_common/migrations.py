"""Versions of a service's tables: each step runs once, all missing ones in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy
from sqlalchemy.ext.asyncio import AsyncConnection

_VERSION = sqlalchemy.table("schema_version", sqlalchemy.column("version", sqlalchemy.Integer))


class NewerSchemaError(Exception):
    """The tables were made by a later version of the program: going on could destroy data."""


@dataclass(frozen=True, slots=True)
class Migration:
    """Statements that lead from one version of the tables to the next; never edited, only added."""

    statements: tuple[str, ...]


async def migrate(connection: AsyncConnection, migrations: Sequence[Migration]) -> None:
    """Run the steps that are missing, inside the connection's transaction.

    Raises:
        NewerSchemaError: The tables know more steps than the program.
    """
    await connection.exec_driver_sql(
        "CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)"
    )
    found = (await connection.execute(sqlalchemy.select(_VERSION.c.version))).scalar_one_or_none()
    version = found or 0
    if version > len(migrations):
        raise NewerSchemaError(
            f"the tables are at version {version}, this program knows {len(migrations)}"
        )
    for migration in migrations[version:]:
        for statement in migration.statements:
            await connection.exec_driver_sql(statement)
    new = {"version": len(migrations)}
    change = sqlalchemy.insert(_VERSION) if found is None else sqlalchemy.update(_VERSION)
    await connection.execute(change.values(new))
