"""Domain values from and to protobuf messages."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from steelyard.health.v1 import health_pb2 as pb
from steelyard_common.clock import Clock
from steelyard_health.domain.outcome import WINDOW_SECONDS, Outcome, Result, UnusableOutcomeError
from steelyard_health.domain.state import HealthState
from steelyard_health.domain.view import HealthView

NANOS = 1_000_000_000
MICROS = 1_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_RESULTS: Final[Mapping[int, Result]] = {
    pb.RESULT_SUCCESS: Result.SUCCESS,
    pb.RESULT_SERVER_ERROR: Result.SERVER_ERROR,
    pb.RESULT_TIMEOUT: Result.TIMEOUT,
    pb.RESULT_CONNECTION_ERROR: Result.CONNECTION_ERROR,
    pb.RESULT_TRUNCATED: Result.TRUNCATED,
    pb.RESULT_RATE_LIMITED: Result.RATE_LIMITED,
    pb.RESULT_CLIENT_ERROR: Result.CLIENT_ERROR,
    pb.RESULT_AUTH_ERROR: Result.AUTH_ERROR,
    pb.RESULT_CANCELLED: Result.CANCELLED,
}
# A scope from a later version must not pass for the platform's.
_IS_PRIVATE: Final[Mapping[int, bool]] = {
    pb.KEY_SCOPE_UNSPECIFIED: False,
    pb.KEY_SCOPE_PLATFORM: False,
    pb.KEY_SCOPE_TENANT: True,
    pb.KEY_SCOPE_CUSTOM_ENDPOINT: True,
}
_STATES: "Final[Mapping[HealthState, pb.HealthState.ValueType]]" = {
    HealthState.UNKNOWN: pb.HEALTH_STATE_UNKNOWN,
    HealthState.HEALTHY: pb.HEALTH_STATE_HEALTHY,
    HealthState.DEGRADED: pb.HEALTH_STATE_DEGRADED,
    HealthState.UNHEALTHY: pb.HEALTH_STATE_UNHEALTHY,
    HealthState.RATE_LIMITED: pb.HEALTH_STATE_RATE_LIMITED,
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
    return Outcome(
        outcome_id=message.outcome_id,
        offer=message.offer,
        result=result,
        age_seconds=_age(message.end_time, now) if message.HasField("end_time") else 0.0,
        latency_seconds=_seconds(message.latency) if message.HasField("latency") else None,
        first_token_seconds=(
            _seconds(message.time_to_first_token)
            if message.HasField("time_to_first_token")
            else None
        ),
        output_token_count=message.output_token_count,
        retry_after_seconds=(
            _seconds(message.retry_after) if message.HasField("retry_after") else None
        ),
        is_private=is_private,
    )


def to_offer_health(offer: str, view: HealthView, instants: Instants) -> pb.OfferHealth:
    """Return a message without circuit, probe permit and headroom: none of them is tracked."""
    figures = view.figures
    latency = figures.latency or (None, None)
    first_token = figures.first_token or (None, None)
    return pb.OfferHealth(
        offer=offer,
        score=view.score,
        state=_STATES[view.state],
        sample_count=figures.sample_count,
        confidence=figures.confidence,
        latency_p50=_duration(latency[0]),
        latency_p95=_duration(latency[1]),
        time_to_first_token_p50=_duration(first_token[0]),
        time_to_first_token_p95=_duration(first_token[1]),
        success_rate=_success_rate(view),
        retry_time=instants.timestamp(view.standing.retry_at),
        from_provider=view.is_from_provider,
        output_tokens_per_second_p50=figures.tokens_per_second or 0.0,
    )


def to_provider_health(provider: str, view: HealthView, instants: Instants) -> pb.ProviderHealth:
    """Return a message without circuit and status page: neither is read."""
    figures, standing = view.figures, view.standing
    latency = figures.latency or (None, None, None)
    first_token = figures.first_token or (None, None)
    return pb.ProviderHealth(
        provider=provider,
        score=view.score,
        window_score=figures.score,
        status_factor=view.status_factor,
        state=_STATES[view.state],
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
        last_outcome_time=instants.timestamp(standing.last_outcome_at),
        retry_time=instants.timestamp(standing.retry_at),
        state_change_time=instants.timestamp(standing.changed_at),
    )


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
