"""What happened to one call to a provider, and what that says about health."""

import enum
import re
from dataclasses import dataclass
from typing import NamedTuple

WINDOW_SECONDS = 300
"""How far back outcomes count."""

MAX_ID_LENGTH = 64
MAX_LATENCY_SECONDS = 3600.0
MAX_OUTPUT_TOKENS = 50_000_000

MAX_PERMIT_LENGTH = 160

_PROVIDER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_OFFER = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]{0,63})/[!-~]{1,255}", re.ASCII)


class Result(enum.IntEnum):
    """How a call to a provider ended; numbered as in the contract."""

    SUCCESS = 1
    SERVER_ERROR = 2
    TIMEOUT = 3
    CONNECTION_ERROR = 4
    TRUNCATED = 5
    RATE_LIMITED = 6
    CLIENT_ERROR = 7
    AUTH_ERROR = 8
    CANCELLED = 9


PROVIDER_FAILURES = frozenset(
    {Result.SERVER_ERROR, Result.TIMEOUT, Result.CONNECTION_ERROR, Result.TRUNCATED}
)
"""The provider's fault. A 429 is a state of its own; the rest is about the request or the key."""


class UnusableOutcomeError(Exception):
    """An outcome makes no sense; the message is one sentence for its reporter."""


class Headroom(NamedTuple):
    """What is left of a provider's rate limits."""

    share: float
    """Of the limit that is nearest to its end, 0 to 1."""
    reset_seconds: float | None
    """When that one starts over, from the end of the call; None when the provider does not say."""


@dataclass(slots=True, kw_only=True)  # not frozen: that makes it twice as dear to create
class Outcome:
    """How one call ended; never changed.

    Raises:
        UnusableOutcomeError: A value is out of range.
    """

    outcome_id: str
    offer: str
    result: Result
    age_seconds: float = 0.0
    """How long ago the call ended."""
    latency_seconds: float | None = None
    """From dispatch to the end of the call; None when it was not measured."""
    first_token_seconds: float | None = None
    output_token_count: int = 0
    retry_after_seconds: float | None = None
    is_private: bool = False
    """Made with a tenant's own key or endpoint: says nothing to other tenants."""
    probe_permit: str = ""
    """Of the probes that the call was; several are joined by `+`."""
    headroom: Headroom | None = None
    """None when the provider does not say."""
    is_provider_only: bool = False
    """It tells of the provider's reachability, nothing of the offer: a list of models was read."""

    def __post_init__(self) -> None:
        if not 1 <= len(self.outcome_id) <= MAX_ID_LENGTH:
            raise UnusableOutcomeError(f"outcome_id: must have 1 to {MAX_ID_LENGTH} characters")
        if not is_offer(self.offer):
            raise UnusableOutcomeError("offer: must look like provider/model")
        if not 0 <= self.age_seconds <= WINDOW_SECONDS:
            raise UnusableOutcomeError(f"end_time: lies more than {WINDOW_SECONDS} seconds back")
        if self.latency_seconds is not None:
            _check_range("latency", self.latency_seconds)
        if self.first_token_seconds is not None:
            _check_range("time_to_first_token", self.first_token_seconds)
        if (self.first_token_seconds or 0.0) > (self.latency_seconds or MAX_LATENCY_SECONDS):
            raise UnusableOutcomeError("time_to_first_token: must not exceed latency")
        if not 0 <= self.output_token_count <= MAX_OUTPUT_TOKENS:
            raise UnusableOutcomeError(f"output_token_count: must be 0 to {MAX_OUTPUT_TOKENS}")
        if len(self.probe_permit) > MAX_PERMIT_LENGTH:
            raise UnusableOutcomeError(
                f"probe_permit: must have at most {MAX_PERMIT_LENGTH} characters"
            )

    @property
    def provider(self) -> str:
        return provider_of(self.offer)


def is_offer(text: str) -> bool:
    """Say whether `text` can be the id of an offer."""
    return _OFFER.fullmatch(text) is not None


def is_provider(text: str) -> bool:
    """Say whether `text` can be the id of a provider."""
    return _PROVIDER.fullmatch(text) is not None


def provider_of(offer: str) -> str:
    """Return the id of the provider that sells `offer`."""
    return offer.partition("/")[0]


def _check_range(field: str, seconds: float) -> None:
    if not 0 <= seconds <= MAX_LATENCY_SECONDS:
        raise UnusableOutcomeError(f"{field}: must be 0 to {MAX_LATENCY_SECONDS:.0f} seconds")
