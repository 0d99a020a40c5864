"""Alerts in the database: of several replicas that see the same, one tells."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from steelyard_common.clock import Clock
from steelyard_common.database import Database
from steelyard_common.ids import new_id
from steelyard_health.adapters.tables import ALERT, DELIVERY
from steelyard_health.adapters.webhook_outbox import WebhookOutbox
from steelyard_health.domain.alerting import (
    BAD,
    FORGOTTEN,
    KEPT,
    MAX_TENANT_ALERTS,
    Alert,
    AlertNews,
    AlertPlace,
    AlertQuery,
    AlertStep,
    ended,
    news_of,
)
from steelyard_health.domain.changes import StateChange
from steelyard_health.domain.state import HealthState
from steelyard_health.domain.subject import EVERYBODY, Subject
from steelyard_health.domain.webhook_delivery import GIVEN_UP_AFTER

_IS_OPEN = ALERT.c.end_time.is_(None)
_HOUR = timedelta(hours=1)

logger = structlog.get_logger(__name__)


class AlertStore:
    """Writes alerts, and with each what a webhook is told, in one transaction."""

    def __init__(
        self, database: Database, clock: Clock, *, outbox: WebhookOutbox | None = None
    ) -> None:
        """Take where alerts are.

        Args:
            database: Has the tables of the health service.
            clock: Dates what happens by itself.
            outbox: Gets the news; None when there is no webhook.
        """
        self._database = database
        self._clock = clock
        self._outbox = outbox
        self._withheld_time: datetime | None = None
        self.withheld_count = 0
        """Alerts of tenants that did not begin, because too many of theirs had."""

    async def apply(self, change: StateChange) -> AlertNews | None:
        """Begin, worsen or end the alert of a subject; None when nobody has to be told.

        Raises:
            StorageFullError: There is no room.
            OverloadedError: The database was locked.
        """
        try:
            return await self._apply(change)
        except IntegrityError:
            # Another replica began it at the same time, and PostgreSQL locks no row that is not
            # there yet. Now there is one.
            return await self._apply(change)

    async def end_left_open(self, still_bad: Collection[Subject]) -> Sequence[AlertNews]:
        """End the alerts of subjects that nothing is known of any more, as after a crash.

        Args:
            still_bad: Subjects whose alerts go on.
        """
        known = frozenset(still_bad)
        now = self._clock.now()
        told = []
        async with self._database.write() as connection:
            for alert in await _alerts(connection, sa.select(ALERT).where(_IS_OPEN)):
                if alert.subject in known:
                    continue
                news = ended(alert, now, FORGOTTEN)
                if await self._write(connection, news, alert):
                    told.append(news)
        return told

    async def page(
        self, query: AlertQuery, *, before: AlertPlace | None, limit: int
    ) -> Sequence[Alert]:
        """Return alerts, the newest first, from the one after `before` on."""
        statement = sa.select(ALERT).where(_condition(query))
        if before is not None:
            is_older = ALERT.c.start_time < before.start_time
            is_next = sa.and_(
                ALERT.c.start_time == before.start_time, ALERT.c.alert_id < before.alert_id
            )
            statement = statement.where(sa.or_(is_older, is_next))
        newest_first = (ALERT.c.start_time.desc(), ALERT.c.alert_id.desc())
        async with self._database.read() as connection:
            return await _alerts(connection, statement.order_by(*newest_first).limit(limit))

    async def count(self, query: AlertQuery) -> int:
        """Return how many there are."""
        statement = sa.select(sa.func.count()).select_from(ALERT).where(_condition(query))
        async with self._database.read() as connection:
            found: int = (await connection.execute(statement)).scalar_one()
        return found

    async def prune(self) -> None:
        """Forget alerts that ended long ago, and messages since the webhook was switched off."""
        now = self._clock.now()
        ended_long_ago = ALERT.c.end_time < now - KEPT
        # Twice the time: while there is a webhook, its courier gives up, and says so.
        left_over = DELIVERY.c.created_time < now - 2 * GIVEN_UP_AFTER
        async with self._database.write() as connection:
            await connection.execute(sa.delete(ALERT).where(ended_long_ago))
            await connection.execute(sa.delete(DELIVERY).where(left_over))

    async def _apply(self, change: StateChange) -> AlertNews | None:
        async with self._database.write() as connection:
            latest = await _latest(connection, change.subject)
            wider = await _wider(connection, change)
            alert_id = new_id("alr", clock=self._clock)
            news = news_of(change, latest, wider, alert_id)
            if news is None or await self._is_withheld(connection, news):
                return None
            return news if await self._write(connection, news, latest) else None

    async def _is_withheld(self, connection: AsyncConnection, news: AlertNews) -> bool:
        """Say whether too many alerts of a tenant have begun, so that one cannot drown the rest."""
        tenant_id, since = news.alert.subject.tenant_id, news.time - _HOUR
        if tenant_id == EVERYBODY or news.step is not AlertStep.BEGUN:
            return False
        recent = sa.and_(ALERT.c.tenant_id == tenant_id, ALERT.c.start_time > since)
        query = sa.select(sa.func.count()).select_from(ALERT).where(recent)
        if (await connection.execute(query)).scalar_one() < MAX_TENANT_ALERTS:
            return False
        self.withheld_count += 1
        if self._withheld_time is None or self._withheld_time <= since:
            self._withheld_time = news.time
            logger.warning("health alerts withheld", tenant_id=tenant_id)
        return True

    async def _write(
        self, connection: AsyncConnection, news: AlertNews, before: Alert | None
    ) -> bool:
        """Write news, and say whether no other replica did so first."""
        if news.step is AlertStep.BEGUN or before is None:
            await connection.execute(sa.insert(ALERT).values(**_row(news.alert)))
        else:
            changed = await connection.execute(
                sa.update(ALERT)
                .where(
                    ALERT.c.alert_id == before.alert_id,
                    _IS_OPEN,
                    ALERT.c.state == int(before.state),
                )
                .values(**_row(news.alert))
            )
            if changed.rowcount != 1:
                return False
        if self._outbox is not None:
            await self._outbox.put(connection, news)
        return True


async def _latest(connection: AsyncConnection, subject: Subject) -> Alert | None:
    query = (
        sa.select(ALERT)
        .where(
            ALERT.c.tenant_id == subject.tenant_id,
            ALERT.c.provider == subject.provider,
            ALERT.c.offer == subject.offer,
        )
        # One that is open comes first, also after a clock was set back.
        .order_by(_IS_OPEN.desc(), ALERT.c.start_time.desc())
        .limit(1)
    )
    return next(iter(await _alerts(connection, query)), None)


async def _wider(connection: AsyncConnection, change: StateChange) -> Sequence[Alert]:
    """Return the open alerts that everybody is told and that may cover a tenant's own."""
    subject = change.subject
    if subject.tenant_id == EVERYBODY or change.after not in BAD:
        return ()
    query = sa.select(ALERT).where(
        ALERT.c.tenant_id == EVERYBODY,
        ALERT.c.provider == subject.provider,
        ALERT.c.offer.in_({"", subject.offer}),
        _IS_OPEN,
    )
    return await _alerts(connection, query)


def _condition(query: AlertQuery) -> sa.ColumnElement[bool]:
    conditions: list[sa.ColumnElement[bool]] = [ALERT.c.tenant_id.in_((EVERYBODY, query.tenant_id))]
    if query.provider:
        conditions.append(ALERT.c.provider == query.provider)
    if query.open_only:
        conditions.append(_IS_OPEN)
    return sa.and_(*conditions)


async def _alerts(connection: AsyncConnection, query: sa.Select[Any]) -> Sequence[Alert]:
    return [_alert(row) for row in (await connection.execute(query)).mappings()]


def _row(alert: Alert) -> dict[str, str | int | datetime | None]:
    return {
        "alert_id": alert.alert_id,
        "tenant_id": alert.subject.tenant_id,
        "provider": alert.subject.provider,
        "offer": alert.subject.offer,
        "state": int(alert.state),
        "start_time": alert.start_time,
        "end_time": alert.end_time,
        "evidence": alert.evidence,
    }


def _alert(row: sa.RowMapping) -> Alert:
    return Alert(
        alert_id=row["alert_id"],
        subject=Subject(row["provider"], row["offer"], row["tenant_id"]),
        state=HealthState(row["state"]),
        start_time=row["start_time"],
        end_time=row["end_time"],
        evidence=row["evidence"],
    )
