"""Notices when a state or circuit has changed, and says why."""

from dataclasses import dataclass

from steelyard_health.domain.board import HealthBoard
from steelyard_health.domain.circuit import CircuitState
from steelyard_health.domain.outcome import PROVIDER_FAILURES
from steelyard_health.domain.overlay import Overlay
from steelyard_health.domain.state import HealthState
from steelyard_health.domain.subject import Subject
from steelyard_health.domain.track import Track
from steelyard_health.domain.view import UNKNOWN, HealthView

ALL_SECONDS = 10.0
"""How often also those are looked at that were well and nobody failed at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """One change, without the time and number under which it is told."""

    subject: Subject
    before: HealthState
    after: HealthState
    circuit_before: CircuitState
    circuit_after: CircuitState
    evidence: str


class Observer:
    """Compares what is so with what was told last."""

    def __init__(self, board: HealthBoard, overlay: Overlay) -> None:
        self._board = board
        self._overlay = overlay
        self._not_well: dict[Track, None] = {}
        self._all_at = 0.0

    def changes(self, now: float) -> list[Observed]:
        """Return what has changed since the last call."""
        gone: list[Track] = []
        if now - self._all_at >= ALL_SECONDS:
            self._all_at = now
            self._board.expire(now)
            tracks = dict.fromkeys(self._board.all_tracks())
            gone = [track for track in self._not_well if track not in tracks]
        else:
            tracks = {**self._not_well, **self._board.touched}
        self._board.touched.clear()
        # First what is gone: the same subject may have a new track by now.
        found = [self._forgotten(track) for track in gone]
        found += [self._looked_at(track, now) for track in tracks]
        return [change for change in found if change is not None]

    def _forgotten(self, track: Track) -> Observed | None:
        del self._not_well[track]
        heir = self._board.track_of(track.subject)
        if heir is not None and _has_told(heir):
            return None
        return Observed(
            subject=track.subject,
            before=track.told_state,
            after=HealthState.UNKNOWN,
            circuit_before=track.told_circuit,
            circuit_after=CircuitState.CLOSED,
            evidence="Forgotten: too much else was called since.",
        )

    def _looked_at(self, track: Track, now: float) -> Observed | None:
        # Figures take time to find, and mostly nothing has changed.
        is_told = track.is_told(now)
        state = track.state(now) if is_told else HealthState.UNKNOWN
        if self._overlay.absent_seconds(track.subject.name) is not None:
            state = HealthState.MAINTENANCE
        circuit = track.breaker.circuit.state_at(now)
        before, circuit_before = track.told_state, track.told_circuit
        if state is before and circuit is circuit_before:
            return None
        track.told_state, track.told_circuit = state, circuit
        is_well = state is HealthState.HEALTHY and circuit is CircuitState.CLOSED
        track.is_told_well = is_well
        if is_well or (state is HealthState.UNKNOWN and circuit is CircuitState.CLOSED):
            self._not_well.pop(track, None)
        else:
            self._not_well[track] = None
        return Observed(
            subject=track.subject,
            before=before,
            after=state,
            circuit_before=circuit_before,
            circuit_after=circuit,
            evidence=_evidence(track, track.view(now) if is_told else UNKNOWN, now),
        )


def _has_told(track: Track) -> bool:
    return (
        track.told_state is not HealthState.UNKNOWN or track.told_circuit is not CircuitState.CLOSED
    )


def _evidence(track: Track, view: HealthView, now: float) -> str:
    """Return the figures in one sentence."""
    figures, standing = view.figures, view.standing
    calls, failures, slow = track.breaker.recent_counts(now)
    parts = []
    if figures.sample_count:
        failed = round((figures.error_rate or 0.0) * figures.sample_count)
        kinds = ", ".join(
            f"{count} {result.name}"
            for result, count in figures.results.items()
            if result in PROVIDER_FAILURES
        )
        parts.append(
            f"{failed} of {figures.sample_count} calls failed in 5 min"
            + (f" ({kinds})" if kinds else "")
        )
    if failures:
        parts.append(f"{failures} of {calls} in 30 s")
    if slow:
        parts.append(f"{slow} of {calls} began late")
    if standing.failures_in_row > 1:
        parts.append(f"{standing.failures_in_row} in a row")
    if figures.latency is not None:
        parts.append(
            f"median {figures.latency[0]:.2f} s, 95th percentile {figures.latency[1]:.2f} s"
        )
    if standing.retry_at is not None:
        parts.append(f"asked to wait {max(0.0, standing.retry_at - now):.0f} s")
    return ("; ".join(parts) or "No calls in 5 min") + "."
