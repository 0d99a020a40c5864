"""Serves what other replicas on the same database have published."""

from steelyard_common.clock import Clock
from steelyard_pricing.domain.publisher import Publisher

POLL_SECONDS = 2.0
"""A new snapshot is served by every replica within this, and margins are looked at."""


class Follower:
    """Looks every now and then whether there is something newer."""

    def __init__(self, publisher: Publisher, clock: Clock) -> None:
        self._publisher = publisher
        self._clock = clock

    async def run(self) -> None:
        """Go on as long as the process."""
        while True:
            await self._clock.sleep(POLL_SECONDS)
            async with self._publisher.turn:
                await self._publisher.catch_up()
