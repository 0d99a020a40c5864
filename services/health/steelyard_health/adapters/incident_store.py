"""What status pages said, in the database."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from steelyard_common.columns import UtcDateTime
from steelyard_common.database import Database
from steelyard_common.many_rows import execute_many
from steelyard_health.adapters.tables import INCIDENT, STATUS_PAGE
from steelyard_health.domain.status.level import StatusLevel
from steelyard_health.domain.status.listing import IncidentPlace, IncidentQuery, StoredIncident
from steelyard_health.domain.status.page import PageStatus
from steelyard_health.domain.status.reading import Incident, PageReading
from steelyard_health.domain.status.texts import MAX_URL, one_line

KEEP = timedelta(days=400)
"""How long incidents are kept after their end."""
MAX_PROBLEM = 500

_NAMES = msgspec.json.Decoder(list[str])
_PLACE = (INCIDENT.c.start_time, INCIDENT.c.provider, INCIDENT.c.incident_id)


class IncidentStore:
    """Keeps the last reading of each page, and every incident."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save_reading(
        self, provider: str, page_url: str, reading: PageReading, now: datetime
    ) -> None:
        """Keep what a page said just now.

        An incident that lasted and that the page no longer tells of has ended: pages forget what
        is over, and what a page does not say cannot be known to go on. Should it come back, it
        lasts again.

        Raises:
            SteelyardError: It could not be kept.
        """
        kept = {
            each.incident_id: each
            for each in reading.incidents
            if each.end_time is None or each.end_time > now - KEEP
        }
        page = {
            "level": int(reading.level),
            "description": reading.description,
            "page_url": page_url[:MAX_URL],
            "checked_time": now,
            "read_time": now,
            "problem": "",
        }
        async with self._database.write() as connection:
            await _put_page(connection, provider, page)
            known = await _known(connection, provider, kept)
            news = [each for key, each in kept.items() if known.get(key) != each]
            await _put_incidents(connection, provider, news, known)
            gone = [key for key, each in known.items() if each.is_open and key not in kept]
            await _end(connection, provider, gone, now)

    async def save_failure(self, provider: str, page_url: str, problem: str, now: datetime) -> None:
        """Keep why a page could not be read; what it said last stays, with its time.

        Raises:
            SteelyardError: It could not be kept.
        """
        told = {"checked_time": now, "problem": one_line(problem, MAX_PROBLEM)}
        first = {
            **told,
            "level": int(StatusLevel.UNKNOWN),
            "description": "",
            "page_url": page_url[:MAX_URL],
            "read_time": None,
        }
        async with self._database.write() as connection:
            await _put_page(connection, provider, told, first)

    async def pages(self) -> Mapping[str, PageStatus]:
        """Return what is known of every page that was ever tried, by provider."""
        counts = (
            sa.select(INCIDENT.c.provider, sa.func.count().label("open_count"))
            .where(INCIDENT.c.end_time.is_(None), INCIDENT.c.touches_api.is_(sa.true()))
            .group_by(INCIDENT.c.provider)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(sa.select(STATUS_PAGE))).mappings().all()
            counted = (await connection.execute(counts)).all()
        open_counts = {row.provider: row.open_count for row in counted}
        return {row["provider"]: _page(row, open_counts) for row in rows}

    async def page(
        self, query: IncidentQuery, *, after: IncidentPlace | None, limit: int
    ) -> Sequence[StoredIncident]:
        """Return incidents, the newest first, from the one after `after` on."""
        statement = sa.select(INCIDENT).where(_condition(query))
        if after is not None:
            place = sa.tuple_(
                sa.literal(after.start_time, UtcDateTime),
                sa.literal(after.provider),
                sa.literal(after.incident_id),
            )
            statement = statement.where(sa.tuple_(*_PLACE) < place)
        statement = statement.order_by(*(column.desc() for column in _PLACE)).limit(limit)
        async with self._database.read() as connection:
            rows = (await connection.execute(statement)).mappings().all()
        return [StoredIncident(row["provider"], _incident(row)) for row in rows]

    async def count(self, query: IncidentQuery) -> int:
        """Return how many there are."""
        statement = sa.select(sa.func.count()).select_from(INCIDENT).where(_condition(query))
        async with self._database.read() as connection:
            found: int = (await connection.execute(statement)).scalar_one()
        return found

    async def prune(self, now: datetime) -> int:
        """Remove incidents that ended more than `KEEP` ago and return how many.

        Raises:
            SteelyardError: It could not be done.
        """
        old = sa.delete(INCIDENT).where(INCIDENT.c.end_time <= now - KEEP)
        async with self._database.write() as connection:
            return (await connection.execute(old)).rowcount


async def _put_page(
    connection: AsyncConnection,
    provider: str,
    values: Mapping[str, Any],
    first: Mapping[str, Any] | None = None,
) -> None:
    """Change the row of a page, or make it: from `first`, by default from the values."""
    changed = await connection.execute(
        sa.update(STATUS_PAGE).where(STATUS_PAGE.c.provider == provider).values(**values)
    )
    if not changed.rowcount:
        row = {"provider": provider, **(values if first is None else first)}
        await connection.execute(sa.insert(STATUS_PAGE).values(**row))


async def _known(
    connection: AsyncConnection, provider: str, ids: Iterable[str]
) -> Mapping[str, Incident]:
    """Return what is kept of some incidents and of all that last."""
    wanted = sa.or_(INCIDENT.c.end_time.is_(None), INCIDENT.c.incident_id.in_(list(ids)))
    statement = sa.select(INCIDENT).where(INCIDENT.c.provider == provider, wanted)
    rows = (await connection.execute(statement)).mappings().all()
    return {row["incident_id"]: _incident(row) for row in rows}


async def _put_incidents(
    connection: AsyncConnection,
    provider: str,
    incidents: Sequence[Incident],
    known: Mapping[str, Incident],
) -> None:
    rows = [(each.incident_id in known, _row(provider, each)) for each in incidents]
    await execute_many(
        connection, sa.insert(INCIDENT), [row for is_known, row in rows if not is_known]
    )
    for row in (row for is_known, row in rows if is_known):
        await connection.execute(
            sa.update(INCIDENT)
            .where(INCIDENT.c.provider == provider, INCIDENT.c.incident_id == row["incident_id"])
            .values(**row)
        )


async def _end(
    connection: AsyncConnection, provider: str, ids: Sequence[str], now: datetime
) -> None:
    if ids:
        await connection.execute(
            sa.update(INCIDENT)
            .where(INCIDENT.c.provider == provider, INCIDENT.c.incident_id.in_(ids))
            .values(end_time=now)
        )


def _condition(query: IncidentQuery) -> sa.ColumnElement[bool]:
    conditions: list[sa.ColumnElement[bool]] = [sa.true()]
    if query.provider:
        conditions.append(INCIDENT.c.provider == query.provider)
    if query.open_only:
        conditions.append(INCIDENT.c.end_time.is_(None))
    return sa.and_(*conditions)


def _row(provider: str, incident: Incident) -> dict[str, Any]:
    return {
        "provider": provider,
        "incident_id": incident.incident_id,
        "title": incident.title,
        "level": int(incident.level),
        "components": msgspec.json.encode(incident.components).decode(),
        "touches_api": incident.touches_api,
        "start_time": incident.start_time,
        "end_time": incident.end_time,
        "update_time": incident.update_time,
        "url": incident.url,
        "description": incident.description,
    }


def _incident(row: sa.RowMapping) -> Incident:
    return Incident(
        incident_id=row["incident_id"],
        title=row["title"],
        level=StatusLevel(row["level"]),
        components=tuple(_NAMES.decode(row["components"])),
        touches_api=row["touches_api"],
        start_time=row["start_time"],
        end_time=row["end_time"],
        update_time=row["update_time"],
        url=row["url"],
        description=row["description"],
    )


def _page(row: sa.RowMapping, open_counts: Mapping[str, int]) -> PageStatus:
    return PageStatus(
        level=StatusLevel(row["level"]),
        description=row["description"],
        page_url=row["page_url"],
        read_time=row["read_time"],
        problem=row["problem"],
        open_incident_count=open_counts.get(row["provider"], 0),
    )
