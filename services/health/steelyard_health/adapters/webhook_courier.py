"""Delivers messages, one replica at a time."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Protocol

import structlog

from steelyard_common.clock import Clock
from steelyard_common.leases import Lease, LeaseKeeper
from steelyard_common.webhooks import WebhookAnswer
from steelyard_health.adapters.outages import OUTAGES
from steelyard_health.adapters.webhook_outbox import WebhookOutbox
from steelyard_health.domain.webhook_delivery import WebhookDelivery, next_attempt

LEASE = "webhooks"
LEASE_DURATION = timedelta(seconds=60)
"""Far longer than one attempt: a killed courier holds up the next one so long."""

BATCH = 8
"""Messages that are sent at the same time; of one alert never two."""

POLL_SECONDS = 1.0
FIRST_DELAY_SECONDS = 1.0
MAX_DELAY_SECONDS = 60.0

logger = structlog.get_logger(__name__)


class Sender(Protocol):
    """Makes attempts."""

    async def send(self, delivery_id: str, body: bytes) -> WebhookAnswer:
        """Make one attempt and say how it ended."""


class WebhookCourier:
    """Sends what is due, at least once, under the same id each time."""

    def __init__(
        self,
        outbox: WebhookOutbox,
        sender: Sender,
        leases: LeaseKeeper,
        clock: Clock,
        *,
        draw: Callable[[], float] = random.random,
    ) -> None:
        """Take what is needed to deliver.

        Args:
            outbox: Has the messages.
            sender: Knows where to.
            leases: Let one replica deliver.
            clock: Waits.
            draw: Numbers from 0 to 1 for the jitter.
        """
        self._outbox = outbox
        self._sender = sender
        self._leases = leases
        self._clock = clock
        self._draw = draw

    async def run(self) -> None:
        """Deliver for ever; a database that does not answer is asked again, later each time."""
        delay = FIRST_DELAY_SECONDS
        while True:
            try:
                count = await self.deliver_due()
            except OUTAGES as error:
                logger.warning("webhooks wait for the database", problem=type(error).__name__)
                await self._clock.sleep(delay)
                delay = min(delay * 2, MAX_DELAY_SECONDS)
            else:
                delay = FIRST_DELAY_SECONDS
                if count < BATCH:
                    await self._clock.sleep(POLL_SECONDS)

    async def deliver_due(self) -> int:
        """Send a batch of what is due, and return how many were tried."""
        if not await self._outbox.due(1):
            return 0
        lease = await self._leases.acquire(LEASE, LEASE_DURATION)
        if lease is None:
            return 0
        try:
            due = await self._outbox.due(BATCH)
            async with asyncio.TaskGroup() as attempts:
                for delivery in due:
                    attempts.create_task(self._deliver(delivery))
        finally:
            await self._give_back(lease)
        return len(due)

    async def _deliver(self, delivery: WebhookDelivery) -> None:
        answer = await self._sender.send(delivery.delivery_id, delivery.body.encode())
        if answer.is_taken:
            logger.info(
                "webhook delivered",
                delivery_id=delivery.delivery_id,
                attempts=delivery.attempt_count + 1,
            )
            await self._noted(lambda: self._outbox.remove(delivery))
            return
        again = None
        if not answer.is_refused_for_good:
            again = next_attempt(delivery, self._clock.now(), self._draw)
        if again is None:
            _warn("webhook given up", delivery, answer)
            await self._noted(lambda: self._outbox.remove(delivery))
            return
        if not delivery.attempt_count:
            _warn("webhook not delivered", delivery, answer)
        await self._noted(lambda: self._outbox.postpone(delivery, again))

    async def _noted(self, note: Callable[[], Awaitable[None]]) -> None:
        """Note how an attempt ended, for as long as it takes: else it would be made again."""
        delay = FIRST_DELAY_SECONDS
        while True:
            try:
                await note()
            except OUTAGES as error:
                logger.warning("webhooks wait for the database", problem=type(error).__name__)
                await self._clock.sleep(delay)
                delay = min(delay * 2, MAX_DELAY_SECONDS)
            else:
                return

    async def _give_back(self, lease: Lease) -> None:
        try:
            await self._leases.release(lease)
        except OUTAGES as error:  # it expires by itself
            logger.warning("webhooks wait for the database", problem=type(error).__name__)


def _warn(event: str, delivery: WebhookDelivery, answer: WebhookAnswer) -> None:
    logger.warning(
        event,
        delivery_id=delivery.delivery_id,
        attempts=delivery.attempt_count + 1,
        problem=answer.problem,
    )
