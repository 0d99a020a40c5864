"""Makes alerts of changes, and tells people."""

from collections.abc import Collection

import structlog

from steelyard_common.clock import Clock
from steelyard_health.adapters.alert_store import AlertStore
from steelyard_health.adapters.outages import OUTAGES
from steelyard_health.domain.alerting import BAD, AlertNews, AlertStep
from steelyard_health.domain.change_log import ChangeLog
from steelyard_health.domain.changes import StateChange
from steelyard_health.domain.subject import EVERYBODY, Subject

FIRST_DELAY_SECONDS = 1.0
MAX_DELAY_SECONDS = 30.0
MAX_ATTEMPTS = 10
"""At a change that the database refuses, though it answers."""

PRUNING_SECONDS = 86_400.0

logger = structlog.get_logger(__name__)


class AlertKeeper:
    """Follows the log of changes from its making on; `run` and `prune_daily` go on for ever.

    While the database is full, locked or away, changes wait in order, as many as the subscription
    holds; what it has to drop is counted.
    """

    def __init__(self, log: ChangeLog, store: AlertStore, clock: Clock) -> None:
        self._log = log
        self._store = store
        self._clock = clock
        self._changes = log.subscribe()
        self._refused_count = 0
        self._told_dropped_count = 0

    @property
    def dropped_count(self) -> int:
        """Changes that became no alert, because there was no room or the database refused them."""
        return self._changes.dropped_count + self._refused_count

    async def settle(self, still_bad: Collection[Subject] = ()) -> None:
        """End alerts that a process left open when it died; call it before `run`.

        Args:
            still_bad: Subjects that are known to be degraded or unhealthy, or were so before their
                rate limit or planned absence.
        """
        for news in await self._store.end_left_open(still_bad):
            _tell(news)

    async def run(self) -> None:
        """Take changes as they come."""
        while True:
            await self.take(await self._changes.next())
            if self._changes.dropped_count > self._told_dropped_count:
                self._told_dropped_count = self._changes.dropped_count
                logger.warning("health changes dropped", total=self._told_dropped_count)

    async def prune_daily(self) -> None:
        """Forget what is too old, now and every day."""
        while True:
            try:
                await self._store.prune()
            except OUTAGES as error:
                logger.warning("health alerts not pruned", problem=type(error).__name__)
            await self._clock.sleep(PRUNING_SECONDS)

    async def take(self, change: StateChange) -> None:
        """Make an alert of a change, however long the database takes."""
        delay, attempts = FIRST_DELAY_SECONDS, 0
        while True:
            try:
                await self._apply(change)
            except Exception as error:
                attempts += 1
                if not isinstance(error, OUTAGES) and attempts >= MAX_ATTEMPTS:
                    self._refused_count += 1
                    logger.exception("health alert refused", **_of_change(change))
                    return
                if attempts == 1:
                    logger.warning(
                        "health alert waits for the database",
                        problem=type(error).__name__,
                        **_of_change(change),
                    )
                await self._clock.sleep(delay)
                delay = min(delay * 2, MAX_DELAY_SECONDS)
            else:
                return

    async def _apply(self, change: StateChange) -> None:
        news = await self._store.apply(change)
        if news is None:
            return
        _tell(news)
        if news.step is AlertStep.ENDED and news.alert.subject.tenant_id == EVERYBODY:
            for each in self._covered_by(news.alert.subject):
                await self.take(each)

    def _covered_by(self, subject: Subject) -> Collection[StateChange]:
        """Return what tenants still see, and were not told of while everybody saw it."""
        return [
            change
            for change in self._log.present
            if change.subject.tenant_id != EVERYBODY
            and change.subject.provider == subject.provider
            and subject.offer in {"", change.subject.offer}
            and change.after in BAD
        ]


def _tell(news: AlertNews) -> None:
    alert = news.alert
    told = logger.info if news.step is AlertStep.ENDED else logger.warning
    told(
        f"health alert {news.step.name.lower()}",
        alert_id=alert.alert_id,
        **_of_subject(alert.subject),
        state=alert.state.name,
        start_time=alert.start_time.isoformat(),
        end_time=None if alert.end_time is None else alert.end_time.isoformat(),
        evidence=news.evidence,
    )


def _of_change(change: StateChange) -> dict[str, str]:
    return {
        **_of_subject(change.subject),
        "before": change.before.name,
        "after": change.after.name,
        "evidence": change.evidence,
    }


def _of_subject(subject: Subject) -> dict[str, str]:
    return {
        "provider": subject.provider,
        "offer": subject.offer,
        "tenant_id": subject.tenant_id,
    }
