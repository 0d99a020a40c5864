"""Outcomes that wait for health: bounded, by tenant, the oldest first."""

from collections import OrderedDict, deque
from collections.abc import Mapping
from itertools import count, islice
from typing import Final, NamedTuple

from steelyard.health.v1 import health_pb2

MAX_QUEUED: Final = 10_000
MAX_BATCH: Final = 500


class Waiting(NamedTuple):
    """An outcome, whose it is, and since when it waits."""

    tenant_id: str
    outcome: health_pb2.Outcome
    since: float


class Batch(NamedTuple):
    """Outcomes of one tenant with their numbers in the queue, oldest first."""

    tenant_id: str
    outcomes: Mapping[int, health_pb2.Outcome]


class OutcomeQueue:
    """Keeps outcomes until they are removed by their numbers or pushed out by newer ones."""

    def __init__(self) -> None:
        self._numbers = count()
        self._waiting: OrderedDict[int, Waiting] = OrderedDict()
        self._by_tenant: dict[str, deque[int]] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def oldest(self) -> Waiting | None:
        return next(iter(self._waiting.values()), None)

    def add(self, waiting: Waiting) -> bool:
        """Take an outcome in; return whether the oldest had to go for it."""
        is_full = len(self._waiting) >= MAX_QUEUED
        if is_full:
            self._remove_oldest()
        number = next(self._numbers)
        self._waiting[number] = waiting
        self._by_tenant.setdefault(waiting.tenant_id, deque()).append(number)
        return is_full

    def has_batch_of(self, tenant_id: str) -> bool:
        """Say whether the outcomes of a tenant fill a batch."""
        return len(self._by_tenant.get(tenant_id, ())) >= MAX_BATCH

    def batch(self, tenant_id: str) -> Batch:
        """Return the oldest outcomes of a tenant; they stay in the queue."""
        numbers = islice(self._by_tenant.get(tenant_id, ()), MAX_BATCH)
        return Batch(tenant_id, {number: self._waiting[number].outcome for number in numbers})

    def remove(self, batch: Batch) -> None:
        """Remove what is still there of a batch: its newest may have come with newer ones since."""
        numbers = self._by_tenant.get(batch.tenant_id, deque())
        while numbers and numbers[0] in batch.outcomes:
            del self._waiting[numbers.popleft()]
        self._forget_if_empty(batch.tenant_id)

    def remove_older_than(self, instant: float) -> int:
        """Remove what waits since before an instant; return how many those were."""
        removed = 0
        while (oldest := self.oldest) is not None and oldest.since < instant:
            self._remove_oldest()
            removed += 1
        return removed

    def _remove_oldest(self) -> None:
        number, waiting = self._waiting.popitem(last=False)
        # The oldest of all is the oldest of its tenant.
        first = self._by_tenant[waiting.tenant_id].popleft()
        if first != number:
            raise AssertionError("the queue has lost its order")
        self._forget_if_empty(waiting.tenant_id)

    def _forget_if_empty(self, tenant_id: str) -> None:
        if not self._by_tenant.get(tenant_id, True):
            del self._by_tenant[tenant_id]
