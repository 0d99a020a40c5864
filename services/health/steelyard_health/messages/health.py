"""Domain values from and to protobuf messages."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from steelyard.health.v1 import health_pb2 as pb
from steelyard_common.clock import Clock
from steelyard_health.domain.circuit import CircuitState
from steelyard_health.domain.outcome import (
    WINDOW_SECONDS,
    Headroom,
    Outcome,
    Result,
    UnusableOutcomeError,
)
from steelyard_health.domain.state import HealthState
from steelyard_health.domain.view import HealthView

NANOS = 1_000_000_000
MICROS = 1_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_RESULTS: Final[Mapping[int, Result]] = {int(result): result for result in Result}
# A scope from a later version must not pass for the platform's.
_IS_PRIVATE: Final[Mapping[int, bool]] = {
    pb.KEY_SCOPE_UNSPECIFIED: False,
    pb.KEY_SCOPE_PLATFORM: False,
    pb.KEY_SCOPE_TENANT: True,
    pb.KEY_SCOPE_CUSTOM_ENDPOINT: True,
}


@dataclass(frozen=True, slots=True)
class Instants:
    """Turns instants of the monotonic clock into wall time, as of one moment."""

    wall: datetime
    monotonic: float

    @classmethod
    def of(cls, clock: Clock) -> "Instants":
        return cls(clock.now(), clock.monotonic())

    def timestamp(self, instant: float | None) -> Timestamp | None:
        if instant is None:
            return None
        timestamp = Timestamp()
        timestamp.FromDatetime(self.wall + timedelta(seconds=instant - self.monotonic))
        return timestamp


def from_outcome(message: pb.Outcome, now: datetime) -> Outcome:
    """Return the outcome that a message tells of.

    Raises:
        UnusableOutcomeError: It makes no sense.
    """
    result = _RESULTS.get(message.result)
    if result is None:
        raise UnusableOutcomeError("result: must be one of the known results")
    is_private = _IS_PRIVATE.get(message.key_scope)
    if is_private is None:
        raise UnusableOutcomeError("key_scope: must be one of the known scopes")
    has = message.HasField
    return Outcome(
        outcome_id=message.outcome_id,
        offer=message.offer,
        result=result,
        age_seconds=_age(message.end_time, now) if has("end_time") else 0.0,
        latency_seconds=_seconds(message.latency) if has("latency") else None,
        first_token_seconds=(
            _seconds(message.time_to_first_token) if has("time_to_first_token") else None
        ),
        output_token_count=message.output_token_count,
        retry_after_seconds=_seconds(message.retry_after) if has("retry_after") else None,
        is_private=is_private,
        probe_permit=message.probe_permit,
        headroom=(
            _headroom(message) if has("rate_limit_count") or has("rate_limit_token_count") else None
        ),
    )


def to_offer_health(
    offer: str, view: HealthView, instants: Instants, *, with_results: bool = False
) -> pb.OfferHealth:
    """Return the message of an offer.

    Args:
        offer: Its id.
        view: Its health.
        instants: Now.
        with_results: Also count how calls ended.
    """
    figures = view.figures
    latency = figures.latency or (None, None, None)
    first_token = figures.first_token or (None, None)
    return pb.OfferHealth(
        offer=offer,
        score=view.score,
        state=_state(view.state),
        circuit=_circuit(view.circuit),
        sample_count=figures.sample_count,
        confidence=figures.confidence,
        latency_mean=_duration(figures.mean_latency),
        latency_p50=_duration(latency[0]),
        latency_p95=_duration(latency[1]),
        latency_p99=_duration(latency[2]),
        time_to_first_token_p50=_duration(first_token[0]),
        time_to_first_token_p95=_duration(first_token[1]),
        success_rate=_success_rate(view),
        rate_limit_headroom=view.headroom,
        retry_time=instants.timestamp(view.retry_at),
        probe_permit=view.probe_permit,
        from_provider=view.is_from_provider,
        output_tokens_per_second_p50=figures.tokens_per_second or 0.0,
        traffic_share=view.traffic_share,
        status_factor=view.status_factor,
        outcome_counts=_outcome_counts(view) if with_results else (),
    )


def to_provider_health(
    provider: str,
    view: HealthView,
    instants: Instants,
    *,
    status_page: pb.StatusPage | None = None,
    maintenance: pb.Maintenance | None = None,
) -> pb.ProviderHealth:
    """Return the message of a provider."""
    figures, standing = view.figures, view.standing
    latency = figures.latency or (None, None, None)
    first_token = figures.first_token or (None, None)
    return pb.ProviderHealth(
        provider=provider,
        score=view.score,
        window_score=figures.score,
        status_factor=view.status_factor,
        state=_state(view.state),
        circuit=_circuit(view.circuit),
        sample_count=figures.sample_count,
        confidence=figures.confidence,
        success_rate=_success_rate(view),
        error_rate=figures.error_rate or 0.0,
        consecutive_failure_count=standing.failures_in_row,
        consecutive_success_count=standing.successes_in_row,
        latency_mean=_duration(figures.mean_latency),
        latency_p50=_duration(latency[0]),
        latency_p95=_duration(latency[1]),
        latency_p99=_duration(latency[2]),
        time_to_first_token_p50=_duration(first_token[0]),
        time_to_first_token_p95=_duration(first_token[1]),
        window=Duration(seconds=WINDOW_SECONDS),
        status_page=status_page,
        last_outcome_time=instants.timestamp(standing.last_outcome_at),
        retry_time=instants.timestamp(view.retry_at),
        state_change_time=instants.timestamp(standing.changed_at),
        outcome_counts=_outcome_counts(view),
        rate_limit_headroom=view.headroom,
        traffic_share=view.traffic_share,
        output_tokens_per_second_p50=figures.tokens_per_second or 0.0,
        maintenance=maintenance,
    )


def _state(state: HealthState) -> "pb.HealthState.ValueType":
    return pb.HealthState.ValueType(state)


def _circuit(state: CircuitState) -> "pb.CircuitState.ValueType":
    return pb.CircuitState.ValueType(state)


def _outcome_counts(view: HealthView) -> list[pb.OutcomeCount]:
    return [
        pb.OutcomeCount(result=pb.Result.ValueType(result), count=count)
        for result, count in view.figures.results.items()
    ]


def _headroom(message: pb.Outcome) -> Headroom | None:
    """Return what is left of the limit that is nearest to its end."""
    shares = [min(1.0, max(0, left) / limit) for left, limit in _limits(message) if limit > 0]
    if not shares:
        return None
    reset = message.rate_limit_reset
    seconds = _seconds(reset) if message.HasField("rate_limit_reset") else None
    return Headroom(min(shares), seconds if seconds is None or seconds > 0 else 0.0)


def _limits(message: pb.Outcome) -> Iterable[tuple[int, int]]:
    if message.HasField("rate_limit_remaining_count") and message.HasField("rate_limit_count"):
        yield message.rate_limit_remaining_count, message.rate_limit_count
    if message.HasField("rate_limit_remaining_token_count") and message.HasField(
        "rate_limit_token_count"
    ):
        yield message.rate_limit_remaining_token_count, message.rate_limit_token_count


def _success_rate(view: HealthView) -> float:
    rate = view.figures.success_rate
    return 1.0 if rate is None else rate


def _age(end_time: Timestamp, now: datetime) -> float:
    """Return how long ago `end_time` was; a reporter whose clock is ahead means now."""
    elapsed: float = (now - EPOCH).total_seconds() - _seconds(end_time)
    return max(0.0, elapsed)


def _seconds(message: Duration | Timestamp) -> float:
    return message.seconds + message.nanos / NANOS


def _duration(seconds: float | None) -> Duration | None:
    if seconds is None:
        return None
    whole, micros = divmod(round(seconds * MICROS), MICROS)
    return Duration(seconds=whole, nanos=micros * (NANOS // MICROS))
