"""Why an offer cannot serve a request."""

from enum import IntEnum
from typing import NamedTuple


class RejectionReason(IntEnum):
    """Reasons; numbers are those of the contract."""

    WRONG_MODE = 1
    DEPRECATED = 2
    PROVIDER_NOT_ROUTABLE = 3
    NO_KEY = 4
    PROVIDER_NOT_ALLOWED = 5
    MISSING_CAPABILITY = 6
    CONTEXT_TOO_SMALL = 7
    QUALITY_TOO_LOW = 8
    UNPRICED = 9
    TOO_EXPENSIVE = 10
    TOO_SLOW = 11
    CIRCUIT_OPEN = 12
    RATE_LIMITED = 13
    NOT_SHORTLISTED = 14
    OTHER_MODEL = 15
    WRONG_REGION = 16
    FREE_VARIANT = 17


class Rejection(NamedTuple):
    """One rejected offer; `detail` is one sentence with the figures behind it."""

    offer: str
    reason: RejectionReason
    detail: str
