"""When calls say that a circuit must open, and who has to say so."""

from collections.abc import Hashable

from steelyard_health.domain.outcome import WINDOW_SECONDS

FAILURE = 5
SUCCESS = 2
ENOUGH = 25
"""At 60 % failures 19 of 20 faults are noticed within twenty calls, at 1 % nothing ever is.

In the long run the sum grows only above 2 failures in 7 calls, about where a state becomes
unhealthy.
"""

FAILURES_IN_A_ROW = 5

TENANTS_TO_AGREE = 3
OFFERS_TO_AGREE = 2


class Evidence:
    """Failures weighed against successes as they come: a cumulative sum that stays above zero.

    It tells of a change sooner than the error rate of a window, in which what was before still
    counts.
    """

    __slots__ = ("_last_at", "_run", "_sum")

    def __init__(self) -> None:
        self._sum = 0
        self._run = 0
        self._last_at = 0.0

    def add(self, now: float, *, is_failure: bool) -> bool:
        """Weigh one call and say whether there is enough, were there enough calls."""
        if now - self._last_at > WINDOW_SECONDS:
            self.clear()
        self._last_at = now
        if is_failure:
            self._run += 1
            self._sum = min(self._sum + FAILURE, ENOUGH)
        elif self._sum:
            self._run = 0
            self._sum = max(0, self._sum - SUCCESS)
        return self._sum >= ENOUGH

    @property
    def is_run(self) -> bool:
        """Whether so many failed in a row that no other call matters."""
        return self._run >= FAILURES_IN_A_ROW

    def clear(self) -> None:
        self._sum = self._run = 0


class Witnesses:
    """Who saw something within the window; knows exactly whether there are enough of them.

    Only the latest few are kept: whoever else saw it did so earlier.
    """

    __slots__ = ("_count", "_seen")

    def __init__(self, count: int) -> None:
        self._count = count
        self._seen: dict[Hashable, float] = {}

    def add(self, who: Hashable, now: float) -> None:
        seen = self._seen
        seen.pop(who, None)
        seen[who] = now
        if len(seen) > self._count:
            del seen[next(iter(seen))]

    def agree(self, now: float) -> bool:
        """Say whether enough of them saw it within the window."""
        return self.until() > now

    def until(self) -> float:
        """Return until when they agree unless somebody sees it again; the past if they do not."""
        if len(self._seen) < self._count:
            return 0.0
        return self._seen[next(iter(self._seen))] + WINDOW_SECONDS

    def clear(self) -> None:
        self._seen.clear()


class Quorum:
    """What it takes until everybody is told what some tenants saw.

    Three tenants, or one call of our own that nobody can make up: else one tenant with a bad
    request, or bad intentions, could turn all others away from a provider.
    """

    __slots__ = ("failing", "limited", "reporting", "vouched_until")

    def __init__(self) -> None:
        self.reporting = Witnesses(TENANTS_TO_AGREE)
        self.failing = Witnesses(TENANTS_TO_AGREE)
        self.limited = Witnesses(TENANTS_TO_AGREE)
        self.vouched_until = 0.0

    def ends(self) -> tuple[float, ...]:
        """Return when agreement ends, each unless somebody testifies again."""
        return (
            self.vouched_until,
            self.reporting.until(),
            self.failing.until(),
            self.limited.until(),
        )

    def clear(self) -> None:
        self.reporting.clear()
        self.failing.clear()
        self.limited.clear()
        self.vouched_until = 0.0
