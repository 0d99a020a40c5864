"""Health in the memory of this process."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from steelyard_common.clock import Clock
from steelyard_common.ids import new_id
from steelyard_health.domain.board import Capacity, HealthBoard, Means
from steelyard_health.domain.circuit import Circuit
from steelyard_health.domain.observer import Observed, Observer
from steelyard_health.domain.outcome import Outcome
from steelyard_health.domain.overlay import NoOverlay, Overlay
from steelyard_health.domain.permits import LocalPermitDesk, PermitDesk
from steelyard_health.domain.sight import Sight
from steelyard_health.domain.subject import Subject
from steelyard_health.domain.view import Answer, HealthView

OBSERVE_SECONDS = 0.5


def _to_nobody(subject: Subject, before: Circuit, after: Circuit) -> None:
    del subject, before, after


def _untold(observed: Observed) -> None:
    del observed


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """What a store is connected to; by default nothing."""

    overlay: Overlay = field(default_factory=NoOverlay)
    """What is known apart from outcomes."""
    tell: Callable[[Observed], None] = _untold
    """Takes each change of a state or circuit."""
    random: Callable[[], float] = random.random
    """Numbers from 0 to 1."""
    desk: PermitDesk | None = None
    """Gives out permits for probes; None where no other process sends any."""
    when_moved: Callable[[Subject, Circuit, Circuit], None] = _to_nobody
    """Told of each circuit that this process moved: whose, before, after."""


class MemoryHealthStore:
    """A board of its own: other processes see nothing of it and a restart empties it."""

    def __init__(
        self, clock: Clock, wiring: Wiring | None = None, capacity: Capacity | None = None
    ) -> None:
        wiring = wiring or Wiring()
        self._clock = clock
        self._wiring = wiring
        self._has_moved = False
        desk = wiring.desk or LocalPermitDesk(lambda: new_id("prb", clock=clock))
        means = Means(random=wiring.random, desk=desk, when_moved=self._moved)
        self.board = HealthBoard(means, capacity)
        self._sight = Sight(self.board, wiring.overlay)
        self._observer = Observer(self.board, wiring.overlay)

    @property
    def version(self) -> int:
        return self.board.version

    async def record(self, tenant_id: str, outcomes: Sequence[Outcome]) -> int:
        return len(self.record_new(tenant_id, outcomes))

    def record_new(self, tenant_id: str, outcomes: Sequence[Outcome]) -> Sequence[Outcome]:
        """Take in outcomes and return those that are new."""
        now = self._clock.monotonic()
        record = self.board.record
        new = [outcome for outcome in outcomes if record(tenant_id, outcome, now)]
        if self._has_moved:
            self.observe()
        return new

    async def offers(self, tenant_id: str, offers: Sequence[str]) -> Sequence[Answer]:
        return self._sight.offers(tenant_id, offers, self._clock.monotonic())

    async def offers_of(self, tenant_id: str, provider: str) -> Sequence[tuple[str, HealthView]]:
        return list(self._sight.offers_of(tenant_id, provider, self._clock.monotonic()))

    async def provider(self, tenant_id: str, provider: str) -> HealthView:
        return self._sight.provider(tenant_id, provider, self._clock.monotonic())

    async def providers(self, tenant_id: str) -> Sequence[str]:
        return self._sight.providers(tenant_id, self._clock.monotonic())

    async def reset(self, name: str) -> None:
        self.forget(name)

    def forget(self, name: str) -> None:
        """Forget what calls said of an offer, or of a provider and all its offers."""
        self.board.reset(name)
        self.observe()

    def observe(self) -> None:
        """Tell what has changed."""
        self._has_moved = False
        for change in self._observer.changes(self._clock.monotonic()):
            self._wiring.tell(change)

    async def run(self) -> None:
        """Tell what changes, also with time alone, within half a second."""
        while True:
            self.observe()
            await self._clock.sleep(OBSERVE_SECONDS)

    def _moved(self, subject: Subject, before: Circuit, after: Circuit) -> None:
        self._has_moved = True
        self._wiring.when_moved(subject, before, after)
