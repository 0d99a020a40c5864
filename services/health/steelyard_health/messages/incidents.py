"""Status pages and their incidents as messages."""

from datetime import UTC, datetime, timedelta
from typing import cast

from steelyard.health.v1 import health_pb2 as pb
from steelyard.health.v1 import health_service_pb2
from steelyard_common.errors import FieldViolation, InvalidFieldError
from steelyard_common.message_times import to_timestamp
from steelyard_common.page_tokens import bad_page_token, from_page_token, to_page_token
from steelyard_health.domain.outcome import is_provider
from steelyard_health.domain.status.level import StatusLevel
from steelyard_health.domain.status.listing import IncidentPlace, IncidentQuery, StoredIncident
from steelyard_health.domain.status.page import PageStatus
from steelyard_health.messages.pages import from_page_size

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_status_page(page: PageStatus, now: datetime) -> pb.StatusPage:
    """Return what is known of a page; what was read too long ago is UNKNOWN."""
    return pb.StatusPage(
        url=page.page_url,
        level=_level(page.level_at(now)),
        read_time=to_timestamp(page.read_time),
        description=page.description,
        open_incident_count=page.open_incident_count,
        problem=page.problem,
    )


def to_incident(stored: StoredIncident) -> pb.Incident:
    incident = stored.incident
    return pb.Incident(
        incident_id=incident.incident_id,
        provider=stored.provider,
        title=incident.title,
        level=_level(incident.level),
        components=incident.components,
        touches_api=incident.touches_api,
        start_time=to_timestamp(incident.start_time),
        end_time=to_timestamp(incident.end_time),
        url=incident.url,
        update_time=to_timestamp(incident.update_time),
        description=incident.description,
    )


def from_incident_query(request: health_service_pb2.ListIncidentsRequest) -> IncidentQuery:
    """Return what is wanted.

    Raises:
        InvalidFieldError: The provider is none, or the size of a page negative; it names both.
    """
    violations = []
    if request.provider and not is_provider(request.provider):
        violations.append(FieldViolation("provider", "must be the id of a provider"))
    if request.page_size < 0:
        violations.append(FieldViolation("page_size", "must not be negative"))
    if violations:
        raise InvalidFieldError.of(violations)
    return IncidentQuery(provider=request.provider, open_only=request.open_only)


def page_size(request: health_service_pb2.ListIncidentsRequest) -> int:
    """Return how many incidents a page has: the default for 0, the maximum for more."""
    return from_page_size(request.page_size)


def to_incident_token(query: IncidentQuery, place: IncidentPlace) -> str:
    """Return the token for what comes after a place."""
    micros = (place.start_time - _EPOCH) // _MICROSECOND
    return to_page_token(_question(query), micros, place.provider, place.incident_id)


def from_incident_token(query: IncidentQuery, token: str) -> IncidentPlace:
    """Return the place that a token names.

    Raises:
        InvalidFieldError: The token is not of this list.
    """
    match from_page_token(token, _question(query)):
        case [int(micros), str(provider), str(incident_id)]:
            try:
                # Lone surrogates are in no encoding, and databases take no zero byte.
                f"{provider}{incident_id}".encode()
                start_time = _EPOCH + timedelta(microseconds=micros)
            except (UnicodeEncodeError, OverflowError):
                raise bad_page_token() from None
            if "\0" in provider or "\0" in incident_id:
                raise bad_page_token()
            return IncidentPlace(start_time, provider, incident_id)
        case _:
            raise bad_page_token()


def _question(query: IncidentQuery) -> str:
    return f"incidents {query.provider} {query.open_only}"


def _level(level: StatusLevel) -> "pb.StatusLevel.ValueType":
    return cast("pb.StatusLevel.ValueType", int(level))
