"""Every override and margin rule: in memory as they are in the database, never ahead of it."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from steelyard_pricing.domain.margins import MarginRule, RuleKey
from steelyard_pricing.domain.overrides import PriceOverride
from steelyard_pricing.domain.price_view import PriceView, Terms, terms_of
from steelyard_pricing.domain.snapshot import Snapshot

MAX_VIEWS = 256
"""Views that are kept; tenants of a plan share one."""


@dataclass(frozen=True, slots=True)
class NegotiationState:
    """All of them at one revision."""

    revision: int = -1
    overrides: tuple[PriceOverride, ...] = ()
    """Replaced ones too: they apply to the times before."""
    rules: tuple[MarginRule, ...] = ()
    """Those of plans first, each by name."""


class NegotiationStore(Protocol):
    """Keeps overrides and rules; each write makes a new revision."""

    async def revision(self) -> int:
        """Return the present revision."""

    async def load(self) -> NegotiationState:
        """Return everything at one revision."""

    async def put_override(
        self, override: PriceOverride, now: datetime, *, is_new: bool
    ) -> PriceOverride | None:
        """Keep an override instead of the present one with its id; None when there is none."""

    async def end_override(self, tenant_id: str, override_id: str, now: datetime) -> bool:
        """End an override unless it has ended; False when the tenant has none with this id."""

    async def put_rule(self, rule: MarginRule) -> None:
        """Keep a rule instead of the present one with its key.

        Raises:
            TenantOnOtherPlanError: A tenant of the plan is on another one.
        """

    async def delete_rule(self, key: RuleKey) -> bool:
        """Remove a rule; False when there is none."""


class TenantOnOtherPlanError(Exception):
    """A tenant is on one plan at most."""

    def __init__(self, tenant_id: str, plan: str) -> None:
        super().__init__(f"{tenant_id} is on plan {plan}")
        self.tenant_id = tenant_id
        self.plan = plan


class Negotiations:
    """Answers from memory; several processes on one database follow each other with `reload`."""

    def __init__(self, store: NegotiationStore) -> None:
        self._store = store
        self._loading = asyncio.Lock()
        self._terms: Mapping[str, Terms] = {}
        self._views: dict[Terms, PriceView] = {}
        self.state = NegotiationState()

    async def reload(self) -> bool:
        """Take over what another process has written; True when there was something."""
        async with self._loading:
            if await self._store.revision() == self.state.revision:
                return False
            state = await self._store.load()
            # No await from here on: readers see all of it or nothing.
            self.state = state
            self._terms = terms_of(state.overrides, state.rules)
            self._views = {}
            return True

    def view(self, tenant_id: str, snapshot: Snapshot) -> PriceView | None:
        """Return a tenant's prices, None for one that pays list prices."""
        terms = self._terms.get(tenant_id)
        if terms is None:
            return None
        view = self._views.get(terms)
        if view is None or view.snapshot_version != snapshot.version:
            if len(self._views) >= MAX_VIEWS:
                self._views.clear()
            view = self._views[terms] = PriceView(terms, snapshot.version)
        return view

    def overrides(self, tenant_id: str) -> Sequence[PriceOverride]:
        """Return a tenant's overrides, the one that was set last first."""
        own = [
            override
            for override in self.state.overrides
            if override.tenant_id == tenant_id and override.is_current
        ]
        return sorted(own, key=lambda override: override.sequence, reverse=True)

    async def set_override(
        self, override: PriceOverride, now: datetime, *, is_new: bool
    ) -> PriceOverride | None:
        """Keep an override; None when it should replace one that the tenant does not have."""
        kept = await self._store.put_override(override, now, is_new=is_new)
        await self.reload()
        return kept

    async def end_override(self, tenant_id: str, override_id: str, now: datetime) -> bool:
        """End an override now; False when the tenant has none with this id."""
        is_known = await self._store.end_override(tenant_id, override_id, now)
        await self.reload()
        return is_known

    async def set_rule(self, rule: MarginRule) -> None:
        """Keep a rule.

        Raises:
            TenantOnOtherPlanError: A tenant of the plan is on another one.
        """
        await self._store.put_rule(rule)
        await self.reload()

    async def delete_rule(self, key: RuleKey) -> bool:
        """Remove a rule; False when there is none."""
        is_known = await self._store.delete_rule(key)
        await self.reload()
        return is_known
