"""What active probes see of the board, and where their outcomes go."""

from collections.abc import Iterable, Sequence

from steelyard_common.clock import Clock
from steelyard_health.domain.board import HealthBoard, governing
from steelyard_health.domain.circuit import CircuitState
from steelyard_health.domain.outcome import Outcome
from steelyard_health.domain.ports import HealthStore
from steelyard_health.domain.subject import EVERYBODY
from steelyard_health.domain.track import Track

TRIES = 10
TRY_SECONDS = 0.1


class BoardSubjects:
    """Probes are made for everybody: what any tenant waits for counts."""

    def __init__(self, board: HealthBoard, store: HealthStore, clock: Clock) -> None:
        self._board = board
        self._store = store
        self._clock = clock

    def sample_count(self, name: str) -> int:
        """Return how many outcomes of callers the window has that tell of success or failure."""
        now = self._clock.monotonic()
        # The shared track has probes of all replicas, too; those of tenants have none.
        return sum(track.sample_count(now) for track in self._board.tenants.everybodys(name))

    def awaiting_probe(self) -> Sequence[str]:
        """Return the offers whose circuit is half-open for somebody and that nobody probes."""
        now = self._clock.monotonic()
        tracks = [track for track in self._board.all_tracks() if track.subject.offer]
        return sorted({each.subject.offer for each in tracks if self._is_waiting(each, now)})

    async def take_permit(self, offer: str) -> str | None:
        """Return the right to send the one probe, None when another has it.

        Replicas agree on a permit after it is asked for, which takes a moment.
        """
        for _ in range(TRIES):
            now = self._clock.monotonic()
            waiting = [each for each in self._circuits(offer) if self._is_waiting(each, now)]
            if not waiting:
                return None
            # The circuit of all, if it is open; else that of the first tenant.
            permit = self._board.take_permits(waiting[:1], now)
            if permit:
                return permit
            await self._clock.sleep(TRY_SECONDS)
        return None

    async def record_probe(self, outcome: Outcome) -> None:
        """Take in how a probe ended, as a call of nobody's."""
        await self._store.record(EVERYBODY, [outcome])

    def _circuits(self, offer: str) -> Iterable[Track]:
        shared = self._board.shared_offers.get(offer)
        if shared is not None:
            yield shared
        yield from self._board.tenants.everybodys(offer)

    def _is_waiting(self, track: Track, now: float) -> bool:
        circuit = track.breaker.circuit
        if circuit.state_at(now) is not CircuitState.HALF_OPEN:
            return False
        if not self._board.may_probe(track, now):
            return False
        if track.subject.tenant_id == EVERYBODY:
            return True
        return governing(track, self._board.shared_offers.get(track.subject.offer)) is track
