"""Days and moments as messages; what is not known stays unset."""

from datetime import date, datetime

from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date


def to_date(day: date | None) -> Date | None:
    """Return the message of a day."""
    return None if day is None else Date(year=day.year, month=day.month, day=day.day)


def to_timestamp(time: datetime | None) -> Timestamp | None:
    """Return the message of an aware time."""
    if time is None:
        return None
    message = Timestamp()
    message.FromDatetime(time)
    return message
