"""Days and moments as messages."""

from datetime import date, datetime

from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date


def to_date(day: date | None) -> Date | None:
    return None if day is None else Date(year=day.year, month=day.month, day=day.day)


def to_timestamp(time: datetime | None) -> Timestamp | None:
    if time is None:
        return None
    return Timestamp(seconds=int(time.timestamp()), nanos=time.microsecond * 1000)
