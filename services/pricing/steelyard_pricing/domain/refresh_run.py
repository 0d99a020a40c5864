"""One refresh as it goes on, for everybody who follows it."""

from collections.abc import Collection, Mapping
from datetime import datetime

from steelyard_common.leased_job import JobRun
from steelyard_pricing.domain.refresh_events import Progress, Report


class RefreshRun(JobRun[Progress, Report]):
    """A run that spares sources which somebody else has read meanwhile."""

    def __init__(
        self,
        names: Collection[str],
        *,
        force: bool,
        seen: Mapping[str, datetime | None] | None = None,
    ) -> None:
        """Take what is asked for.

        Args:
            names: Of the sources to read.
            force: Read also what is fresh.
            seen: When each source was last tried, as far as the caller knew: what somebody else
                has read since then is not read again.
        """
        super().__init__(names, force=force)
        self.seen = seen or {}
