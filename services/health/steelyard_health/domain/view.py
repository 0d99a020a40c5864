"""Health as a reader sees it: figures, state, circuit, and whose figures they are."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from steelyard_health.domain.circuit import CircuitState
from steelyard_health.domain.histogram import FIRST_TOKEN, LATENCY, SPEED
from steelyard_health.domain.outcome import Result
from steelyard_health.domain.score import (
    DECIMALS,
    NO_STATUS_PAGE,
    confidence,
    effective_score,
    window_score,
)
from steelyard_health.domain.state import BAD_STATES, HealthState
from steelyard_health.domain.window import MICROS, Tally

RESULTS = tuple(Result)
SIBLING_TRUST = 0.5
"""How much less a provider's other offers tell of an offer than its own outcomes do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What a state machine says at one instant. Instants are monotonic seconds."""

    state: HealthState
    state_apart_from_limits: HealthState
    failures_in_row: int = 0
    successes_in_row: int = 0
    retry_at: float | None = None
    """Not before this instant, None for now."""
    last_outcome_at: float | None = None
    changed_at: float | None = None
    """When the state was seen to change."""


UNKNOWN_STANDING = Standing(state=HealthState.UNKNOWN, state_apart_from_limits=HealthState.UNKNOWN)


class Percentiles(NamedTuple):
    """What takes longest to find; None where nothing was measured."""

    latency: tuple[float, ...] | None
    """p50, p95 and p99 of whole answers, in seconds."""
    first_token: tuple[float, ...] | None
    """p50 and p95, in seconds."""
    tokens_per_second: float | None
    """Median."""

    @classmethod
    def of(cls, tally: Tally) -> "Percentiles":
        counts = tally.counts
        speed = SPEED.quantiles(counts, (0.5,))
        return cls(
            LATENCY.quantiles(counts, (0.5, 0.95, 0.99)),
            FIRST_TOKEN.quantiles(counts, (0.5, 0.95)),
            speed[0] if speed else None,
        )


@dataclass(frozen=True, slots=True)
class Figures:
    """What a window amounts to; seconds, shares of 1, None where nothing was measured."""

    sample_count: int
    success_rate: float | None
    error_rate: float | None
    score: float
    confidence: float
    mean_latency: float | None
    latency: tuple[float, ...] | None
    """p50, p95 and p99 of whole answers."""
    first_token: tuple[float, ...] | None
    """p50 and p95."""
    tokens_per_second: float | None
    """Median."""
    results: Mapping[Result, int]
    """Outcomes by how they ended, without those that never occurred."""

    @classmethod
    def of(cls, tally: Tally, percentiles: Percentiles | None = None) -> "Figures":
        """Return the figures; `percentiles` are those of about the same tally."""
        samples = tally.sample_count
        success_rate = tally.successes / samples if samples else None
        mean_call = tally.call_micros / tally.call_count / MICROS if tally.call_count else None
        latency, first_token, speed = percentiles or Percentiles.of(tally)
        results = tally.results
        return cls(
            sample_count=samples,
            success_rate=success_rate,
            error_rate=tally.failures / samples if samples else None,
            score=window_score(success_rate, mean_call),
            confidence=confidence(samples),
            mean_latency=(
                tally.answer_micros / tally.answer_count / MICROS if tally.answer_count else None
            ),
            latency=latency,
            first_token=first_token,
            tokens_per_second=speed,
            results={result: results[result] for result in RESULTS if results[result]},
        )


NO_FIGURES = Figures.of(Tally())


@dataclass(frozen=True, slots=True)
class HealthView:
    """The health of one offer or provider at one instant, as one tenant sees it."""

    standing: Standing = UNKNOWN_STANDING
    figures: Figures = NO_FIGURES
    status_factor: float = NO_STATUS_PAGE
    is_from_provider: bool = False
    headroom: float | None = None
    """Share of the rate limit that is left."""
    circuit: CircuitState = CircuitState.CLOSED
    traffic_share: float = 1.0
    circuit_retry_at: float | None = None
    """When an open circuit lets a probe through."""
    absent_until: float | None = None
    """Taken out by hand until this instant."""
    probe_permit: str = ""
    """What the caller may use for one call to a half-open circuit."""

    @property
    def score(self) -> float:
        """The score that counts: of the window, corrected by the status page."""
        return effective_score(self.figures.score, self.status_factor)

    @property
    def state(self) -> HealthState:
        return HealthState.MAINTENANCE if self.absent_until is not None else self.standing.state

    @property
    def retry_at(self) -> float | None:
        """Not before this instant: the latest of a 429's, a circuit's and an absence's end."""
        ends = (self.standing.retry_at, self.circuit_retry_at, self.absent_until)
        return max((at for at in ends if at is not None), default=None)

    def speaks_for_itself(self, enough_samples: int) -> bool:
        """Say whether wider figures must not replace it: enough outcomes, or bad news."""
        return self.figures.sample_count >= enough_samples or self.standing.state in BAD_STATES


UNKNOWN = HealthView()


class Answer:
    """A view that is given out again and again while it stands."""

    __slots__ = ("encoded", "view")

    def __init__(self, view: HealthView) -> None:
        self.view = view
        self.encoded = b""
        """Where who gives it out keeps what it made of it; empty until then."""


def for_unseen_offer(provider: HealthView) -> HealthView:
    """Return what a provider's health says of an offer with few outcomes of its own.

    The provider's 429s and limits do not: providers limit models apart.
    """
    standing = provider.standing
    return replace(
        provider,
        is_from_provider=True,
        headroom=None,
        standing=replace(standing, state=standing.state_apart_from_limits, retry_at=None),
        figures=replace(
            provider.figures,
            confidence=round(provider.figures.confidence * SIBLING_TRUST, DECIMALS),
        ),
    )
