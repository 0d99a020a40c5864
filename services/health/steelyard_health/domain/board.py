"""The health of all offers and providers, as each tenant sees it.

Outcomes of platform keys move what everybody sees. Outcomes of a tenant's own keys and endpoints
move only what this tenant sees: its own figures stand alone once they are enough or bad, until
then they are added to what everybody sees.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from steelyard_health.domain.derived import Derived
from steelyard_health.domain.outcome import Outcome, provider_of
from steelyard_health.domain.seen import SeenOutcomes
from steelyard_health.domain.track import Track
from steelyard_health.domain.tracks import TenantTracks, Tracks
from steelyard_health.domain.view import UNKNOWN, HealthView, for_unseen_offer
from steelyard_health.domain.window import Sample

ENOUGH_OF_AN_OFFER = 5
"""Outcomes below which an offer is judged by its provider."""

MAX_DERIVED = 4096

ENOUGH_OF_A_TENANT = 10
"""Outcomes from which on a tenant's own figures stand alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """How much is remembered. A track holds at most 64 KiB, an id of an outcome 90 bytes."""

    offers: int = 2048
    providers: int = 256
    tenant_tracks: int = 2048
    """Offers and providers of all tenants' own keys and endpoints."""
    tracks_per_tenant: int = 512
    outcome_ids: int = 1_000_000
    """Enough for 3,300 outcomes a second over the window."""


class HealthBoard:
    """Takes in outcomes, gives out views. Times are seconds of one monotonic clock."""

    def __init__(self, capacity: Capacity | None = None) -> None:
        capacity = capacity or Capacity()
        self._offers = Tracks(capacity.offers)
        self._providers = Tracks(capacity.providers)
        self._tenants = TenantTracks(
            capacity=capacity.tenant_tracks, capacity_per_tenant=capacity.tracks_per_tenant
        )
        self._seen = SeenOutcomes(capacity.outcome_ids)
        self._unseen_offers: Derived[tuple[str, str], HealthView, HealthView] = Derived(
            lambda _, provider: for_unseen_offer(provider), capacity=MAX_DERIVED
        )
        self.version = 0
        """Outcomes taken in so far."""

    def record(self, tenant_id: str, outcome: Outcome, now: float) -> bool:
        """Take in an outcome and say whether it is new."""
        # By tenant, so that nobody can use up ids of somebody else.
        if not self._seen.add((tenant_id, outcome.outcome_id), now):
            return False
        sample = Sample.of(outcome, now)
        for track in self._touched(tenant_id, outcome):
            track.record(outcome, sample, now)
        self.version += 1
        return True

    def offers(self, tenant_id: str, offers: Iterable[str], now: float) -> list[HealthView]:
        """Return the health of each offer, or of its provider when too little is known of it."""
        own = self._tenants.of(tenant_id)
        views = []
        for offer in offers:
            view = _view(self._offers.get(offer), own.get(offer), now)
            if not view.speaks_for_itself(ENOUGH_OF_AN_OFFER):
                view = self._provider_instead(view, tenant_id, offer, now)
            views.append(view)
        return views

    def offers_of(
        self, tenant_id: str, provider: str, now: float
    ) -> Iterable[tuple[str, HealthView]]:
        """Return the offers of a provider that were reported on, by id, each by its own figures."""
        prefix = f"{provider}/"
        own = self._tenants.of(tenant_id)
        names = {name for tracks in (self._offers, own) for name in tracks}
        for name in sorted(name for name in names if name.startswith(prefix)):
            yield name, _view(self._offers.get(name), own.get(name), now)

    def provider(self, tenant_id: str, provider: str, now: float) -> HealthView:
        """Return the health of a provider over all its offers."""
        own = self._tenants.of(tenant_id)
        return _view(self._providers.get(provider), own.get(provider), now)

    def providers(self, tenant_id: str) -> list[str]:
        """Return the providers that were reported on, by id."""
        own = self._tenants.of(tenant_id)
        return sorted({*self._providers, *(name for name in own if "/" not in name)})

    def _touched(self, tenant_id: str, outcome: Outcome) -> tuple[Track, Track]:
        if outcome.is_private:
            return (
                self._tenants.reported(tenant_id, outcome.offer),
                self._tenants.reported(tenant_id, outcome.provider),
            )
        return self._offers.reported(outcome.offer), self._providers.reported(outcome.provider)

    def _provider_instead(
        self, view: HealthView, tenant_id: str, offer: str, now: float
    ) -> HealthView:
        provider = provider_of(offer)
        wider = self.provider(tenant_id, provider, now)
        if wider.figures.sample_count < ENOUGH_OF_AN_OFFER:
            return view
        return self._unseen_offers.get((tenant_id, provider), wider)


def _view(shared: Track | None, own: Track | None, now: float) -> HealthView:
    """Return what a tenant sees that has the track `own`."""
    if own is None:
        return UNKNOWN if shared is None else shared.view(now)
    view = own.view(now)
    if shared is None or view.speaks_for_itself(ENOUGH_OF_A_TENANT):
        return view
    return own.view_with(shared, now) if view.figures.sample_count else shared.view(now)
