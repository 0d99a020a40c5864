"""Statements for thousands of rows."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

ROWS_PER_STATEMENT = 1_000
"""SQLAlchemy prepares a statement's rows on the event loop: of fifty thousand that takes a second,
in which no quote is answered."""


async def execute_many(
    connection: AsyncConnection, statement: sa.Executable, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Run a statement once for each row, in parts; nothing happens without rows."""
    for start in range(0, len(rows), ROWS_PER_STATEMENT):
        await connection.execute(statement, rows[start : start + ROWS_PER_STATEMENT])
