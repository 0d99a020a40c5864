"""Snapshots in the database: written whole or not at all, loaded as of any version."""

import asyncio
from collections.abc import Sequence
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from steelyard_common.database import Database
from steelyard_common.leases import holds
from steelyard_common.many_rows import execute_many
from steelyard_pricing.adapters import quarantine_store, source_store
from steelyard_pricing.adapters.change_rows import change_row
from steelyard_pricing.adapters.fact_text import FactReader, write_fact
from steelyard_pricing.adapters.tables import CHANGE, FACT, HELD, SERVED, SNAPSHOT
from steelyard_pricing.domain.changes import ChangeCounts
from steelyard_pricing.domain.gate.held_change import HeldState
from steelyard_pricing.domain.publication import (
    Cause,
    Commit,
    LeaseLostError,
    Publication,
    SnapshotRecord,
    Status,
    Stored,
    SupersededError,
)
from steelyard_pricing.domain.snapshot import ObservedFact

_FactRow: TypeAlias = "sa.Row[Any, Any, Any, Any]"
Facts = dict[str, tuple[ObservedFact, ...]]


class DatabasePriceStore:
    """The only writer of snapshots, and of all that goes with them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def commit(self, commit: Commit) -> int:
        """Write everything in one transaction; return how many changes are held back then.

        Raises:
            SupersededError: Another snapshot is served by now, somebody has decided about a held
                change, or the lease is lost.
        """
        publication = commit.publication
        rows = await asyncio.to_thread(_rows, publication) if publication else None
        async with self._database.write() as connection:
            if commit.lease is not None and not await holds(connection, commit.lease):
                raise LeaseLostError("the lease has gone to somebody else")
            await _check_served(connection, commit)
            if publication is not None and rows is not None:
                await _move_on(connection, publication)
                await _write_publication(connection, publication, rows)
            await source_store.write_states(connection, commit.states)
            await source_store.write_copies(connection, commit.copies)
            await quarantine_store.write(connection, commit)
            return await _waiting_count(connection)

    async def status(self) -> Status:
        """Return what is known besides the facts."""
        async with self._database.read() as connection:
            return await _status(connection)

    async def load(self) -> Stored | None:
        """Return the snapshot that is served; None before the first."""
        async with self._database.read() as connection:
            status = await _status(connection)
            if not status.version:
                return None
            record = await _record(connection, status.version)
            rows = await _fact_rows(connection, FACT.c.to_version.is_(None))
        return Stored(record=record, facts=await asyncio.to_thread(_facts, rows), status=status)

    async def load_version(self, version: int) -> Facts | None:
        """Return the facts of an older snapshot; None when there never was one."""
        then = sa.and_(
            FACT.c.from_version <= version,
            sa.or_(FACT.c.to_version.is_(None), FACT.c.to_version > version),
        )
        async with self._database.read() as connection:
            query = sa.select(SNAPSHOT.c.version).where(SNAPSHOT.c.version == version)
            if (await connection.execute(query)).scalar_one_or_none() is None:
                return None
            rows = await _fact_rows(connection, then)
        return await asyncio.to_thread(_facts, rows)

    async def retired_facts(self, source: str) -> tuple[ObservedFact, ...]:
        """Return what was served last of a source that the settings have switched off since."""
        of_source = FACT.c.source == source
        last = sa.select(sa.func.max(FACT.c.to_version)).where(of_source)
        async with self._database.read() as connection:
            retired = (await connection.execute(last)).scalar_one_or_none()
            if retired is None or (await _record(connection, retired)).cause is not Cause.SETTINGS:
                return ()
            rows = await _fact_rows(connection, sa.and_(of_source, FACT.c.to_version == retired))
        return (await asyncio.to_thread(_facts, rows)).get(source, ())

    async def snapshots(self, *, before: int | None, limit: int) -> list[SnapshotRecord]:
        """Return published snapshots, newest first, from the one before `before` on."""
        query = sa.select(SNAPSHOT).order_by(SNAPSHOT.c.version.desc()).limit(limit)
        if before is not None:
            query = query.where(SNAPSHOT.c.version < before)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [_to_record(row) for row in rows]

    async def record(self, version: int) -> SnapshotRecord:
        """Return what is remembered of a published snapshot."""
        async with self._database.read() as connection:
            return await _record(connection, version)


async def _status(connection: AsyncConnection) -> Status:
    return Status(
        version=(await connection.execute(sa.select(SERVED.c.version))).scalar_one(),
        copies=await source_store.read_copies(connection),
        states=await source_store.read_states(connection),
        waiting_count=await _waiting_count(connection),
    )


async def _waiting_count(connection: AsyncConnection) -> int:
    waiting = sa.select(sa.func.count()).where(HELD.c.state == HeldState.HELD)
    count: int = (await connection.execute(waiting)).scalar_one()
    return count


async def _record(connection: AsyncConnection, version: int) -> SnapshotRecord:
    query = sa.select(SNAPSHOT).where(SNAPSHOT.c.version == version)
    return _to_record((await connection.execute(query)).mappings().one())


async def _fact_rows(
    connection: AsyncConnection, condition: sa.ColumnElement[bool]
) -> Sequence[_FactRow]:
    query = (
        sa.select(FACT.c.source, FACT.c.observed_time, FACT.c.effective_time, FACT.c.content)
        .where(condition)
        .order_by(FACT.c.source, FACT.c.offer)
    )
    return (await connection.execute(query)).all()


def _facts(rows: Sequence[_FactRow]) -> Facts:
    reader = FactReader()
    facts: dict[str, list[ObservedFact]] = {}
    for source, observed_time, effective_time, content in rows:
        applies_later = effective_time if effective_time != observed_time else None
        fact = ObservedFact(reader.read(content), observed_time, applies_later)
        facts.setdefault(source, []).append(fact)
    return {source: tuple(found) for source, found in facts.items()}


async def _check_served(connection: AsyncConnection, commit: Commit) -> None:
    if commit.after_version is None:
        return
    served = await connection.execute(sa.select(SERVED.c.version).with_for_update())
    if served.scalar_one() != commit.after_version:
        raise SupersededError("another snapshot was published meanwhile")


async def _move_on(connection: AsyncConnection, publication: Publication) -> None:
    """Compare and swap: one of two that publish after the same snapshot fails."""
    version = publication.record.version
    swapped = await connection.execute(
        sa.update(SERVED).where(SERVED.c.version == version - 1).values(version=version)
    )
    if swapped.rowcount != 1:
        raise SupersededError("another snapshot was published meanwhile")


async def _write_publication(
    connection: AsyncConnection,
    publication: Publication,
    rows: tuple[list[dict[str, object]], list[dict[str, object]]],
) -> None:
    record = publication.record
    facts, changes = rows
    await connection.execute(sa.insert(SNAPSHOT).values(_record_row(record)))
    if publication.closed:
        open_row = sa.and_(
            FACT.c.source == sa.bindparam("old_source"),
            FACT.c.offer == sa.bindparam("old_offer"),
            FACT.c.to_version.is_(None),
        )
        await execute_many(
            connection,
            sa.update(FACT).where(open_row).values(to_version=record.version),
            [{"old_source": source, "old_offer": offer} for source, offer in publication.closed],
        )
    await execute_many(connection, sa.insert(FACT), facts)
    await execute_many(connection, sa.insert(CHANGE), changes)


def _rows(publication: Publication) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    version = publication.record.version
    facts: list[dict[str, object]] = [
        {
            "source": source,
            "offer": observed.fact.offer,
            "from_version": version,
            "to_version": None,
            "observed_time": observed.observed_time,
            "effective_time": observed.applies_from,
            "content": write_fact(observed.fact),
        }
        for source, observed in publication.opened
    ]
    return facts, [change_row(change) for change in publication.changes]


def _record_row(record: SnapshotRecord) -> dict[str, object]:
    return {
        "version": record.version,
        "published_time": record.published_time,
        "cause": record.cause,
        "note": record.note,
        "added_count": record.counts.added,
        "changed_count": record.counts.changed,
        "removed_count": record.counts.removed,
        "unchanged_count": record.counts.unchanged,
    }


def _to_record(row: sa.RowMapping) -> SnapshotRecord:
    return SnapshotRecord(
        version=row["version"],
        published_time=row["published_time"],
        cause=Cause(row["cause"]),
        note=row["note"],
        counts=ChangeCounts(
            added=row["added_count"],
            changed=row["changed_count"],
            removed=row["removed_count"],
            unchanged=row["unchanged_count"],
        ),
    )
