"""Leases: one of several replicas does a job, and one that was too slow cannot do harm.

A lease is a row. Each time it changes hands its generation grows; whoever writes under a lease
checks in the same transaction that the generation is still its own (a fencing token).
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from steelyard_common.clock import Clock
from steelyard_common.columns import UtcDateTime
from steelyard_common.database import Database

LEASE_TABLE = """CREATE TABLE lease (
    name VARCHAR(64) PRIMARY KEY,
    holder VARCHAR(64) NOT NULL,
    generation BIGINT NOT NULL,
    expires_time TIMESTAMP WITH TIME ZONE NOT NULL
)"""
"""For the migrations of a service that uses leases."""

_LEASE = sa.Table(
    "lease",
    sa.MetaData(),
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("holder", sa.String),
    sa.Column("generation", sa.BigInteger),
    sa.Column("expires_time", UtcDateTime),
)


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to do one job, until it expires or somebody newer has it."""

    name: str
    holder: str
    generation: int


class LeaseKeeper(Protocol):
    """Lets one of several replicas do a job."""

    async def acquire(self, name: str, duration: timedelta) -> Lease | None:
        """Return the lease; None while somebody else has it."""

    async def release(self, lease: Lease) -> None:
        """Give it back."""


class Leases:
    """Takes and gives back leases for one holder."""

    def __init__(self, database: Database, clock: Clock, *, holder: str) -> None:
        """Take where leases are, and who asks.

        Args:
            database: Has the lease table.
            clock: Replicas' clocks may differ by less than the shortest lease.
            holder: Unique among replicas, also over restarts: a random id.
        """
        self._database = database
        self._clock = clock
        self._holder = holder

    async def acquire(self, name: str, duration: timedelta) -> Lease | None:
        """Return the lease; None while somebody else has it."""
        try:
            return await self._acquire(name, duration)
        except IntegrityError:
            # The first of its name, and PostgreSQL locks no row that is not there yet.
            return None

    async def _acquire(self, name: str, duration: timedelta) -> Lease | None:
        now = self._clock.now()
        async with self._database.write() as connection:
            query = sa.select(_LEASE).where(_LEASE.c.name == name).with_for_update()
            row = (await connection.execute(query)).mappings().one_or_none()
            if row is not None and row["holder"] != self._holder and row["expires_time"] > now:
                return None
            generation = row["generation"] + 1 if row is not None else 1
            values = {
                "holder": self._holder,
                "generation": generation,
                "expires_time": now + duration,
            }
            if row is None:
                await connection.execute(sa.insert(_LEASE).values(name=name, **values))
            else:
                changed = sa.update(_LEASE).where(_LEASE.c.name == name).values(**values)
                await connection.execute(changed)
        return Lease(name, self._holder, generation)

    async def release(self, lease: Lease) -> None:
        """Give a lease back; one that is lost already stays with its new holder."""
        ours = sa.and_(_LEASE.c.name == lease.name, _LEASE.c.generation == lease.generation)
        async with self._database.write() as connection:
            expired = sa.update(_LEASE).where(ours).values(expires_time=self._clock.now())
            await connection.execute(expired)


async def holds(connection: AsyncConnection, lease: Lease) -> bool:
    """Say, inside a transaction, whether nobody newer has the lease."""
    query = sa.select(_LEASE.c.generation).where(_LEASE.c.name == lease.name).with_for_update()
    generation = (await connection.execute(query)).scalar_one_or_none()
    return generation == lease.generation
