"""Held changes and refusals in the database."""

import asyncio
import base64
import zlib
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from steelyard_common.database import Database
from steelyard_common.many_rows import execute_many
from steelyard_pricing.adapters.fact_text import (
    FactReader,
    digest,
    read_price,
    write_fact,
    write_price,
)
from steelyard_pricing.adapters.tables import HELD, HELD_BODY, REFUSAL
from steelyard_pricing.domain.gate.held_change import HeldChange, HeldState, Price
from steelyard_pricing.domain.publication import Commit, Refusal, SupersededError
from steelyard_pricing.domain.snapshot import ObservedFact

_MAX_EXPLANATION = 1024
_IDS_PER_QUERY = 500


class DatabaseQuarantine:
    """Reads what is held; it is written together with the snapshots that it is about."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def waiting(self, source: str) -> list[HeldChange]:
        """Return the changes of a source that nobody has decided about."""
        condition = sa.and_(HELD.c.source == source, HELD.c.state == HeldState.HELD)
        return await self._select(sa.select(HELD).where(condition))

    async def refused(self, source: str) -> dict[str, set[Price]]:
        """Return prices of a source that are not taken over, by offer."""
        query = sa.select(REFUSAL.c.offer, REFUSAL.c.price).where(REFUSAL.c.source == source)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        refused: dict[str, set[Price]] = {}
        for offer, price in rows:
            refused.setdefault(offer, set()).add(read_price(price))
        return refused

    async def is_refused(self, source: str, body_sha256: str) -> bool:
        """Say whether a person has refused this very body."""
        query = sa.select(HELD.c.held_change_id).where(
            HELD.c.source == source,
            HELD.c.body_sha256 == body_sha256,
            HELD.c.state == HeldState.REFUSED,
        )
        async with self._database.read() as connection:
            return (await connection.execute(query.limit(1))).first() is not None

    async def get(self, held_change_id: str) -> HeldChange | None:
        """Return a held change, None when there is none."""
        found = await self._select(sa.select(HELD).where(HELD.c.held_change_id == held_change_id))
        return found[0] if found else None

    async def page(self, state: HeldState, *, after: str, limit: int) -> list[HeldChange]:
        """Return changes in a state, oldest first, behind the id `after`."""
        condition = sa.and_(HELD.c.state == state, HELD.c.held_change_id > after)
        query = sa.select(HELD).where(condition).order_by(HELD.c.held_change_id).limit(limit)
        return await self._select(query)

    async def count(self, state: HeldState) -> int:
        """Return how many changes are in a state."""
        query = sa.select(sa.func.count()).where(HELD.c.state == state)
        async with self._database.read() as connection:
            count: int = (await connection.execute(query)).scalar_one()
        return count

    async def body(self, held_change_id: str) -> bytes | None:
        """Return the body that a change holds, None when it holds none."""
        query = sa.select(HELD_BODY.c.body).where(HELD_BODY.c.held_change_id == held_change_id)
        async with self._database.read() as connection:
            packed = (await connection.execute(query)).scalar_one_or_none()
        return None if packed is None else zlib.decompress(base64.b64decode(packed))

    async def _select(self, query: sa.Select[tuple[object, ...]]) -> list[HeldChange]:
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return await asyncio.to_thread(_to_held_changes, rows)


async def write(connection: AsyncConnection, commit: Commit) -> None:
    """Write what a commit says of held changes and refusals."""
    if commit.held_changes:
        await _replace_held(connection, commit.held_changes)
    for held_change_id, body in commit.held_bodies.items():
        packed = await asyncio.to_thread(_packed, body)
        await connection.execute(
            sa.delete(HELD_BODY).where(HELD_BODY.c.held_change_id == held_change_id)
        )
        await connection.execute(
            sa.insert(HELD_BODY).values(held_change_id=held_change_id, body=packed)
        )
    await _drop_refusals(connection, [*commit.lifted_refusals, *commit.refusals])
    if commit.refusals:
        rows = await asyncio.to_thread(_refusal_rows, commit.refusals)
        await execute_many(connection, sa.insert(REFUSAL), rows)


async def _replace_held(connection: AsyncConnection, changes: Sequence[HeldChange]) -> None:
    decided = [change.held_change_id for change in changes if change.state is not HeldState.HELD]
    await _check_undecided(connection, [change.held_change_id for change in changes])
    await execute_many(
        connection,
        sa.delete(HELD).where(HELD.c.held_change_id == sa.bindparam("changed_id")),
        [{"changed_id": change.held_change_id} for change in changes],
    )
    await execute_many(connection, sa.insert(HELD), [_held_row(change) for change in changes])
    if decided:
        # A body is kept as long as somebody may approve it.
        await execute_many(
            connection,
            sa.delete(HELD_BODY).where(HELD_BODY.c.held_change_id == sa.bindparam("decided_id")),
            [{"decided_id": held_change_id} for held_change_id in decided],
        )


async def _check_undecided(connection: AsyncConnection, held_change_ids: Sequence[str]) -> None:
    """Make sure that nobody has decided since the changes were looked at."""
    for start in range(0, len(held_change_ids), _IDS_PER_QUERY):
        part = held_change_ids[start : start + _IDS_PER_QUERY]
        query = sa.select(HELD.c.state).where(HELD.c.held_change_id.in_(part)).with_for_update()
        for state in (await connection.execute(query)).scalars():
            if state != HeldState.HELD:
                raise SupersededError("somebody has decided about a held change meanwhile")


async def _drop_refusals(connection: AsyncConnection, refusals: Sequence[Refusal]) -> None:
    if not refusals:
        return
    same = sa.and_(
        REFUSAL.c.source == sa.bindparam("old_source"),
        REFUSAL.c.offer == sa.bindparam("old_offer"),
        REFUSAL.c.digest == sa.bindparam("old_digest"),
    )
    rows = await asyncio.to_thread(_refusal_rows, refusals)
    await execute_many(
        connection,
        sa.delete(REFUSAL).where(same),
        [
            {
                "old_source": row["source"],
                "old_offer": row["offer"],
                "old_digest": row["digest"],
            }
            for row in rows
        ],
    )


def _refusal_rows(refusals: Sequence[Refusal]) -> list[dict[str, str]]:
    return list({_key(row): row for row in map(_refusal_row, refusals)}.values())


def _packed(body: bytes) -> str:
    return base64.b64encode(zlib.compress(body)).decode()


def _to_held_changes(rows: Sequence[sa.RowMapping]) -> list[HeldChange]:
    reader = FactReader()
    return [_to_held(row, reader) for row in rows]


def _refusal_row(refusal: Refusal) -> dict[str, str]:
    price = write_price(refusal.price)
    return {
        "source": refusal.source,
        "offer": refusal.offer,
        "digest": digest(price),
        "price": price,
    }


def _key(row: dict[str, str]) -> tuple[str, str, str]:
    return row["source"], row["offer"], row["digest"]


def _held_row(change: HeldChange) -> dict[str, object]:
    served, held = change.served, change.held
    return {
        "held_change_id": change.held_change_id,
        "source": change.source,
        "offer": change.offer,
        "guard": change.guard,
        "explanation": change.explanation[:_MAX_EXPLANATION],
        "served_time": served.observed_time if served else None,
        "served_content": write_fact(served.fact) if served else None,
        "held_content": write_fact(held) if held else None,
        "first_seen_time": change.first_seen_time,
        "last_seen_time": change.last_seen_time,
        "sighting_count": change.sighting_count,
        "state": int(change.state),
        "reviewer": change.reviewer,
        "note": change.note,
        "review_time": change.review_time,
        "body_sha256": change.body_sha256,
    }


def _to_held(row: sa.RowMapping, reader: FactReader) -> HeldChange:
    served, held = row["served_content"], row["held_content"]
    return HeldChange(
        held_change_id=row["held_change_id"],
        source=row["source"],
        offer=row["offer"],
        guard=row["guard"],
        explanation=row["explanation"],
        served=ObservedFact(reader.read(served), row["served_time"]) if served else None,
        held=reader.read(held) if held else None,
        first_seen_time=row["first_seen_time"],
        last_seen_time=row["last_seen_time"],
        sighting_count=row["sighting_count"],
        state=HeldState(row["state"]),
        reviewer=row["reviewer"],
        note=row["note"],
        review_time=row["review_time"],
        body_sha256=row["body_sha256"],
    )
