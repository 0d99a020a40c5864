"""Alerts as messages, and questions about them."""

from datetime import UTC, datetime, timedelta

from steelyard.health.v1 import health_pb2
from steelyard.health.v1 import health_service_pb2 as pb
from steelyard_common.message_times import to_timestamp
from steelyard_common.page_tokens import bad_page_token, from_page_token, to_page_token
from steelyard_health.domain.alerting import Alert, AlertPlace, AlertQuery
from steelyard_health.domain.subject import EVERYBODY
from steelyard_health.messages.changes import to_state
from steelyard_health.messages.pages import from_provider_filter

MAX_ID_LENGTH = 64

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def from_alert_request(request: pb.ListAlertsRequest, tenant_id: str) -> AlertQuery:
    """Return which alerts are asked for.

    Raises:
        InvalidFieldError: A part makes no sense.
    """
    return AlertQuery(
        tenant_id=tenant_id,
        provider=from_provider_filter(request.provider),
        open_only=request.open_only,
    )


def to_alert_token(query: AlertQuery, last: Alert) -> str:
    """Return the token for what comes after an alert."""
    place = (last.start_time - _EPOCH) // _MICROSECOND
    return to_page_token(_question(query), place, last.alert_id)


def from_alert_token(token: str, query: AlertQuery) -> AlertPlace | None:
    """Return the place that a token names; None for the beginning.

    Raises:
        InvalidFieldError: The token is not of this list.
    """
    if not token:
        return None
    match from_page_token(token, _question(query)):
        case [int(place), str(alert_id)] if _can_be_id(alert_id):
            try:
                return AlertPlace(_EPOCH + place * _MICROSECOND, alert_id)
            except OverflowError:
                raise bad_page_token() from None
        case _:
            raise bad_page_token()


def to_alert(alert: Alert) -> health_pb2.Alert:
    return health_pb2.Alert(
        alert_id=alert.alert_id,
        provider=alert.subject.provider,
        offer=alert.subject.offer,
        state=to_state(alert.state),
        start_time=to_timestamp(alert.start_time),
        end_time=to_timestamp(alert.end_time),
        evidence=alert.evidence,
        platform_wide=alert.subject.tenant_id == EVERYBODY,
    )


def _can_be_id(text: str) -> bool:
    # No database takes a lone surrogate, and PostgreSQL no NUL.
    return len(text) <= MAX_ID_LENGTH and text.isascii() and "\x00" not in text


def _question(query: AlertQuery) -> str:
    return f"alerts {query.provider} {query.open_only}"
