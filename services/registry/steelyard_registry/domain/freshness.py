"""When sources are old, and when they are read again."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from steelyard_registry.domain.feeds import Schedule, SourceName, is_stale
from steelyard_registry.domain.state import RegistryState, SourceState


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """How long each source counts as fresh."""

    times_to_live: Mapping[str, timedelta]
    """By name of the sources that are switched on."""
    catalogue_sources: frozenset[str]
    """Those of offers; scores may be old without the catalogue being so."""
    seed_time: datetime

    def is_source_stale(self, name: str, state: SourceState, now: datetime) -> bool:
        """Whether a source was last confirmed too long ago, or never; exactly the limit is."""
        if state.checked_time is None:
            return True
        return is_stale(state.checked_time, now, self.times_to_live[name])

    def is_stale(self, state: RegistryState, now: datetime) -> bool:
        """Whether a source of the catalogue is."""
        if SourceName.LITELLM not in self.catalogue_sources and self._is_seed_stale(now):
            return True
        return any(
            self.is_source_stale(name, state.source(name), now) for name in self.catalogue_sources
        )

    def turning_points(self, state: RegistryState, now: datetime) -> Iterable[float]:
        """Return the seconds until the catalogue changes by itself.

        It is of another day, a source turns stale, or what a person has set is over.
        """
        tomorrow = datetime.combine(now.date() + timedelta(days=1), time(), UTC)
        yield (tomorrow - now).total_seconds()
        if state.day < now.date() or state.is_stale != self.is_stale(state, now):
            yield 0.0  # it could not be kept when its time had come
        for score in state.corrections.values():
            if score.expire_time is not None:
                yield max(0.0, (score.expire_time - now).total_seconds())
        for name in self.catalogue_sources:
            checked = state.source(name).checked_time
            if checked is not None and not is_stale(checked, now, self.times_to_live[name]):
                yield (checked + self.times_to_live[name] - now).total_seconds()

    def due_time(self, name: str, state: SourceState, luck: float) -> datetime | None:
        """Return when a source is read next by itself; None means now.

        Args:
            name: Of the source.
            state: How it went.
            luck: A random number from 0 to 1, so that replicas do not ask all at once.
        """
        schedule = Schedule(ttl=self.times_to_live[name])
        if state.failures and state.attempt_time is not None:
            pause = schedule.after_failure(state.failures, luck)
            return state.attempt_time + timedelta(seconds=pause)
        if state.checked_time is None:
            return None
        return state.checked_time + timedelta(seconds=schedule.after_success(timedelta(), luck))

    def _is_seed_stale(self, now: datetime) -> bool:
        return now - self.seed_time >= timedelta(days=1)
