"""Circuits that replicas agree on: each move is stored by comparing the revision before it.

A replica moves its own circuit at once and asks afterwards; when another one was faster, it takes
over what that one stored. Permits are given out only once they are stored, so that one probe at a
time is sent, however many replicas there are. While Redis is away each replica decides alone.
"""

from collections.abc import Callable
from dataclasses import replace

import structlog

from steelyard_common.clock import Clock
from steelyard_common.ids import new_id
from steelyard_common.redis_link import RedisAwayError, RedisGarbageError
from steelyard_health.adapters.replica_entries import (
    MAX_REVISION,
    GarbageEntryError,
    decode_circuit,
    encode,
    from_circuit,
    moved,
    to_circuit,
)
from steelyard_health.adapters.replica_log import ReplicaLog
from steelyard_health.adapters.shared_records import (
    MAX_TENANT_CHARACTERS,
    SharedRecords,
    Stored,
)
from steelyard_health.domain.board import HealthBoard
from steelyard_health.domain.circuit import Circuit, CircuitState
from steelyard_health.domain.subject import Subject

PAUSE_SECONDS = 0.05
CLOCK_SECONDS = 30.0
"""How often the clock of Redis is looked at."""
TTL_SECONDS = 3600
MAX_WANTED = 1024
MAX_UNSTORED = 4096

logger = structlog.get_logger(__name__)


class StockedPermits:
    """Permits that this replica has stored and not yet given out; what is wanted is noted."""

    def __init__(self) -> None:
        self._stock: dict[Subject, str] = {}
        self._wanted: dict[Subject, None] = {}

    def has(self, subject: Subject, circuit: Circuit, now: float) -> bool:
        permit = self._stock.get(subject)
        if permit is not None and permit == circuit.permit and now < circuit.permit_until:
            return True
        self._stock.pop(subject, None)
        if not circuit.is_probed_at(now) and len(self._wanted) < MAX_WANTED:
            self._wanted[subject] = None
        return False

    def take(self, subject: Subject, circuit: Circuit, now: float) -> Circuit:
        del now
        self._stock.pop(subject)
        return circuit

    def wanted(self) -> list[Subject]:
        """Return for what permits were asked since the last call."""
        wanted, self._wanted = list(self._wanted), {}
        return wanted

    def put(self, subject: Subject, permit: str) -> None:
        self._stock.pop(subject, None)
        self._stock[subject] = permit
        if len(self._stock) > MAX_WANTED:
            del self._stock[next(iter(self._stock))]  # nobody came for it


class CircuitExchange:
    """Stores moves of this replica's circuits, takes over those of others, gets permits."""

    def __init__(
        self,
        records: SharedRecords,
        permits: StockedPermits,
        clock: Clock,
        new_permit: Callable[[], str] | None = None,
    ) -> None:
        self._records = records
        self._permits = permits
        self._clock = clock
        self._new_permit = new_permit or (lambda: new_id("prb", clock=clock))
        self._unstored: dict[Subject, int] = {}
        """Circuits that were moved here, with the revision before the first of the moves."""
        self._offset: float | None = None
        self._offset_at = 0.0

    def note(self, subject: Subject, before: Circuit, after: Circuit) -> None:
        """Remember that this replica has moved a circuit."""
        del after
        if len(self._unstored) < MAX_UNSTORED and _is_storable(subject):
            self._unstored.setdefault(subject, before.revision)

    @property
    def offset(self) -> float | None:
        """What leads from this process's clock to that of Redis; None while nobody knows."""
        return self._offset

    async def learn(self, board: HealthBoard) -> None:
        """Take over the stored circuits of everything that the board knows."""
        try:
            await self._look_at_clock()
            for track in list(board.all_tracks()):
                subject = track.subject
                if not _is_storable(subject):
                    continue
                stored = await self._records.read(*_key(subject))
                circuit = self._read(stored) if stored is not None else None
                if circuit is not None:
                    board.adopt(subject, circuit)
        except (RedisAwayError, RedisGarbageError):
            logger.info("circuits of other replicas are not known yet")

    async def run(self, board: HealthBoard, log: ReplicaLog) -> None:
        """Store and ask for as long as the process."""
        while True:
            await self.exchange(board, log)
            await self._clock.sleep(PAUSE_SECONDS)

    async def exchange(self, board: HealthBoard, log: ReplicaLog) -> None:
        """Store what was moved and get the permits that are wanted, once."""
        wanted = self._permits.wanted()
        if not wanted and not self._unstored:
            return
        try:
            await self._look_at_clock()
            for subject in list(self._unstored):
                await self._store(board, log, subject)
            while wanted:
                await self._permit(board, log, wanted[-1])
                wanted.pop()
        except (RedisAwayError, RedisGarbageError):
            for subject in wanted:
                self._permit_alone(board, subject)

    async def _look_at_clock(self) -> None:
        before = self._clock.monotonic()
        if self._offset is not None and before - self._offset_at < CLOCK_SECONDS:
            return
        theirs = await self._records.now()
        after = self._clock.monotonic()
        self._offset, self._offset_at = theirs - (before + after) / 2, after

    async def _store(self, board: HealthBoard, log: ReplicaLog, subject: Subject) -> None:
        base = self._unstored.pop(subject)
        track = board.track_of(subject)
        if track is None or not base < track.breaker.circuit.revision <= MAX_REVISION:
            return  # it was forgotten, another replica's was taken over, or no record can hold it
        try:
            await self._swap(board, log, subject, base, track.breaker.circuit)
        except BaseException:
            # Whatever was moved meanwhile rests on it.
            self._unstored[subject] = base
            raise

    async def _permit(self, board: HealthBoard, log: ReplicaLog, subject: Subject) -> None:
        permitted = self._permitted(board, subject)
        if permitted is None:
            return
        if permitted.revision > MAX_REVISION or not _is_storable(subject):
            self._permit_alone(board, subject)
            return
        stored = await self._swap(board, log, subject, permitted.revision - 1, permitted)
        if stored is not None and not self._keeps_move(board, subject, stored):
            board.adopt(subject, stored, is_agreed=True)
            self._permits.put(subject, stored.permit)

    def _keeps_move(self, board: HealthBoard, subject: Subject, stored: Circuit) -> bool:
        """Put what was moved here meanwhile, a reset by hand say, on top of what is stored."""
        track = board.track_of(subject)
        if track is None or subject not in self._unstored:
            return False
        later = replace(track.breaker.circuit, revision=stored.revision + 1)
        self._unstored[subject] = stored.revision
        board.adopt(subject, later, is_agreed=True)
        return True

    def _permit_alone(self, board: HealthBoard, subject: Subject) -> None:
        permitted = self._permitted(board, subject)
        if permitted is not None:
            board.adopt(subject, permitted)
            self._permits.put(subject, permitted.permit)

    def _permitted(self, board: HealthBoard, subject: Subject) -> Circuit | None:
        now = self._clock.monotonic()
        track = board.track_of(subject)
        if track is None:
            return None
        circuit = track.breaker.circuit
        if circuit.state_at(now) is not CircuitState.HALF_OPEN or circuit.is_probed_at(now):
            return None
        return circuit.permitted(self._new_permit(), now)

    async def _swap(
        self,
        board: HealthBoard,
        log: ReplicaLog,
        subject: Subject,
        base: int,
        circuit: Circuit,
    ) -> Circuit | None:
        """Store a circuit and return it, or take over the one that another replica stored."""
        stored = await self._store_record(log, subject, base, circuit)
        if stored is None:
            return circuit
        theirs = self._read(stored)
        if theirs is not None:
            board.adopt(subject, theirs, is_agreed=True)
            return None
        if stored.revision >= MAX_REVISION:
            return None  # until it expires
        # Something that no replica wrote stands in the way.
        higher = replace(circuit, revision=stored.revision + 1)
        if await self._store_record(log, subject, stored.revision, higher) is not None:
            return None
        board.adopt(subject, higher, is_agreed=True)
        return higher

    async def _store_record(
        self, log: ReplicaLog, subject: Subject, base: int, circuit: Circuit
    ) -> Stored | None:
        if self._offset is None:
            raise RedisAwayError("clock")
        row = from_circuit(circuit, self._offset)
        tenant, name = _key(subject)
        stored = await self._records.swap(
            tenant,
            name,
            expected_revision=base,
            revision=circuit.revision,
            value=encode(row),
            ttl_seconds=TTL_SECONDS,
        )
        if stored is None:
            log.append(encode(moved(subject, row)))
        return stored

    def _read(self, stored: Stored) -> Circuit | None:
        if self._offset is None:
            return None
        try:
            row = decode_circuit(stored.value)
            return to_circuit(row, self._offset, self._clock.monotonic())
        except GarbageEntryError:
            logger.warning("the stored circuit of an offer or provider cannot be read")
            return None


def _is_storable(subject: Subject) -> bool:
    """Whether a record can have the name; others are decided alone."""
    return len(subject.tenant_id) <= MAX_TENANT_CHARACTERS


def _key(subject: Subject) -> tuple[str, str]:
    return subject.tenant_id, subject.name
