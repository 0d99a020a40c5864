"""How long to wait before a crashed child is started again."""

FIRST_SECONDS = 0.5
MAX_SECONDS = 30.0
STEADY_SECONDS = 60.0


class Backoff:
    """Doubles the wait with each crash, and starts over once a child ran for a minute."""

    def __init__(self) -> None:
        self._next_seconds = FIRST_SECONDS

    def after(self, ran_seconds: float) -> float:
        """Return the wait after a child that ran so long."""
        if ran_seconds >= STEADY_SECONDS:
            self._next_seconds = FIRST_SECONDS
        wait = self._next_seconds
        self._next_seconds = min(2 * wait, MAX_SECONDS)
        return wait
