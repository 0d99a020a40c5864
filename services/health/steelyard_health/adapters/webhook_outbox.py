"""Messages that wait to be delivered, in the database."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from steelyard_common.clock import Clock
from steelyard_common.database import Database
from steelyard_common.ids import new_id
from steelyard_health.adapters.alert_event import to_event
from steelyard_health.adapters.tables import DELIVERY
from steelyard_health.domain.alerting import AlertNews
from steelyard_health.domain.webhook_delivery import WebhookDelivery

MAX_WAITING = 10_000
"""Messages; while there are so many, news is not queued but only logged and listed."""

logger = structlog.get_logger(__name__)


class WebhookOutbox:
    """Keeps what is not delivered yet; whoever writes the news writes it in its own transaction."""

    def __init__(self, database: Database, clock: Clock, *, capacity: int = MAX_WAITING) -> None:
        self._database = database
        self._clock = clock
        self._capacity = capacity
        self.dropped_count = 0
        """News that found no room so far."""

    async def put(self, connection: AsyncConnection, news: AlertNews) -> None:
        """Queue news inside a transaction."""
        waiting = sa.select(sa.func.count()).select_from(DELIVERY)
        if (await connection.execute(waiting)).scalar_one() >= self._capacity:
            self.dropped_count += 1
            logger.warning("webhook queue is full", alert_id=news.alert.alert_id)
            return
        now = self._clock.now()
        await connection.execute(
            sa.insert(DELIVERY).values(
                delivery_id=new_id("msg", clock=self._clock),
                alert_id=news.alert.alert_id,
                step=int(news.step),
                body=to_event(news),
                created_time=now,
                attempt_count=0,
                next_attempt_time=now,
            )
        )

    async def due(self, limit: int) -> Sequence[WebhookDelivery]:
        """Return what is to be sent now: of each alert the earliest message that is left."""
        earlier = DELIVERY.alias()
        has_earlier = (
            sa.select(sa.literal(1))
            .where(earlier.c.alert_id == DELIVERY.c.alert_id, earlier.c.step < DELIVERY.c.step)
            .exists()
        )
        query = (
            sa.select(DELIVERY)
            .where(DELIVERY.c.next_attempt_time <= self._clock.now(), ~has_earlier)
            .order_by(DELIVERY.c.next_attempt_time, DELIVERY.c.delivery_id)
            .limit(limit)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [_delivery(row) for row in rows]

    async def remove(self, delivery: WebhookDelivery) -> None:
        """Forget a message that was taken or given up."""
        async with self._database.write() as connection:
            await connection.execute(sa.delete(DELIVERY).where(_is(delivery)))

    async def postpone(self, delivery: WebhookDelivery, until: datetime) -> None:
        """Note a failed attempt, and when the next one is."""
        async with self._database.write() as connection:
            await connection.execute(
                sa.update(DELIVERY)
                .where(_is(delivery))
                .values(attempt_count=delivery.attempt_count + 1, next_attempt_time=until)
            )


def _is(delivery: WebhookDelivery) -> sa.ColumnElement[bool]:
    return DELIVERY.c.delivery_id == delivery.delivery_id


def _delivery(row: sa.RowMapping) -> WebhookDelivery:
    return WebhookDelivery(
        delivery_id=row["delivery_id"],
        body=row["body"],
        created_time=row["created_time"],
        attempt_count=row["attempt_count"],
    )
