"""What happened to offers and models, in the database."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from steelyard_common.database import Database
from steelyard_common.many_rows import execute_many
from steelyard_registry.adapters.state_text import CHANGES, write_text
from steelyard_registry.adapters.tables import EVENT
from steelyard_registry.domain.events import CatalogEvent, EventKind
from steelyard_registry.domain.ports import EventQuery, StoredEvent

_MAX_NAMES = 500
"""In one question; databases limit how many values a statement may have."""


class DatabaseEvents:
    """Reads what happened; the state store writes it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self, query: EventQuery, *, before: int | None, limit: int
    ) -> Sequence[StoredEvent]:
        """Return events, the newest first, from the one before `before` on."""
        statement = sa.select(EVENT).where(_condition(query))
        if before is not None:
            statement = statement.where(EVENT.c.event_id < before)
        statement = statement.order_by(EVENT.c.event_id.desc()).limit(limit)
        async with self._database.read() as connection:
            rows = (await connection.execute(statement)).mappings().all()
        return [_event(row) for row in rows]

    async def count(self, query: EventQuery) -> int:
        """Return how many there are."""
        statement = sa.select(sa.func.count()).select_from(EVENT).where(_condition(query))
        async with self._database.read() as connection:
            found: int = (await connection.execute(statement)).scalar_one()
        return found


async def write_events(
    connection: AsyncConnection,
    events: Sequence[CatalogEvent],
    *,
    time: datetime,
    version: int,
) -> None:
    """Write events with numbers of their own; the transaction has the state's row locked."""
    if not events:
        return
    last = (await connection.execute(sa.select(sa.func.max(EVENT.c.event_id)))).scalar_one()
    rows = [
        {
            "event_id": number,
            "time": time,
            "version": version,
            "kind": int(event.kind),
            "model": event.model,
            "offer": event.offer,
            "changes": write_text(event.changes),
            "actor": event.actor,
            "note": event.note,
        }
        for number, event in enumerate(events, start=(last or 0) + 1)
    ]
    await execute_many(connection, sa.insert(EVENT), rows)


def _condition(query: EventQuery) -> sa.ColumnElement[bool]:
    conditions: list[sa.ColumnElement[bool]] = [sa.true()]
    if query.names:
        names = query.names[:_MAX_NAMES]
        conditions.append(sa.or_(EVENT.c.model.in_(names), EVENT.c.offer.in_(names)))
    if query.kind is not None:
        conditions.append(EVENT.c.kind == int(query.kind))
    return sa.and_(*conditions)


def _event(row: sa.RowMapping) -> StoredEvent:
    return StoredEvent(
        event_id=row["event_id"],
        time=row["time"],
        version=row["version"],
        event=CatalogEvent(
            kind=EventKind(row["kind"]),
            model=row["model"],
            offer=row["offer"],
            changes=CHANGES.decode(row["changes"]),
            actor=row["actor"],
            note=row["note"],
        ),
    )
