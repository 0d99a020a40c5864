"""What status pages and planned absences make of what outcomes say."""

from collections.abc import Callable, Mapping

from steelyard_common.clock import Clock
from steelyard_health.domain.maintenance import MaintenancePlan
from steelyard_health.domain.outcome import provider_of
from steelyard_health.domain.score import NO_STATUS_PAGE
from steelyard_health.domain.status.page import PageStatus


class KnownOverlay:
    """Looks at the status pages and the plan of the moment."""

    def __init__(
        self,
        pages: Callable[[], Mapping[str, PageStatus]],
        plan: Callable[[], MaintenancePlan],
        clock: Clock,
    ) -> None:
        """Take where both are found; each is the same object until something changes."""
        self._pages = pages
        self._plan = plan
        self._clock = clock
        self._seen: tuple[object, object] = (None, None)
        self._factors: dict[str, float] = {}
        self._version = 0

    @property
    def version(self) -> int:
        pages, plan = self._pages(), self._plan()
        if self._seen[0] is not pages or self._seen[1] is not plan:
            now = self._clock.now()
            factors = {provider: page.factor_at(now) for provider, page in pages.items()}
            # Pages are read every few seconds and mostly say the same.
            if factors != self._factors or self._seen[1] is not plan:
                self._factors = factors
                self._version += 1
            self._seen = (pages, plan)
        return self._version

    def status_factor(self, provider: str) -> float:
        page = self._pages().get(provider)
        return NO_STATUS_PAGE if page is None else page.factor_at(self._clock.now())

    def absent_seconds(self, name: str) -> float | None:
        now = self._clock.now()
        absence = self._plan().of(name, now)
        return None if absence is None else (absence.end_time - now).total_seconds()

    def is_planned(self, name: str) -> bool:
        windows = self._plan().windows
        return name in windows or provider_of(name) in windows
