"""What the methods of the contract need of a store."""

from collections.abc import Sequence
from typing import Protocol

from steelyard_health.domain.outcome import Outcome
from steelyard_health.domain.view import Answer, HealthView


class HealthStore(Protocol):
    """Where outcomes go and views come from.

    Promises: an outcome is in every later view of the same process; recording is idempotent by
    tenant and outcome id over the window; no tenant's calls are in another tenant's views unless
    enough tenants agree; an answer is the same object while it stands, and its instants are on this
    process's monotonic clock. Nobody waits for another process.
    """

    @property
    def version(self) -> int:
        """Outcomes and changes by hand taken in so far."""

    async def record(self, tenant_id: str, outcomes: Sequence[Outcome]) -> int:
        """Take in outcomes and return how many were new."""

    async def offers(self, tenant_id: str, offers: Sequence[str]) -> Sequence[Answer]:
        """Return the health of each offer, with the permits that the caller gets."""

    async def offers_of(self, tenant_id: str, provider: str) -> Sequence[tuple[str, HealthView]]:
        """Return a provider's offers that were reported on, by id, each by its own figures."""

    async def provider(self, tenant_id: str, provider: str) -> HealthView:
        """Return the health of a provider over all its offers."""

    async def providers(self, tenant_id: str) -> Sequence[str]:
        """Return the providers that were reported on, by id."""

    async def reset(self, name: str) -> None:
        """Forget what calls said of an offer, or of a provider and all its offers."""
