"""What happened to one call to a provider, and what that says about health."""

import enum
import re
from dataclasses import dataclass

WINDOW_SECONDS = 300
"""How far back outcomes count."""

MAX_ID_LENGTH = 64
MAX_LATENCY_SECONDS = 3600.0
MAX_OUTPUT_TOKENS = 50_000_000

_PROVIDER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_OFFER = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]{0,63})/[!-~]{1,255}", re.ASCII)


class Result(enum.Enum):
    """How a call to a provider ended."""

    SUCCESS = enum.auto()
    SERVER_ERROR = enum.auto()
    TIMEOUT = enum.auto()
    CONNECTION_ERROR = enum.auto()
    TRUNCATED = enum.auto()
    RATE_LIMITED = enum.auto()
    CLIENT_ERROR = enum.auto()
    AUTH_ERROR = enum.auto()
    CANCELLED = enum.auto()


PROVIDER_FAILURES = frozenset(
    {Result.SERVER_ERROR, Result.TIMEOUT, Result.CONNECTION_ERROR, Result.TRUNCATED}
)
"""The provider's fault. A 429 is a state of its own; the rest is about the request or the key."""

COUNTED = PROVIDER_FAILURES | {Result.SUCCESS}
"""What success and error rates are made of."""


class UnusableOutcomeError(Exception):
    """An outcome makes no sense; the message is one sentence for its reporter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one call ended.

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

    def __post_init__(self) -> None:
        if not 1 <= len(self.outcome_id) <= MAX_ID_LENGTH:
            raise UnusableOutcomeError(f"outcome_id: must have 1 to {MAX_ID_LENGTH} characters")
        if not is_offer(self.offer):
            raise UnusableOutcomeError("offer: must look like provider/model")
        if not 0 <= self.age_seconds <= WINDOW_SECONDS:
            raise UnusableOutcomeError(f"end_time: lies more than {WINDOW_SECONDS} seconds back")
        _check_range("latency", self.latency_seconds)
        _check_range("time_to_first_token", self.first_token_seconds)
        if (self.first_token_seconds or 0.0) > (self.latency_seconds or MAX_LATENCY_SECONDS):
            raise UnusableOutcomeError("time_to_first_token: must not exceed latency")
        if not 0 <= self.output_token_count <= MAX_OUTPUT_TOKENS:
            raise UnusableOutcomeError(f"output_token_count: must be 0 to {MAX_OUTPUT_TOKENS}")

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


def _check_range(field: str, seconds: float | None) -> None:
    if seconds is not None and not 0 <= seconds <= MAX_LATENCY_SECONDS:
        raise UnusableOutcomeError(f"{field}: must be 0 to {MAX_LATENCY_SECONDS:.0f} seconds")
