"""The planned absences in memory, as fresh as two seconds."""

import asyncio

import structlog

from steelyard_common.clock import Clock
from steelyard_health.adapters.outages import OUTAGES
from steelyard_health.adapters.steward_store import StewardStore
from steelyard_health.domain.maintenance import MaintenancePlan

REFRESH_SECONDS = 2.0

logger = structlog.get_logger(__name__)


class MaintenanceBook:
    """Reads what this process and others plan. Without a database the last plan goes on."""

    def __init__(self, store: StewardStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._is_reachable = True
        self._turn = asyncio.Lock()
        self.plan = MaintenancePlan()
        """The plan of the moment; the same object until something else is planned."""

    async def refresh(self) -> None:
        """Read the plan now, as after a change of one's own, and before the first answer."""
        # Whoever reads later must not be overtaken by who read before.
        async with self._turn:
            plan = MaintenancePlan.of_windows(await self._store.windows())
            if plan.windows != self.plan.windows:
                self.plan = plan

    async def run(self) -> None:
        """Read the plan again and again."""
        while True:
            await self._clock.sleep(REFRESH_SECONDS)
            try:
                await self.refresh()
            except OUTAGES as error:
                if self._is_reachable:
                    logger.warning("planned absences cannot be read", problem=type(error).__name__)
                self._is_reachable = False
            else:
                self._is_reachable = True
