"""Health in the memory of this process."""

from collections.abc import Sequence

from steelyard_common.clock import Clock
from steelyard_health.domain.board import HealthBoard
from steelyard_health.domain.outcome import Outcome
from steelyard_health.domain.view import HealthView


class MemoryHealthStore:
    """A board of its own: other processes see nothing of it and a restart empties it."""

    def __init__(self, clock: Clock, board: HealthBoard | None = None) -> None:
        self._clock = clock
        self._board = board or HealthBoard()

    @property
    def version(self) -> int:
        return self._board.version

    async def record(self, tenant_id: str, outcomes: Sequence[Outcome]) -> int:
        now = self._clock.monotonic()
        return sum(self._board.record(tenant_id, outcome, now) for outcome in outcomes)

    async def offers(self, tenant_id: str, offers: Sequence[str]) -> Sequence[HealthView]:
        return self._board.offers(tenant_id, offers, self._clock.monotonic())

    async def offers_of(self, tenant_id: str, provider: str) -> Sequence[tuple[str, HealthView]]:
        return list(self._board.offers_of(tenant_id, provider, self._clock.monotonic()))

    async def provider(self, tenant_id: str, provider: str) -> HealthView:
        return self._board.provider(tenant_id, provider, self._clock.monotonic())

    async def providers(self, tenant_id: str) -> Sequence[str]:
        return self._board.providers(tenant_id)
