"""Health in the memory of this process."""

import random
from collections.abc import Callable, Sequence

from steelyard_common.clock import Clock
from steelyard_common.ids import new_id
from steelyard_health.domain.board import Capacity, HealthBoard, Means
from steelyard_health.domain.circuit import Circuit
from steelyard_health.domain.observer import Observed, Observer
from steelyard_health.domain.outcome import Outcome
from steelyard_health.domain.overlay import NoOverlay, Overlay
from steelyard_health.domain.permits import LocalPermitDesk
from steelyard_health.domain.sight import Sight
from steelyard_health.domain.subject import Subject
from steelyard_health.domain.view import Answer, HealthView

OBSERVE_SECONDS = 0.5


def _to_nobody(observed: Observed) -> None:
    del observed


class MemoryHealthStore:
    """A board of its own: other processes see nothing of it and a restart empties it."""

    def __init__(
        self,
        clock: Clock,
        *,
        overlay: Overlay | None = None,
        tell: Callable[[Observed], None] = _to_nobody,
        draw: Callable[[], float] = random.random,
        capacity: Capacity | None = None,
    ) -> None:
        """Begin with nothing known.

        Args:
            clock: The time.
            overlay: What is known apart from outcomes.
            tell: Takes each change of a state or circuit.
            draw: Random numbers from 0 to 1.
            capacity: How much is remembered.
        """
        self._clock = clock
        self._tell = tell
        self._has_moved = False
        desk = LocalPermitDesk(lambda: new_id("prb", clock=clock))
        means = Means(random=draw, desk=desk, when_moved=self._moved)
        overlay = overlay or NoOverlay()
        self._board = HealthBoard(means, capacity)
        self._sight = Sight(self._board, overlay)
        self._observer = Observer(self._board, overlay)

    @property
    def version(self) -> int:
        return self._board.version

    async def record(self, tenant_id: str, outcomes: Sequence[Outcome]) -> int:
        now = self._clock.monotonic()
        record = self._board.record
        count = sum([record(tenant_id, outcome, now) for outcome in outcomes])
        if self._has_moved:
            self.observe()
        return count

    async def offers(self, tenant_id: str, offers: Sequence[str]) -> Sequence[Answer]:
        return self._sight.offers(tenant_id, offers, self._clock.monotonic())

    async def offers_of(self, tenant_id: str, provider: str) -> Sequence[tuple[str, HealthView]]:
        return list(self._sight.offers_of(tenant_id, provider, self._clock.monotonic()))

    async def provider(self, tenant_id: str, provider: str) -> HealthView:
        return self._sight.provider(tenant_id, provider, self._clock.monotonic())

    async def providers(self, tenant_id: str) -> Sequence[str]:
        return self._sight.providers(tenant_id, self._clock.monotonic())

    async def reset(self, name: str) -> None:
        self._board.reset(name)
        self.observe()

    def observe(self) -> None:
        """Tell what has changed."""
        self._has_moved = False
        for change in self._observer.changes(self._clock.monotonic()):
            self._tell(change)

    async def run(self) -> None:
        """Tell what changes, also with time alone, within half a second."""
        while True:
            self.observe()
            await self._clock.sleep(OBSERVE_SECONDS)

    def _moved(self, subject: Subject, before: Circuit, after: Circuit) -> None:
        del subject, before, after
        self._has_moved = True
