"""What happens to a circuit between a question to Redis and its answer."""

from dataclasses import replace

import pytest

from steelyard_common.redis_link import RedisLink
from steelyard_common.telemetry import Telemetry
from steelyard_health.adapters.circuit_exchange import MAX_WANTED, CircuitExchange, StockedPermits
from steelyard_health.adapters.replica_entries import CircuitRow, to_circuit
from steelyard_health.adapters.replica_log import ReplicaLog
from steelyard_health.adapters.replica_stream import ReplicaStream
from steelyard_health.adapters.shared_records import SharedRecords, Stored
from steelyard_health.domain.board import HealthBoard, Means
from steelyard_health.domain.circuit import NEW_CIRCUIT, CircuitState
from steelyard_health.domain.outcome import Result
from steelyard_health.domain.subject import Subject
from tests.health.outcomes import OFFER, TENANT, an_outcome
from tests.health.shared.conftest import HastyClock, Linker
from tests.valkey import Valkey

SUBJECT = Subject.of(OFFER, TENANT)


class ResetMeanwhile(SharedRecords):
    """Somebody resets the offer while a permit is being stored."""

    def __init__(self, link: RedisLink) -> None:
        super().__init__(link)
        self.board: HealthBoard | None = None

    async def swap(self, tenant: str, key: str, **rest: object) -> Stored | None:
        stored = await super().swap(tenant, key, **rest)  # type: ignore[arg-type]
        if self.board is not None:
            board, self.board = self.board, None
            board.reset(OFFER)
        return stored


async def test_a_reset_by_hand_while_a_permit_is_stored_is_not_undone(
    valkey: Valkey, link_to: Linker, hasty: HastyClock, telemetry: Telemetry
) -> None:
    link = link_to(valkey.url)
    permits, records = StockedPermits(), ResetMeanwhile(link)
    exchange = CircuitExchange(records, permits, hasty)
    board = HealthBoard(Means(random=lambda: 0.5, desk=permits, when_moved=exchange.note))
    log = ReplicaLog(ReplicaStream(link), lambda *_: None, clock=hasty, meter=telemetry.meter)
    for _ in range(5):
        board.record(TENANT, an_outcome(Result.SERVER_ERROR), hasty.monotonic())
    await exchange.exchange(board, log)
    hasty.ahead_seconds += 5
    track = board.track_of(SUBJECT)
    assert track is not None
    board.take_permits([track], hasty.monotonic())
    records.board = board

    for _ in range(3):
        await exchange.exchange(board, log)

    assert track.breaker.circuit.state_at(hasty.monotonic()) is CircuitState.CLOSED
    stored = await records.read(TENANT, OFFER)
    assert stored is not None
    assert stored.revision == track.breaker.circuit.revision


def test_permits_nobody_comes_for_are_forgotten_first() -> None:
    permits = StockedPermits()
    circuit = replace(NEW_CIRCUIT, is_open=True, permit="p", permit_until=9.0)
    subjects = [Subject.of(f"acme/{number}") for number in range(MAX_WANTED + 1)]

    for subject in subjects:
        permits.put(subject, "p")

    assert not permits.has(subjects[0], circuit, 1.0)
    assert permits.has(subjects[-1], circuit, 1.0)


def test_a_circuit_that_closed_by_a_clock_that_is_ahead_sends_no_negative_share() -> None:
    row = CircuitRow(3, False, 1100.0, None, 1, 0, "", None)

    circuit = to_circuit(row, 0.0, 1000.0)

    assert circuit.share_at(1000.0) == pytest.approx(0.1)
