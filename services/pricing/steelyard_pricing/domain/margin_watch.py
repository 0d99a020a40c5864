"""Tells when a price, a rule or an override puts a margin below its floor."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import structlog

from steelyard_common.clock import Clock
from steelyard_common.errors import SteelyardError
from steelyard_pricing.domain.margins import Margin, MarginKey, thin_margins
from steelyard_pricing.domain.negotiations import Negotiations
from steelyard_pricing.domain.overrides import by_tenant
from steelyard_pricing.domain.snapshot import Snapshot

POLL_SECONDS = 2.0
MAX_ALERT_LINES = 100
"""Of one change; the rest is counted in one more line."""

logger = structlog.get_logger(__name__)


class CrossingStore(Protocol):
    """Keeps since when margins are below their floors."""

    async def crossings(self) -> Mapping[MarginKey, datetime]:
        """Return when each margin that is below its floor came there."""

    async def record_crossings(
        self, added: Mapping[MarginKey, datetime], removed: Collection[MarginKey]
    ) -> None:
        """Keep what is newly below and forget what no longer is."""


@dataclass(frozen=True, slots=True)
class ThinMargin:
    """A margin that is below its floor or close to it."""

    margin: Margin
    change_time: datetime | None
    """Since when it is below its floor; None when it is not."""


@dataclass(frozen=True, slots=True)
class MarginReport:
    """The thin margins of one snapshot, thinnest first."""

    margins: Sequence[ThinMargin] = ()
    snapshot_version: int = 0


class MarginWatch:
    """Looks at every margin after each change; what newly is below its floor raises an alert."""

    def __init__(
        self,
        negotiations: Negotiations,
        store: CrossingStore,
        clock: Clock,
        count_alerts: Callable[[int], None],
    ) -> None:
        """Take what to watch.

        Args:
            negotiations: Rules and overrides.
            store: A restart must neither date a margin anew nor raise its alert again.
            clock: Of the loop that follows other processes.
            count_alerts: Called with the number of margins that newly are below their floor.
        """
        self._negotiations = negotiations
        self._store = store
        self._clock = clock
        self._count_alerts = count_alerts
        self._snapshot: Snapshot | None = None
        self._known: dict[MarginKey, datetime] = {}
        self._stored: dict[MarginKey, datetime] | None = None
        self._looking = asyncio.Lock()
        self._looked_at: datetime | None = None

    async def run(self) -> None:
        """Follow what other processes write, and overrides that begin or end."""
        while True:
            await self._clock.sleep(POLL_SECONDS)
            has_news = await self._negotiations.reload()
            now = self._clock.now()
            if has_news or self._is_boundary_passed(now):
                await self.changed(now)

    async def published(self, snapshot: Snapshot, now: datetime) -> None:
        """Look at the margins of a new snapshot. Never fails: a publication stands."""
        self._snapshot = snapshot
        await self.changed(now)

    async def changed(self, now: datetime) -> None:
        """Look again after a change of rules or overrides. Never fails: the change stands."""
        try:
            await self.report(now)
        except Exception:
            logger.exception("margins not watched")

    async def report(self, now: datetime) -> MarginReport:
        """Return every thin margin as it is now."""
        async with self._looking:
            snapshot, state = self._snapshot, self._negotiations.state
            if snapshot is None:
                return MarginReport()
            self._looked_at = now
            overrides = await asyncio.to_thread(by_tenant, state.overrides)
            listings = tuple(snapshot.listings.values())
            found = await asyncio.to_thread(thin_margins, listings, state.rules, overrides, now)
            since = await self._crossed(found, now)
            margins = [ThinMargin(margin, since.get(margin.key)) for margin in found]
            return MarginReport(margins, snapshot.version)

    async def _crossed(
        self, found: Sequence[Margin], now: datetime
    ) -> Mapping[MarginKey, datetime]:
        """Return since when what is below its floor is; raise alerts for what newly is."""
        if self._stored is None:
            self._stored = dict(await self._store.crossings())
            self._known = dict(self._stored)
        below = {margin.key: margin for margin in found if margin.is_below_floor}
        if not below.keys() <= self._known.keys():
            # Another replica may have seen it first, and raised the alert.
            self._stored = dict(await self._store.crossings())
            self._known = {**self._stored, **self._known}
        news = [margin for key, margin in below.items() if key not in self._known]
        self._known = {key: self._known.get(key, now) for key in below}
        if news:
            self._alert(news)
        try:
            await self._keep(self._known, self._stored)
        except SteelyardError as error:
            # Told all the same, and kept the next time.
            logger.warning("margin changes not kept", problem=error.message)
        return self._known

    async def _keep(
        self, known: Mapping[MarginKey, datetime], stored: Mapping[MarginKey, datetime]
    ) -> None:
        added = {key: time for key, time in known.items() if stored.get(key) != time}
        removed = stored.keys() - known.keys()
        if added or removed:
            await self._store.record_crossings(added, removed)
            self._stored = dict(known)

    def _alert(self, margins: Sequence[Margin]) -> None:
        for margin in margins[:MAX_ALERT_LINES]:
            logger.warning(
                "margin below floor",
                rule=f"{margin.rule.key.scope}:{margin.rule.key.name}",
                offer=margin.offer,
                margin_basis_points=margin.basis_points,
                floor_basis_points=margin.rule.floor,
                tenant_ids=list(margin.tenant_ids),
            )
        if len(margins) > MAX_ALERT_LINES:
            logger.warning(
                "more margins below floor",
                count=len(margins) - MAX_ALERT_LINES,
                rules=sorted({f"{each.rule.key.scope}:{each.rule.key.name}" for each in margins}),
            )
        self._count_alerts(len(margins))

    def _is_boundary_passed(self, now: datetime) -> bool:
        before = self._looked_at
        return before is not None and any(
            time is not None and before < time <= now
            for override in self._negotiations.state.overrides
            for time in (override.start, override.end)
        )
