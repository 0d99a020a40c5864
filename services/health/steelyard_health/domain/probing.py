"""When calls of our own are worth making: where traffic is too thin to tell, and seldom.

A free probe reads a provider's list of models. It tells whether the provider is there at all; of a
model it tells nothing. It is due at most once per interval, and only where callers had to do with
the provider in the last hour, or wait for one of its offers to come back. A paid probe is a
completion of one token, for an offer whose circuit lets one probe through and that nobody else
probes. Neither is made where callers report enough.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol, TypeVar

from steelyard_health.domain.outcome import (
    PROVIDER_FAILURES,
    Outcome,
    Result,
    is_offer,
    provider_of,
)

ENOUGH_OUTCOMES: Final = 5
"""With so many in the window, callers tell enough."""
TRAFFIC_SECONDS: Final = 3600.0
"""For so long after its last call a provider is worth a free probe."""
USELESS_SECONDS: Final = 3600.0
"""How long not to repeat a probe that the provider refused as wrong: it has no list of models, or
the model makes no completions."""
MAX_WAIT_SECONDS: Final = 86_400.0
"""For so long at most a provider can send probes away."""
MAX_TICK_SECONDS: Final = 60.0
"""Traffic is looked for so often, that none leaves the window unseen."""

_BAD = PROVIDER_FAILURES | {Result.RATE_LIMITED}

V = TypeVar("V")


class ProbeMode(StrEnum):
    """Which probes are made."""

    OFF = "off"
    FREE = "free"
    PAID = "paid"
    """Free ones, too."""


class ProbeSubjects(Protocol):
    """What probes need to know of offers and providers, and where their outcomes go.

    Names are ids of offers, with a slash, or of providers.
    """

    def sample_count(self, name: str) -> int:
        """Return how many outcomes the window has that tell of success or failure.

        Of callers alone, for probes of any replica would keep a provider in use for ever.
        """

    def awaiting_probe(self) -> Sequence[str]:
        """Return the offers whose circuit is half-open for everybody and that nobody probes."""

    async def take_permit(self, offer: str) -> str | None:
        """Return the right to send the one probe, None when another has it."""

    async def record_probe(self, outcome: Outcome) -> None:
        """Take in how a probe ended. It needs no other tenants' word.

        One with `is_provider_only` tells of the provider; its offer is not one that exists.
        """


@dataclass(slots=True)
class _Mark:
    """The last probe of one offer or provider."""

    result: Result
    rests_until: float


class ProbeSchedule:
    """Remembers what was probed and says what is due. Times are seconds of one monotonic clock."""

    def __init__(self, interval_seconds: float) -> None:
        self._interval = interval_seconds
        self._marks: dict[str, _Mark] = {}
        self._called_at: dict[str, float] = {}

    @property
    def tick_seconds(self) -> float:
        """How often to look."""
        return min(self._interval, MAX_TICK_SECONDS)

    def providers_due(
        self, subjects: ProbeSubjects, providers: Iterable[str], now: float
    ) -> list[str]:
        """Return which of some providers are worth a free probe now."""
        self._forget(now)
        awaited = {provider_of(name) for name in subjects.awaiting_probe()}
        due = []
        for provider in sorted(providers):
            calls = subjects.sample_count(provider)
            if calls > 0:
                self._called_at[provider] = now
            is_used = provider in self._called_at or provider in awaited
            if is_used and calls < ENOUGH_OUTCOMES and not self._rests(provider, now):
                due.append(provider)
        return due

    def offers_due(
        self, subjects: ProbeSubjects, providers: Iterable[str], now: float
    ) -> list[str]:
        """Return which offers of some providers wait for a probe that is worth its price now.

        None is while its provider does not even answer free ones.
        """
        usable = {provider for provider in providers if not self._is_bad(provider, now)}
        return [
            name
            for name in sorted(set(subjects.awaiting_probe()))
            if is_offer(name)
            and provider_of(name) in usable
            and not self._rests(name, now)
            and subjects.sample_count(name) < ENOUGH_OUTCOMES
        ]

    def note(
        self,
        name: str,
        result: Result,
        *,
        began_at: float,
        now: float,
        wait_seconds: float | None = None,
    ) -> None:
        """Remember a probe that ended now.

        Args:
            name: Of the offer or provider.
            result: How it ended.
            began_at: When it was sent; the interval counts from here.
            now: The instant.
            wait_seconds: For how long the provider asked to stay away.
        """
        rest = began_at + self._interval
        if result is Result.CLIENT_ERROR:
            rest = max(rest, now + USELESS_SECONDS)
        if wait_seconds is not None:
            rest = max(rest, now + min(wait_seconds, MAX_WAIT_SECONDS))
        self._marks[name] = _Mark(result, rest)

    def _rests(self, name: str, now: float) -> bool:
        mark = self._marks.get(name)
        return mark is not None and now < mark.rests_until

    def _is_bad(self, provider: str, now: float) -> bool:
        mark = self._marks.get(provider)
        return mark is not None and mark.result in _BAD and now < mark.rests_until

    def _forget(self, now: float) -> None:
        """Drop what changes nothing any more."""
        _drop(self._called_at, lambda at: at <= now - TRAFFIC_SECONDS)
        _drop(self._marks, lambda mark: mark.rests_until <= now - self._interval)


def _drop(entries: dict[str, V], is_over: Callable[[V], bool]) -> None:
    for name in [name for name, value in entries.items() if is_over(value)]:
        del entries[name]
