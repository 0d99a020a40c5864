"""Decisions in the database, written beside the requests and pruned by age and number."""

import asyncio
import zlib
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import UTC, timedelta
from itertools import islice
from typing import Final

import sqlalchemy
import structlog
from opentelemetry.metrics import Meter
from sqlalchemy.ext.asyncio import AsyncConnection

from steelyard.router.v1 import decision_pb2 as pb
from steelyard_common.clock import Clock
from steelyard_common.columns import UtcDateTime
from steelyard_common.database import Database
from steelyard_common.errors import DecisionNotFoundError, SteelyardError
from steelyard_common.migrations import Migration

MAX_QUEUED: Final = 2_000
MAX_BATCH: Final = 250
LINGER_SECONDS: Final = 0.25
"""How long decisions wait for others: a transaction costs much more than a row."""
RETRY_SECONDS: Final = 1.0
PRUNE_SECONDS: Final = 60.0
PRUNE_BATCH: Final = 1_000
_FAST_COMPRESSION = 1

MIGRATIONS: Final = (
    Migration(
        (
            """
            CREATE TABLE decision (
                tenant_id VARCHAR(128) NOT NULL,
                decision_id VARCHAR(64) NOT NULL,
                create_time TIMESTAMP WITH TIME ZONE NOT NULL,
                content BYTEA NOT NULL,
                PRIMARY KEY (tenant_id, decision_id)
            )
            """,
            "CREATE INDEX decision_create_time ON decision (create_time)",
        )
    ),
)

_TABLE = sqlalchemy.table(
    "decision",
    sqlalchemy.column("tenant_id", sqlalchemy.String),
    sqlalchemy.column("decision_id", sqlalchemy.String),
    sqlalchemy.column("create_time", UtcDateTime),
    sqlalchemy.column("content", sqlalchemy.LargeBinary),
)
# A write that was cut off may have been committed all the same.
_INSERT = sqlalchemy.text(
    "INSERT INTO decision (tenant_id, decision_id, create_time, content) "
    "VALUES (:tenant_id, :decision_id, :create_time, :content) ON CONFLICT DO NOTHING"
).bindparams(
    sqlalchemy.bindparam("create_time", type_=UtcDateTime()),
    sqlalchemy.bindparam("content", type_=sqlalchemy.LargeBinary()),
)
_Key = tuple[str, str]

logger = structlog.get_logger(__name__)


class DecisionStore:
    """Takes decisions at once, writes them in batches, and finds them in between too."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        meter: Meter,
        *,
        keep: timedelta,
        max_rows: int,
    ) -> None:
        """Start with nothing queued.

        Args:
            database: Brought up to date with MIGRATIONS.
            clock: For ages.
            meter: Counts what is dropped.
            keep: Older decisions are removed.
            max_rows: The oldest beyond are removed.
        """
        self._database = database
        self._clock = clock
        self._keep = keep
        self._max_rows = max_rows
        self._queued: OrderedDict[_Key, pb.Decision] = OrderedDict()
        self._arrived = asyncio.Event()
        self._is_batch_full = asyncio.Event()
        self._writing = asyncio.Lock()
        self._dropped = meter.create_counter(
            "router.decisions.dropped", description="Decisions dropped because the queue was full."
        )
        self._is_dropping = False

    @property
    def queued_count(self) -> int:
        return len(self._queued)

    def put(self, tenant_id: str, decision: pb.Decision) -> None:
        """Queue a decision; when the queue is full, the oldest in it is dropped."""
        if len(self._queued) >= MAX_QUEUED:
            self._queued.popitem(last=False)
            self._dropped.add(1)
            if not self._is_dropping:
                logger.warning("decisions are dropped: the database does not keep up")
            self._is_dropping = True
        self._queued[tenant_id, decision.decision_id] = decision
        self._arrived.set()
        if len(self._queued) >= MAX_BATCH:
            self._is_batch_full.set()

    async def get(self, tenant_id: str, decision_id: str) -> pb.Decision:
        """Return a decision of the tenant.

        Raises:
            DecisionNotFoundError: It has none with this id.
        """
        queued = self._queued.get((tenant_id, decision_id))
        if queued is not None:
            return queued
        query = sqlalchemy.select(_TABLE.c.content).where(
            _TABLE.c.tenant_id == tenant_id, _TABLE.c.decision_id == decision_id
        )
        async with self._database.read() as connection:
            content = (await connection.execute(query)).scalar_one_or_none()
        if content is None:
            raise DecisionNotFoundError(decision_id)
        return pb.Decision.FromString(zlib.decompress(content))

    async def write_queued(self) -> None:
        """Write for ever what is queued; a database that refuses is tried again."""
        while True:
            await self._arrived.wait()
            await self._linger()
            self._arrived.clear()
            self._is_batch_full.clear()
            try:
                await self.flush()
            except (SteelyardError, sqlalchemy.exc.SQLAlchemyError) as error:
                logger.warning("decisions not written", problem=type(error).__name__)
                self._arrived.set()
                await self._clock.sleep(RETRY_SECONDS)

    async def _linger(self) -> None:
        """Return when there is a whole batch, or after a moment."""
        full = asyncio.ensure_future(self._is_batch_full.wait())
        waited = asyncio.ensure_future(self._clock.sleep(LINGER_SECONDS))
        try:
            await asyncio.wait({full, waited}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            full.cancel()
            waited.cancel()

    async def flush(self) -> None:
        """Write everything that is queued now, in transactions of one batch each."""
        async with self._writing:
            while batch := dict(islice(self._queued.items(), MAX_BATCH)):
                rows = await asyncio.to_thread(_rows, batch)
                async with self._database.write() as connection:
                    await connection.execute(_INSERT, rows)
                for key in batch:
                    self._queued.pop(key, None)
                self._is_dropping = False

    async def drain(self) -> None:
        """Write what is left before the database is closed; say so when that fails."""
        try:
            await self.flush()
        except (SteelyardError, sqlalchemy.exc.SQLAlchemyError) as error:
            problem = type(error).__name__
            logger.error("decisions lost", count=self.queued_count, problem=problem)  # noqa: TRY400

    async def prune(self) -> None:
        """Remove for ever what is too old or too much."""
        while True:
            try:
                await self.prune_once()
            except (SteelyardError, sqlalchemy.exc.SQLAlchemyError) as error:
                logger.warning("decisions not pruned", problem=type(error).__name__)
            await self._clock.sleep(PRUNE_SECONDS)

    async def prune_once(self) -> int:
        """Remove in small transactions; return how many decisions went."""
        removed = 0
        while True:
            async with self._database.write() as connection:
                count = await self._remove_batch(connection)
            removed += count
            if count < PRUNE_BATCH:
                return removed

    async def _remove_batch(self, connection: AsyncConnection) -> int:
        total = await connection.scalar(
            sqlalchemy.select(sqlalchemy.func.count()).select_from(_TABLE)
        )
        surplus = max(0, (total or 0) - self._max_rows)
        cutoff = self._clock.now() - self._keep
        oldest = (
            sqlalchemy.select(_TABLE.c.tenant_id, _TABLE.c.decision_id, _TABLE.c.create_time)
            .order_by(_TABLE.c.create_time, _TABLE.c.decision_id)
            .limit(PRUNE_BATCH)
        )
        found = (await connection.execute(oldest)).all()
        doomed = [
            {"tenant": row.tenant_id, "id": row.decision_id}
            for position, row in enumerate(found)
            if position < surplus or row.create_time < cutoff
        ]
        if doomed:
            delete = sqlalchemy.delete(_TABLE).where(
                _TABLE.c.tenant_id == sqlalchemy.bindparam("tenant"),
                _TABLE.c.decision_id == sqlalchemy.bindparam("id"),
            )
            await connection.execute(delete, doomed)
        return len(doomed)


def _rows(batch: Mapping[_Key, pb.Decision]) -> Sequence[dict[str, object]]:
    return [
        {
            "tenant_id": tenant_id,
            "decision_id": decision_id,
            "create_time": decision.create_time.ToDatetime(UTC),
            "content": zlib.compress(decision.SerializeToString(), _FAST_COMPRESSION),
        }
        for (tenant_id, decision_id), decision in batch.items()
    ]
