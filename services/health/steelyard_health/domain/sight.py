"""What a tenant sees of offers and providers.

Its own calls come first, once they are enough or bad news; then what everybody is told; then, for
an offer, the same of its provider. Circuits are those of the offer and of its provider, of the
tenant or of everybody, whichever changed last. Views are kept until something they rest on changes.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from math import inf

from steelyard_health.domain.board import HealthBoard, governing
from steelyard_health.domain.breaker import Breaker
from steelyard_health.domain.circuit import CircuitState
from steelyard_health.domain.outcome import provider_of
from steelyard_health.domain.overlay import Overlay
from steelyard_health.domain.track import Track
from steelyard_health.domain.view import UNKNOWN, Answer, HealthView, for_unseen_offer
from steelyard_health.domain.window import slot_end, slot_of

ENOUGH = 5
"""Outcomes below which an offer is judged by its provider."""

ENOUGH_OF_A_TENANT = 10
"""Outcomes from which on a tenant's own calls say more than everybody's."""

MAX_KEPT = 16_384
PLANNED_SECONDS = 1.0


class _Kept:
    """A view, and how long it stands."""

    __slots__ = ("answer", "circuits", "half_open", "rests_on", "until")

    def __init__(self) -> None:
        self.answer = Answer(UNKNOWN)
        self.until = inf
        self.rests_on: list[tuple[Track | Breaker, int]] = []
        self.circuits: list[Track] = []
        """Those that decide whether requests may be sent."""
        self.half_open: list[Track] = []

    def stands(self, now: float) -> bool:
        if now >= self.until:
            return False
        for source, version in self.rests_on:  # noqa: SIM110 - a generator doubles the time
            if source.version != version:
                return False
        return True

    def consult(self, track: Track, now: float) -> HealthView:
        """Return a track's own view; the kept one stands no longer than it."""
        view = track.view(now)
        self.rests_on.append((track, track.version))
        self.until = min(self.until, track.until())
        return view

    def obey(self, own: Track | None, shared: Track | None, now: float) -> None:
        """Let the circuit decide that changed last; the kept view stands until either changes."""
        for track in (own, shared):
            if track is not None:
                self.rests_on.append((track.breaker, track.breaker.version))
                self.until = min(self.until, track.breaker.until(now))
        deciding = governing(own, shared)
        if deciding is not None:
            self.circuits.append(deciding)


class Sight:
    """Answers by what a board knows, corrected by an overlay."""

    def __init__(self, board: HealthBoard, overlay: Overlay) -> None:
        self._board = board
        self._overlay = overlay
        self._kept: dict[str, dict[str, _Kept]] = {}
        self._kept_count = 0
        self._epoch = (-1, -1)

    def offers(self, tenant_id: str, offers: Iterable[str], now: float) -> list[Answer]:
        """Return the health of each offer, with the permits that the caller gets."""
        kept_of_tenant = self._kept_of(tenant_id)
        answers = []
        for offer in offers:
            kept = kept_of_tenant.get(offer)
            if kept is None or not kept.stands(now):
                kept = self._keep(kept_of_tenant, tenant_id, offer, now)
            answers.append(self._permitted(kept, now) if kept.half_open else kept.answer)
        return answers

    def offers_of(
        self, tenant_id: str, provider: str, now: float
    ) -> Iterator[tuple[str, HealthView]]:
        """Return the offers of a provider that were reported on, by id, each by its own figures."""
        prefix = f"{provider}/"
        own, board = self._board.tenants.of(tenant_id), self._board
        names = {name for name in own if name.startswith(prefix)}
        names |= {
            track.subject.offer
            for track in board.shared_offers.all()
            if track.subject.provider == provider and track.is_told(now)
        }
        for name in sorted(names):
            kept = _Kept()
            view = self._own_or_shared(kept, own.get(name), board.shared_offers.get(name), now)
            yield name, self._finished(kept, view or UNKNOWN, tenant_id, name, now)

    def provider(self, tenant_id: str, provider: str, now: float) -> HealthView:
        """Return the health of a provider over all its offers."""
        own, board = self._board.tenants.of(tenant_id), self._board
        kept = _Kept()
        view = self._own_or_shared(
            kept, own.get(provider), board.shared_providers.get(provider), now
        )
        return self._finished(kept, view or UNKNOWN, tenant_id, provider, now)

    def providers(self, tenant_id: str, now: float) -> list[str]:
        """Return the providers of which the tenant may see something, by id."""
        own = (name for name in self._board.tenants.of(tenant_id) if "/" not in name)
        shared = self._board.shared_providers.all()
        return sorted({*own, *(each.subject.provider for each in shared if each.is_told(now))})

    def _kept_of(self, tenant_id: str) -> dict[str, _Kept]:
        epoch = (self._board.tracks_version, self._overlay.version)
        if epoch != self._epoch or self._kept_count >= MAX_KEPT:
            self._epoch, self._kept, self._kept_count = epoch, {}, 0
        return self._kept.setdefault(tenant_id, {})

    def _keep(
        self, kept_of_tenant: dict[str, _Kept], tenant_id: str, offer: str, now: float
    ) -> _Kept:
        kept = _Kept()
        view = self._seen(kept, tenant_id, offer, now)
        kept.answer = Answer(self._finished(kept, view, tenant_id, offer, now))
        if offer not in kept_of_tenant:
            self._kept_count += 1
        kept_of_tenant[offer] = kept
        return kept

    def _seen(self, kept: _Kept, tenant_id: str, offer: str, now: float) -> HealthView:
        own, board = self._board.tenants.of(tenant_id), self._board
        provider = provider_of(offer)
        view = self._own_or_shared(kept, own.get(offer), board.shared_offers.get(offer), now)
        if view is not None and view.speaks_for_itself(ENOUGH):
            return view
        shared = board.shared_providers.get(provider)
        wider = self._own_or_shared(kept, own.get(provider), shared, now)
        if wider is not None and wider.figures.sample_count >= ENOUGH:
            return for_unseen_offer(wider)
        return view or UNKNOWN

    def _own_or_shared(
        self, kept: _Kept, own: Track | None, shared: Track | None, now: float
    ) -> HealthView | None:
        """Return what the tenant's calls say, or everybody's where it knows too little."""
        mine = kept.consult(own, now) if own is not None else None
        if mine is not None and mine.speaks_for_itself(ENOUGH_OF_A_TENANT):
            return mine
        theirs = kept.consult(shared, now) if shared is not None else None
        if shared is None or theirs is None or not shared.is_told(now):
            return mine
        is_more = mine is None or mine.figures.sample_count < ENOUGH
        return theirs if is_more or theirs.speaks_for_itself(ENOUGH_OF_A_TENANT) else mine

    def _finished(
        self, kept: _Kept, view: HealthView, tenant_id: str, name: str, now: float
    ) -> HealthView:
        """Return the view with circuits, status page and absences."""
        own, board = self._board.tenants.of(tenant_id), self._board
        provider = provider_of(name)
        if name != provider:
            kept.obey(own.get(name), board.shared_offers.get(name), now)
        kept.obey(own.get(provider), board.shared_providers.get(provider), now)
        overlay = self._overlay
        kept.until = min(kept.until, slot_end(slot_of(now)))
        if overlay.is_planned(name):
            kept.until = min(kept.until, now + PLANNED_SECONDS)
        state, share, retry_at = _circuit(kept, now)
        absent = overlay.absent_seconds(name)
        return replace(
            view,
            status_factor=overlay.status_factor(provider),
            circuit=state,
            traffic_share=share,
            circuit_retry_at=retry_at,
            absent_until=None if absent is None else now + absent,
        )

    def _permitted(self, kept: _Kept, now: float) -> Answer:
        """Return the answer with a permit, if nobody else probes any of the circuits."""
        permits = self._board.take_permits(kept.half_open, now)
        return Answer(replace(kept.answer.view, probe_permit=permits)) if permits else kept.answer


def _circuit(kept: _Kept, now: float) -> tuple[CircuitState, float, float | None]:
    """Return the state of the worst circuit, the share of traffic, and when a probe may be sent."""
    circuits = [track.breaker.circuit for track in kept.circuits]
    states = [circuit.state_at(now) for circuit in circuits]
    share = min((circuit.share_at(now) for circuit in circuits), default=1.0)
    if CircuitState.OPEN in states:
        return CircuitState.OPEN, 0.0, max(each.open_until for each in circuits if each.is_open)
    if CircuitState.HALF_OPEN in states:
        kept.half_open = [
            track
            for track, state in zip(kept.circuits, states, strict=True)
            if state is CircuitState.HALF_OPEN
        ]
        return CircuitState.HALF_OPEN, 0.0, None
    return CircuitState.CLOSED, share, None
