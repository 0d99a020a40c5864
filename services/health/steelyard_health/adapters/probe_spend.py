"""What paid probes have cost each day, in the database: replicas share one bound."""

from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from steelyard_common.clock import Clock
from steelyard_common.database import Database
from steelyard_health.adapters.tables import PROBE_SPEND


class ProbeSpend:
    """Counts spending by day (UTC). What is reserved is spent: a call that failed may have cost."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def reserve(self, picodollars: int, limit: int) -> bool:
        """Add to what is spent today, unless it would exceed the bound; say whether it is added.

        Args:
            picodollars: What the probe may cost at most.
            limit: Of the whole day, in picodollars.

        Raises:
            ValueError: An amount is negative.
        """
        if picodollars < 0 or limit < 0:
            raise ValueError("amounts must not be negative")
        if picodollars > limit:
            return False
        async with self._database.write() as connection:
            added = await connection.execute(self._addition(picodollars, limit))
            return added.scalar_one_or_none() is not None

    async def spent_today(self) -> int:
        """Return what is spent today, in picodollars."""
        query = sa.select(PROBE_SPEND.c.picodollars).where(PROBE_SPEND.c.day == self._today())
        async with self._database.read() as connection:
            spent: int = (await connection.execute(query)).scalar_one_or_none() or 0
        return spent

    def _addition(self, picodollars: int, limit: int) -> Any:
        """Return one statement, which counts the bound and changes the row at once."""
        insert: Any = sqlite.insert if self._database.is_sqlite else postgresql.insert
        spent = PROBE_SPEND.c.picodollars
        return (
            insert(PROBE_SPEND)
            .values(day=self._today(), picodollars=picodollars)
            .on_conflict_do_update(
                index_elements=[PROBE_SPEND.c.day],
                set_={"picodollars": spent + picodollars},
                # So that the sum cannot leave the range of the column.
                where=spent <= limit - picodollars,
            )
            .returning(spent)
        )

    def _today(self) -> date:
        return self._clock.now().date()
