"""Remembers whether a Redis answers, so that one that does not costs its callers nothing."""

from collections.abc import Callable
from enum import Enum, auto

from steelyard_common.clock import Clock

FAILURES_UNTIL_AWAY = 5
LOOK_AGAIN_SECONDS = 5.0
JITTER = 0.2


class Turn(Enum):
    """What a call changed."""

    NOTHING = auto()
    WENT_AWAY = auto()
    CAME_BACK = auto()


class RedisBreaker:
    """Away after five failures in a row; then one call every five seconds looks again."""

    def __init__(
        self,
        clock: Clock,
        random: Callable[[], float],
        *,
        look_again_seconds: float = LOOK_AGAIN_SECONDS,
    ) -> None:
        """Begin with a Redis that is there.

        Args:
            clock: For the pause between two looks.
            random: Returns numbers from 0 to 1, so that replicas do not look all at once.
            look_again_seconds: Mean pause between two looks, give or take a fifth.
        """
        self._clock = clock
        self._random = random
        self._look_again_seconds = look_again_seconds
        self._failures = 0
        self._next_look: float | None = None

    @property
    def is_away(self) -> bool:
        return self._next_look is not None

    @property
    def refuses(self) -> bool:
        """Whether a call now would be refused; asking changes nothing."""
        return self._next_look is not None and self._clock.monotonic() < self._next_look

    def admit(self) -> bool:
        """Say whether a call may be tried; while away, the one that may is the look of its turn.

        The next turn is set at once: a look that is cancelled leaves nothing behind.
        """
        if self.refuses:
            return False
        if self.is_away:
            self._next_look = self._clock.monotonic() + self._pause()
        return True

    def failed(self) -> Turn:
        """Note that a call got no answer."""
        self._failures += 1
        if self.is_away or self._failures < FAILURES_UNTIL_AWAY:
            return Turn.NOTHING
        self._next_look = self._clock.monotonic() + self._pause()
        return Turn.WENT_AWAY

    def succeeded(self) -> Turn:
        """Note that a call was answered in time."""
        self._failures = 0
        if not self.is_away:
            return Turn.NOTHING
        self._next_look = None
        return Turn.CAME_BACK

    def _pause(self) -> float:
        return self._look_again_seconds * (1 + JITTER * (2 * self._random() - 1))
