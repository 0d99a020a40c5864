"""Tells health how calls to providers ended, without ever holding up who made them."""

import asyncio
import math
from collections.abc import Sequence
from enum import Enum
from typing import Final

import grpc
import structlog
from opentelemetry.metrics import Meter

from steelyard.health.v1 import health_pb2
from steelyard.health.v1 import health_service_pb2 as pb
from steelyard.health.v1 import health_service_pb2_grpc as pb_grpc
from steelyard_common.clock import Clock
from steelyard_common.ids import new_id
from steelyard_router.adapters.outcome_queue import Batch, OutcomeQueue, Waiting

LINGER_SECONDS: Final = 0.1
"""How long an outcome waits for others at most while health answers."""
CALL_SECONDS: Final = 2.0
FIRST_PAUSE_SECONDS: Final = 0.25
MAX_PAUSE_SECONDS: Final = 10.0
MAX_AGE_SECONDS: Final = 300.0
"""Health refuses what ended longer ago than its window."""
MAX_OUTCOME_BYTES: Final = 4_096
WARN_SECONDS: Final = 60.0
_NOT_TO_BE_REPEATED: Final = frozenset(
    {
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.UNAUTHENTICATED,
    }
)

logger = structlog.get_logger(__name__)


class Loss(Enum):
    """Why an outcome did not reach health."""

    FULL = "full"
    """Too many waited; it was the oldest."""
    EXPIRED = "expired"
    """It waited longer than the window of health."""
    REFUSED = "refused"
    """Health could not use it, or it is too large to be one."""
    SHUTDOWN = "shutdown"
    """The process ended while health was away."""


class OutcomeReporter:
    """Takes outcomes at once and sends them in batches, each counted once by its id.

    An outcome is kept until health has answered for it, so one whose answer was lost is sent again
    under the same id. What is lost all the same is counted in `router.outcomes.dropped`.
    """

    def __init__(self, channel: grpc.aio.Channel, clock: Clock, meter: Meter) -> None:
        self._stub = pb_grpc.HealthServiceStub(channel)
        self._clock = clock
        self._queue = OutcomeQueue()
        self._arrived = asyncio.Event()
        self._is_batch_full = asyncio.Event()
        self._sending = asyncio.Lock()
        self._is_waiting_for_health = False
        self._warned_at = float("-inf")
        self._unsaid_count = 0
        self._delivered = meter.create_counter(
            "router.outcomes.delivered", description="Outcomes that health has answered for."
        )
        self._dropped = meter.create_counter(
            "router.outcomes.dropped", description="Outcomes that were lost, by reason."
        )

    @property
    def queued_count(self) -> int:
        return len(self._queue)

    def report(self, tenant_id: str, outcome: health_pb2.Outcome) -> None:
        """Queue an outcome: without waiting, and whatever the state of health.

        Args:
            tenant_id: Whose request it was.
            outcome: What happened. Without an id it gets one, without an end it ended now.
        """
        if outcome.ByteSize() > MAX_OUTCOME_BYTES:
            self._lost(1, Loss.REFUSED)
            return
        kept = health_pb2.Outcome()
        kept.CopyFrom(outcome)
        kept.outcome_id = kept.outcome_id or new_id("out", clock=self._clock)
        if not kept.HasField("end_time"):
            kept.end_time.FromDatetime(self._clock.now())
        if self._queue.add(Waiting(tenant_id, kept, self._clock.monotonic())):
            self._lost(1, Loss.FULL)
        self._arrived.set()
        if self._queue.has_batch_of(tenant_id):
            self._is_batch_full.set()

    async def run(self) -> None:
        """Send for ever what is queued, one call at a time; while health is away, ever later."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            await self._arrived.wait()
            await self._linger()
            self._arrived.clear()
            self._is_batch_full.clear()
            if await self._send_queued(self._clock.monotonic()):
                pause = FIRST_PAUSE_SECONDS
            else:
                self._arrived.set()
                await self._clock.sleep(pause)
                pause = min(2 * pause, MAX_PAUSE_SECONDS)

    async def drain(self, seconds: float) -> None:
        """Send what is left before the process ends, if health answers within `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                await self._send_queued(math.inf)
        except TimeoutError:
            pass
        left = self.queued_count
        if left:
            self._dropped.add(left, {"reason": Loss.SHUTDOWN.value})
            logger.warning("outcomes lost: health did not take them in time", count=left)

    async def _linger(self) -> None:
        """Return when a batch is full, or when the oldest outcome has waited long enough."""
        full = asyncio.ensure_future(self._is_batch_full.wait())
        waited = asyncio.ensure_future(self._clock.sleep(LINGER_SECONDS))
        try:
            await asyncio.wait({full, waited}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            full.cancel()
            waited.cancel()

    async def _send_queued(self, until: float) -> bool:
        """Send what came until an instant, a batch at a time; return whether health took it.

        Batches are filled up with what came later; the rest of that waits for company.
        """
        async with self._sending:
            while True:
                expired = self._queue.remove_older_than(self._clock.monotonic() - MAX_AGE_SECONDS)
                if expired:
                    self._lost(expired, Loss.EXPIRED)
                oldest = self._queue.oldest
                if oldest is None or oldest.since > until:
                    return True
                if not await self._send(self._queue.batch(oldest.tenant_id)):
                    return False

    async def _send(self, batch: Batch) -> bool:
        """Send a batch; return False when it is to be sent again."""
        outcomes = tuple(batch.outcomes.values())
        request = pb.ReportOutcomesRequest(outcomes=outcomes)
        try:
            response = await self._stub.ReportOutcomes(request, timeout=CALL_SECONDS)
        except grpc.aio.AioRpcError as error:
            if error.code() not in _NOT_TO_BE_REPEATED:
                self._health_is_away(error.code())
                return False
            self._queue.remove(batch)
            self._lost(len(outcomes), Loss.REFUSED, f"{error.code().name}: {error.details()}")
            return True
        self._queue.remove(batch)
        self._health_answered(outcomes, response)
        return True

    def _health_answered(
        self, outcomes: Sequence[health_pb2.Outcome], response: pb.ReportOutcomesResponse
    ) -> None:
        refused = len(response.refused)
        self._delivered.add(len(outcomes) - refused)
        if refused:
            self._lost(refused, Loss.REFUSED, response.refused[0].problem)
        if self._is_waiting_for_health:
            logger.info("outcomes reach health again")
        self._is_waiting_for_health = False

    def _health_is_away(self, code: grpc.StatusCode) -> None:
        if not self._is_waiting_for_health:
            logger.warning("outcomes wait: health does not take them", code=code.name)
        self._is_waiting_for_health = True

    def _lost(self, number: int, loss: Loss, problem: str = "") -> None:
        """Count outcomes that are gone, and say so once a minute at most."""
        self._dropped.add(number, {"reason": loss.value})
        self._unsaid_count += number
        now = self._clock.monotonic()
        if now - self._warned_at >= WARN_SECONDS:
            logger.warning(
                "outcomes lost", count=self._unsaid_count, reason=loss.value, problem=problem[:200]
            )
            self._warned_at, self._unsaid_count = now, 0
