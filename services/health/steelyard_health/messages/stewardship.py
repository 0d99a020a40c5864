"""What people do by hand: requests, checked, and messages."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from steelyard.health.v1 import health_pb2
from steelyard.health.v1 import health_service_pb2 as pb
from steelyard_common.errors import FieldViolation, InvalidFieldError
from steelyard_common.message_times import to_timestamp
from steelyard_common.page_tokens import bad_page_token, from_text_page_token, to_page_token
from steelyard_health.domain.maintenance import (
    MAX_AHEAD,
    MAX_NOTE,
    HealthAction,
    Maintenance,
)
from steelyard_health.domain.outcome import is_offer, is_provider, provider_of

MAX_ID_LENGTH = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A provider or one of its offers, and why somebody does something to it."""

    provider: str
    offer: str
    """Empty when the whole provider is meant."""
    note: str

    @property
    def name(self) -> str:
        """Id of the offer or of the provider."""
        return self.offer or self.provider


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedWindow:
    """An absence that somebody asks for."""

    target: Target
    start_time: datetime | None
    """None when the caller does not say."""
    end_time: datetime
    """Perhaps in the past: then an absence is to end."""


def from_reset_request(request: pb.ResetProviderRequest) -> Target:
    """Return what is to be reset.

    Raises:
        InvalidFieldError: It names every part that makes no sense.
    """
    faults = _faults("", request.provider, request.offer, request.note)
    if faults:
        raise InvalidFieldError.of(faults)
    return Target(provider=request.provider, offer=request.offer, note=request.note)


def from_maintenance(message: health_pb2.Maintenance, now: datetime) -> AskedWindow:
    """Return the absence that is asked for.

    Raises:
        InvalidFieldError: It names every part that makes no sense.
    """
    faults = _faults("maintenance.", message.provider, message.offer, message.note)
    start = _time(message, "start_time", faults)
    end = _time(message, "end_time", faults)
    if end is None:
        if not message.HasField("end_time"):
            faults.append(FieldViolation("maintenance.end_time", "is required"))
    elif end > now + MAX_AHEAD:
        problem = f"must not be more than {MAX_AHEAD.days} days ahead"
        faults.append(FieldViolation("maintenance.end_time", problem))
    elif start is not None and end <= start:
        faults.append(FieldViolation("maintenance.end_time", "must lie after start_time"))
    if faults or end is None:
        raise InvalidFieldError.of(faults)
    target = Target(provider=message.provider, offer=message.offer, note=message.note)
    return AskedWindow(target=target, start_time=start, end_time=end)


def to_maintenance(window: Maintenance) -> health_pb2.Maintenance:
    return health_pb2.Maintenance(
        provider=window.provider,
        offer=window.offer,
        start_time=to_timestamp(window.start_time),
        end_time=to_timestamp(window.end_time),
        note=window.note,
        actor=window.actor,
    )


def to_action(action: HealthAction) -> health_pb2.HealthAction:
    window = action.maintenance
    return health_pb2.HealthAction(
        action_id=action.action_id,
        kind=cast("health_pb2.ActionKind.ValueType", action.kind),
        provider=action.provider,
        offer=action.offer,
        actor=action.actor,
        time=to_timestamp(action.time),
        note=action.note,
        maintenance=None if window is None else to_maintenance(window),
    )


def to_action_token(provider: str, last: HealthAction) -> str:
    """Return the token for what comes after an action."""
    return to_page_token(_question(provider), last.action_id)


def from_action_token(token: str, provider: str) -> str | None:
    """Return the action that a token names; None for the beginning.

    Raises:
        InvalidFieldError: The token is not of this list.
    """
    if not token:
        return None
    action_id = from_text_page_token(token, _question(provider))
    if len(action_id) > MAX_ID_LENGTH or not action_id.isascii() or "\x00" in action_id:
        raise bad_page_token()
    return action_id


def _question(provider: str) -> str:
    return f"actions {provider}"


def _faults(path: str, provider: str, offer: str, note: str) -> list[FieldViolation]:
    faults = []
    if not is_provider(provider):
        faults.append(FieldViolation(f"{path}provider", "must be the id of a provider"))
    if offer and not is_offer(offer):
        faults.append(FieldViolation(f"{path}offer", "must look like provider/model"))
    elif offer and provider_of(offer) != provider:
        faults.append(FieldViolation(f"{path}offer", "must be an offer of this provider"))
    if len(note) > MAX_NOTE:
        faults.append(FieldViolation(f"{path}note", f"must have at most {MAX_NOTE} characters"))
    elif "\x00" in note:  # PostgreSQL cannot hold it
        faults.append(FieldViolation(f"{path}note", "must not have a NUL character"))
    return faults


def _time(
    message: health_pb2.Maintenance, field: str, faults: list[FieldViolation]
) -> datetime | None:
    if not message.HasField(field):  # type: ignore[arg-type]
        return None
    try:
        time: datetime = getattr(message, field).ToDatetime(tzinfo=UTC)
    except (OverflowError, ValueError):
        faults.append(FieldViolation(f"maintenance.{field}", "is not a time"))
        return None
    return time
