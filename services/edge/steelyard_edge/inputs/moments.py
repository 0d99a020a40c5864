"""Instants that clients send, by RFC 3339 and with their zone."""

from datetime import datetime
from typing import Annotated

from google.protobuf.timestamp_pb2 import Timestamp
from msgspec import Meta

from steelyard_common.errors import InvalidFieldError

Instant = Annotated[datetime, Meta(tz=True)]


def to_timestamp(moment: datetime | None, field: str) -> Timestamp | None:
    """Return an instant as the contract takes it; an unset one stays unset.

    Raises:
        InvalidFieldError: In UTC it lies outside the years 1 to 9999.
    """
    if moment is None:
        return None
    timestamp = Timestamp()
    try:
        timestamp.FromDatetime(moment)
    except (OverflowError, ValueError):
        raise InvalidFieldError(field, "must be from year 1 to 9999") from None
    return timestamp
