"""The change feed: read by version, by time and by offer."""

import asyncio
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from steelyard_common.database import Database
from steelyard_pricing.adapters.change_rows import to_change
from steelyard_pricing.adapters.fact_text import FactReader
from steelyard_pricing.adapters.tables import CHANGE
from steelyard_pricing.domain.changes import PriceChange

Position = tuple[int, str]
"""Version and offer of a change: its place in the feed."""
_OFFERS_PER_QUERY = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeQuery:
    """Which changes are wanted."""

    since: datetime | None = None
    """Recorded at or after this."""
    offer: str = ""
    min_ratio: float = 0.0


class DatabaseHistory:
    """Reads what happened to prices."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self, query: ChangeQuery, *, after: Position | None, limit: int
    ) -> list[PriceChange]:
        """Return changes, newest version first, within a version by offer."""
        statement = (
            sa.select(CHANGE)
            .where(*_conditions(query))
            .order_by(CHANGE.c.version.desc(), CHANGE.c.offer)
            .limit(limit)
        )
        if after is not None:
            version, offer = after
            statement = statement.where(
                sa.or_(
                    CHANGE.c.version < version,
                    sa.and_(CHANGE.c.version == version, CHANGE.c.offer > offer),
                )
            )
        return await self._changes(statement)

    async def count(self, query: ChangeQuery) -> int:
        """Return how many changes there are."""
        statement = sa.select(sa.func.count()).select_from(CHANGE).where(*_conditions(query))
        async with self._database.read() as connection:
            count: int = (await connection.execute(statement)).scalar_one()
        return count

    async def known(self, offers: Collection[str]) -> set[str]:
        """Return which of the ids are, or were, ids of offers."""
        found: set[str] = set()
        for part in _parts(offers):
            statement = sa.select(CHANGE.c.offer).where(CHANGE.c.offer.in_(part)).distinct()
            async with self._database.read() as connection:
                found.update((await connection.execute(statement)).scalars())
        return found

    async def of_version(self, version: int, *, after: str, limit: int) -> list[PriceChange]:
        """Return changes that one version brought, by offer, from behind an offer on."""
        statement = sa.select(CHANGE).where(CHANGE.c.version == version, CHANGE.c.offer > after)
        return await self._changes(statement.order_by(CHANGE.c.offer).limit(limit))

    async def of_offers(
        self, offers: Collection[str], known_at: datetime | None
    ) -> dict[str, list[PriceChange]]:
        """Return what was known of offers at a time, oldest first; None means now."""
        found: dict[str, list[PriceChange]] = {}
        for part in _parts(offers):
            statement = sa.select(CHANGE).where(CHANGE.c.offer.in_(part))
            if known_at is not None:
                statement = statement.where(CHANGE.c.recorded_time <= known_at)
            statement = statement.order_by(CHANGE.c.offer, CHANGE.c.version)
            for change in await self._changes(statement):
                found.setdefault(change.offer, []).append(change)
        return found

    async def _changes(self, statement: sa.Select[tuple[object, ...]]) -> list[PriceChange]:
        async with self._database.read() as connection:
            rows = (await connection.execute(statement)).mappings().all()
        return await asyncio.to_thread(_to_changes, rows)


def _to_changes(rows: Sequence[sa.RowMapping]) -> list[PriceChange]:
    reader = FactReader()
    return [to_change(row, reader) for row in rows]


def _parts(offers: Collection[str]) -> Iterator[list[str]]:
    ordered = sorted(set(offers))
    for start in range(0, len(ordered), _OFFERS_PER_QUERY):
        yield ordered[start : start + _OFFERS_PER_QUERY]


def _conditions(query: ChangeQuery) -> Sequence[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = []
    if query.since is not None:
        conditions.append(CHANGE.c.recorded_time >= query.since)
    if query.offer:
        conditions.append(CHANGE.c.offer == query.offer)
    if query.min_ratio:
        conditions.append(CHANGE.c.magnitude >= query.min_ratio)
    return conditions
