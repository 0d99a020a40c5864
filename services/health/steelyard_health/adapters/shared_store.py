"""Health that replicas share: each keeps all of it in memory and hears of the others' outcomes.

Nobody waits for Redis. An outcome counts here at once and on the other replicas a fraction of a
second later; a replica that starts learns the last five minutes first.
"""

import asyncio
from collections.abc import Sequence

from steelyard_common.clock import Clock
from steelyard_health.adapters.circuit_exchange import CircuitExchange
from steelyard_health.adapters.memory_store import MemoryHealthStore
from steelyard_health.adapters.replica_entries import (
    CircuitMoved,
    Outcomes,
    WasReset,
    decode,
    encode,
    from_outcomes,
    subject_of,
    to_circuit,
    to_outcomes,
)
from steelyard_health.adapters.replica_log import ReplicaLog
from steelyard_health.domain.outcome import Outcome
from steelyard_health.domain.view import Answer, HealthView

TELL_SECONDS = 0.25
"""Eight replicas then fit five minutes into the log."""
MAX_UNTOLD = 500
MAX_TOLD_AT_ONCE = 250
"""Outcomes in one entry: at their longest they take 165 KB, and entries end at 256 KiB."""


class SharedHealthStore:
    """A store in memory that tells other replicas, and listens to them."""

    def __init__(self, local: MemoryHealthStore, exchange: CircuitExchange, clock: Clock) -> None:
        """Take what it is made of.

        Args:
            local: Answers; its desk is that of `exchange`, which it tells of moved circuits.
            exchange: Agrees on circuits.
            clock: That of `local`.
        """
        self._local = local
        self._exchange = exchange
        self._clock = clock
        self._log: ReplicaLog | None = None
        self._untold: dict[str, list[Outcome]] = {}

    def connect(self, log: ReplicaLog) -> None:
        """Take the log, whose entries go to `hear`."""
        self._log = log

    @property
    def version(self) -> int:
        return self._local.version

    async def record(self, tenant_id: str, outcomes: Sequence[Outcome]) -> int:
        new = self._local.record_new(tenant_id, outcomes)
        if new:
            untold = self._untold.setdefault(tenant_id, [])
            untold += new
            if len(untold) >= MAX_UNTOLD or len(self._untold) >= MAX_UNTOLD:
                self._tell_others()
        return len(new)

    async def offers(self, tenant_id: str, offers: Sequence[str]) -> Sequence[Answer]:
        return await self._local.offers(tenant_id, offers)

    async def offers_of(self, tenant_id: str, provider: str) -> Sequence[tuple[str, HealthView]]:
        return await self._local.offers_of(tenant_id, provider)

    async def provider(self, tenant_id: str, provider: str) -> HealthView:
        return await self._local.provider(tenant_id, provider)

    async def providers(self, tenant_id: str) -> Sequence[str]:
        return await self._local.providers(tenant_id)

    async def reset(self, name: str) -> None:
        self._tell_others()
        await self._local.reset(name)
        if self._log is not None:
            self._log.append(encode(WasReset(name)))

    def hear(self, payload: bytes, age_seconds: float) -> None:
        """Take in what another replica told.

        Raises:
            GarbageEntryError: No replica says that.
        """
        entry = decode(payload)
        if isinstance(entry, Outcomes):
            self._local.record_new(entry.tenant_id, to_outcomes(entry, age_seconds))
        elif isinstance(entry, CircuitMoved):
            self._hear_of_circuit(entry)
        else:
            self._local.forget(entry.name)

    async def run(self) -> None:
        """Write, listen, agree and tell what changes, as long as the process."""
        if self._log is None:
            raise AssertionError("a shared store has a log")
        async with asyncio.TaskGroup() as group:
            group.create_task(self._log.run())
            group.create_task(self._keep_telling())
            group.create_task(self._agree(self._log))
            group.create_task(self._local.run())

    async def close(self) -> None:
        """Tell what is not told yet: for the end of a process."""
        self._tell_others()
        if self._log is not None:
            await self._log.flush()

    async def _keep_telling(self) -> None:
        while True:
            self._tell_others()
            await self._clock.sleep(TELL_SECONDS)

    def _tell_others(self) -> None:
        untold, self._untold = self._untold, {}
        if self._log is not None:
            for tenant_id, outcomes in untold.items():
                for start in range(0, len(outcomes), MAX_TOLD_AT_ONCE):
                    some = outcomes[start : start + MAX_TOLD_AT_ONCE]
                    self._log.append(encode(from_outcomes(tenant_id, some)))

    async def _agree(self, log: ReplicaLog) -> None:
        await log.caught_up.wait()
        await self._exchange.learn(self._local.board)
        await self._exchange.run(self._local.board, log)

    def _hear_of_circuit(self, entry: CircuitMoved) -> None:
        offset = self._exchange.offset
        if offset is None:
            return  # what is stored is read once the clock of Redis is known
        circuit = to_circuit(entry.circuit, offset, self._clock.monotonic())
        self._local.board.adopt(subject_of(entry), circuit)
