"""Planned absences, and the record of what people did, in the database."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from steelyard_common.clock import Clock
from steelyard_common.database import Database
from steelyard_common.ids import new_id
from steelyard_health.adapters.tables import ACTION, MAINTENANCE
from steelyard_health.domain.maintenance import (
    KEPT,
    MAX_WINDOWS,
    ActionKind,
    HealthAction,
    Maintenance,
)


class TooManyWindowsError(Exception):
    """There are as many planned absences as can be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """What somebody does by hand to a provider or an offer."""

    provider: str
    offer: str = ""
    """Empty when the whole provider is meant."""
    actor: str
    note: str = ""


class StewardStore:
    """Writes each decision together with the record of it."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def plan(self, window: Maintenance) -> None:
        """Set the absence of its provider or offer in place of the one before.

        Raises:
            TooManyWindowsError: No other one can be planned.
            StorageFullError: There is no room. Nothing was written.
        """
        try:
            await self._plan(window)
        except IntegrityError:
            # Somebody else set one at the same time, and PostgreSQL locks no row that is not there
            # yet. Now there is one to replace.
            await self._plan(window)

    async def cancel(self, deed: Deed, end_time: datetime) -> Maintenance:
        """End the absence of a provider or offer at once, or take it back before it begins.

        Args:
            deed: Whose, and who wants it.
            end_time: The end that was asked for; not in the future.

        Returns:
            The absence as it was, with that end; without length when there was none.
        """
        async with self._database.write() as connection:
            query = sa.select(MAINTENANCE).where(_is_of(deed.provider, deed.offer))
            row = (await connection.execute(query)).mappings().one_or_none()
            start = end_time if row is None else row["start_time"]
            window = Maintenance(
                provider=deed.provider,
                offer=deed.offer,
                start_time=min(start, end_time),
                end_time=end_time,
                note=deed.note,
                actor=deed.actor,
            )
            await _remove(connection, deed.provider, deed.offer)
            await self._record(connection, ActionKind.MAINTENANCE, deed, window)
        return window

    async def record_reset(self, deed: Deed) -> None:
        """Note that somebody resets a provider or offer.

        Raises:
            StorageFullError: There is no room.
        """
        async with self._database.write() as connection:
            await self._record(connection, ActionKind.RESET, deed, None)

    async def windows(self) -> Sequence[Maintenance]:
        """Return the absences that are planned or hold, by start."""
        query = (
            sa.select(MAINTENANCE)
            .where(MAINTENANCE.c.end_time > self._clock.now())
            .order_by(MAINTENANCE.c.start_time, MAINTENANCE.c.provider, MAINTENANCE.c.offer)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [_window(row) for row in rows]

    async def actions(
        self, provider: str, *, before: str | None, limit: int
    ) -> Sequence[HealthAction]:
        """Return what was done, the newest first.

        Args:
            provider: Only its and its offers'; empty means all.
            before: The action that the page before ended with.
            limit: How many at most.
        """
        query = sa.select(ACTION).where(_concerns(provider))
        if before is not None:
            query = query.where(ACTION.c.action_id < before)
        # Ids begin with the time.
        query = query.order_by(ACTION.c.action_id.desc()).limit(limit)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [_action(row) for row in rows]

    async def action_count(self, provider: str) -> int:
        """Return how many there are."""
        query = sa.select(sa.func.count()).select_from(ACTION).where(_concerns(provider))
        async with self._database.read() as connection:
            count: int = (await connection.execute(query)).scalar_one()
        return count

    async def _plan(self, window: Maintenance) -> None:
        now = self._clock.now()
        async with self._database.write() as connection:
            await _remove(connection, window.provider, window.offer)
            await connection.execute(
                sa.delete(MAINTENANCE).where(MAINTENANCE.c.end_time < now - KEPT)
            )
            open_count = sa.select(sa.func.count()).where(MAINTENANCE.c.end_time > now)
            if (await connection.execute(open_count)).scalar_one() >= MAX_WINDOWS:
                raise TooManyWindowsError
            await connection.execute(sa.insert(MAINTENANCE).values(**_row(window)))
            await self._record(connection, ActionKind.MAINTENANCE, _deed(window), window)

    async def _record(
        self,
        connection: AsyncConnection,
        kind: ActionKind,
        deed: Deed,
        window: Maintenance | None,
    ) -> None:
        await connection.execute(
            sa.insert(ACTION).values(
                action_id=new_id("act", clock=self._clock),
                kind=int(kind),
                provider=deed.provider,
                offer=deed.offer,
                actor=deed.actor,
                time=self._clock.now(),
                note=deed.note,
                start_time=None if window is None else window.start_time,
                end_time=None if window is None else window.end_time,
            )
        )


async def _remove(connection: AsyncConnection, provider: str, offer: str) -> None:
    await connection.execute(sa.delete(MAINTENANCE).where(_is_of(provider, offer)))


def _is_of(provider: str, offer: str) -> sa.ColumnElement[bool]:
    return sa.and_(MAINTENANCE.c.provider == provider, MAINTENANCE.c.offer == offer)


def _concerns(provider: str) -> sa.ColumnElement[bool]:
    return ACTION.c.provider == provider if provider else sa.true()


def _deed(window: Maintenance) -> Deed:
    return Deed(provider=window.provider, offer=window.offer, actor=window.actor, note=window.note)


def _row(window: Maintenance) -> dict[str, str | datetime]:
    return {
        "provider": window.provider,
        "offer": window.offer,
        "start_time": window.start_time,
        "end_time": window.end_time,
        "note": window.note,
        "actor": window.actor,
    }


def _window(row: sa.RowMapping) -> Maintenance:
    return Maintenance(
        provider=row["provider"],
        offer=row["offer"],
        start_time=row["start_time"],
        end_time=row["end_time"],
        note=row["note"],
        actor=row["actor"],
    )


def _action(row: sa.RowMapping) -> HealthAction:
    kind = ActionKind(row["kind"])
    return HealthAction(
        action_id=row["action_id"],
        kind=kind,
        provider=row["provider"],
        offer=row["offer"],
        actor=row["actor"],
        time=row["time"],
        note=row["note"],
        # The columns of an absence are all there.
        maintenance=_window(row) if kind is ActionKind.MAINTENANCE else None,
    )
