"""The health of all offers and providers: takes in outcomes and moves circuits.

Each outcome counts for the tenant whose call it was. What was called with the platform's keys
counts for everybody, too, and is told to everybody once enough tenants agree. What a tenant sees is
put together in `sight.py`.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import inf

from steelyard_health.domain.circuit import NEW_CIRCUIT, Circuit
from steelyard_health.domain.outcome import Outcome
from steelyard_health.domain.permits import SEPARATOR, GivenPermits, PermitDesk
from steelyard_health.domain.seen import SeenOutcomes
from steelyard_health.domain.subject import EVERYBODY, Subject
from steelyard_health.domain.track import Report, Track
from steelyard_health.domain.tracks import SoleReporters, TenantTracks, Tracks
from steelyard_health.domain.window import Sample, slot_of

FORGOTTEN_SECONDS = 3600.0
"""So long after its open time is over, a circuit says nothing of the present."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """How much is remembered. A track holds at most 66 KiB, an id of an outcome 90 bytes."""

    offers: int = 2048
    providers: int = 256
    tenant_tracks: int = 4096
    """Offers and providers of all tenants, each by its own calls."""
    tracks_per_tenant: int = 1024
    outcome_ids: int = 1_000_000
    """Enough for 3,300 outcomes a second over the window."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What the board needs of the world."""

    random: Callable[[], float]
    desk: PermitDesk
    when_moved: Callable[[Subject, Circuit, Circuit], None] = lambda *_: None
    """Told of each circuit that this board moved: whose, before, after."""


class HealthBoard:
    """Takes in outcomes. Times are seconds of one monotonic clock."""

    def __init__(self, means: Means, capacity: Capacity | None = None) -> None:
        capacity = capacity or Capacity()
        self._means = means
        self.shared_offers = Tracks(capacity.offers, when_changed=self._count_change)
        self.shared_providers = Tracks(capacity.providers, when_changed=self._count_change)
        self.tenants = TenantTracks(
            capacity=capacity.tenant_tracks,
            capacity_per_tenant=capacity.tracks_per_tenant,
            when_changed=self._count_change,
        )
        self._soles = SoleReporters(capacity.offers + capacity.providers)
        self._seen = SeenOutcomes(capacity.outcome_ids)
        self._permits = GivenPermits()
        self.version = 0
        """Outcomes and changes by hand taken in so far."""
        self.tracks_version = 0
        """Grows with each track that comes or goes."""
        self.touched: dict[Track, None] = {}
        """Tracks of which there may be something to tell; see `observer.py`."""

    def record(self, tenant_id: str, outcome: Outcome, now: float) -> bool:
        """Take in an outcome and say whether it is new.

        Args:
            tenant_id: Whose call it was; everybody means a probe of our own.
            outcome: How it ended.
            now: The instant.
        """
        # By tenant, so that nobody can use up ids of somebody else.
        if not self._seen.add((tenant_id, outcome.outcome_id), now):
            return False
        report = Report(tenant_id, outcome, Sample.of(outcome, now), now, slot_of(now))
        if not outcome.is_provider_only:
            self._take_in(report, outcome.offer, self.shared_offers)
        self._take_in(report, outcome.provider, self.shared_providers)
        if outcome.probe_permit:
            self._settle(report)
        self.version += 1
        return True

    def track_of(self, subject: Subject) -> Track | None:
        """Return what is remembered of a subject."""
        return self._tracks_of(subject).get(subject.name)

    def take_permits(self, tracks: Sequence[Track], now: float) -> str:
        """Return permits to probe half-open circuits; empty unless there is one for each."""
        desk = self._means.desk
        if not all(desk.has(track.subject, track.breaker.circuit, now) for track in tracks):
            return ""
        for track in tracks:
            self._move(track, desk.take(track.subject, track.breaker.circuit, now))
        return SEPARATOR.join(track.breaker.circuit.permit for track in tracks)

    def may_probe(self, track: Track, now: float) -> bool:
        """Say whether nobody has the permit of a half-open circuit, or this process still has."""
        circuit = track.breaker.circuit
        return not circuit.is_probed_at(now) or self._means.desk.has(track.subject, circuit, now)

    def adopt(self, subject: Subject, circuit: Circuit, *, is_agreed: bool = False) -> None:
        """Take over a circuit that another replica has moved.

        Args:
            subject: Whose it is.
            circuit: The circuit.
            is_agreed: Whether it counts also if this replica has moved its own; else only a newer
                one is taken over.
        """
        track = self._reported(subject)
        breaker = track.breaker
        if circuit.revision > breaker.circuit.revision or is_agreed:
            breaker.replace(circuit)
            self._permits.note(circuit, subject)
            self.touched[track] = None

    def reset(self, name: str) -> None:
        """Forget what calls said of an offer, or of a provider and all its offers."""
        for track in self._named(name):
            track.reset()
            self._move(track, track.breaker.circuit.forgotten())
        self.version += 1

    def expire(self, now: float) -> None:
        """Forget circuits that have waited an hour for a probe that nobody sent."""
        for track in self.all_tracks():
            circuit = track.breaker.circuit
            if circuit.is_open and now - circuit.open_until >= FORGOTTEN_SECONDS:
                self._move(track, circuit.forgotten())

    def all_tracks(self) -> Iterable[Track]:
        yield from self.shared_offers.all()
        yield from self.shared_providers.all()
        yield from self.tenants.all()

    def _take_in(self, report: Report, name: str, shared_tracks: Tracks) -> None:
        shared = shared_tracks.get(name)
        if report.who != EVERYBODY:
            own = self.tenants.reported(report.who, name)
            self._add(own, report, shared.breaker.circuit if shared is not None else NEW_CIRCUIT)
        if report.outcome.is_private or (shared is None and self._is_sole(report, name)):
            return
        if shared is None:
            shared = shared_tracks.reported(name)
            sole = self._soles.pop(name)
            if sole is not None:
                shared.hear(sole.tenant_id, called_at=sole.called_at, failed_at=sole.failed_at)
        self._add(shared_tracks.reported(name), report, NEW_CIRCUIT)

    def _is_sole(self, report: Report, name: str) -> bool:
        has_failed = report.sample.has_failed
        return report.who != EVERYBODY and self._soles.is_sole(
            name, report.who, report.now, has_failed=has_failed
        )

    def _add(self, track: Track, report: Report, wider: Circuit) -> None:
        sample = report.sample
        if track.record(report, wider):
            circuit = track.breaker.circuit.opened(report.now, self._means.random())
            self._move(track, circuit)
        elif sample.has_failed or not sample.is_counted or not track.is_told_well:
            self.touched[track] = None

    def _settle(self, report: Report) -> None:
        for permit, subject in self._permits.used(report.outcome.probe_permit):
            track = self.track_of(subject)
            if track is None or track.breaker.circuit.permit != permit:
                continue
            tells = _tells_of(subject, report)
            is_good = track.breaker.is_good_probe(report.sample) if tells else None
            circuit = track.breaker.circuit
            self._move(track, circuit.probed(report.now, self._means.random(), is_good=is_good))

    def _move(self, track: Track, circuit: Circuit) -> None:
        before = track.breaker.circuit
        if track.breaker.move(circuit):
            self._permits.note(circuit, track.subject)
            self.touched[track] = None
            self._means.when_moved(track.subject, before, circuit)

    def _named(self, name: str) -> list[Track]:
        prefix = f"{name}/"
        return [
            track
            for track in self.all_tracks()
            if track.subject.name == name or track.subject.name.startswith(prefix)
        ]

    def _tracks_of(self, subject: Subject) -> Tracks:
        if subject.tenant_id != EVERYBODY:
            return self.tenants.of(subject.tenant_id)
        return self.shared_offers if subject.offer else self.shared_providers

    def _reported(self, subject: Subject) -> Track:
        if subject.tenant_id != EVERYBODY:
            return self.tenants.reported(subject.tenant_id, subject.name)
        return self._tracks_of(subject).reported(subject.name)

    def _count_change(self) -> None:
        self.tracks_version += 1


def _tells_of(subject: Subject, report: Report) -> bool:
    """Say whether a call tells how a circuit's probe went; else another one may be sent."""
    outcome = report.outcome
    if not report.sample.is_counted or subject.name not in {outcome.offer, outcome.provider}:
        return False
    if outcome.is_provider_only and subject.offer:
        return False  # a list of models says nothing of a model
    if subject.tenant_id:
        return report.who in {subject.tenant_id, EVERYBODY}
    # What a tenant's own key meets must not move what everybody sees.
    return not outcome.is_private


def governing(own: Track | None, shared: Track | None) -> Track | None:
    """Return whose circuit decides for a tenant: the one that changed last.

    So when the circuit of all closes again, those of the tenants that noticed first do, too.
    """
    if own is None or shared is None:
        return own or shared
    mine, theirs = own.breaker.circuit, shared.breaker.circuit
    is_shared = theirs.changed_at > -inf and theirs.changed_at >= mine.changed_at
    return shared if is_shared else own
