"""Sellers, and how to call those that Steelyard can call."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import IntEnum


class WireFormat(IntEnum):
    """Shape of requests and answers; numbered as in the contract."""

    UNKNOWN = 0
    OPENAI = 1
    ANTHROPIC = 2
    GEMINI = 3


class AuthStyle(IntEnum):
    """How a key is shown; numbered as in the contract."""

    UNKNOWN = 0
    BEARER = 1
    X_API_KEY = 2
    X_GOOG_API_KEY = 3
    NONE = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """A seller that answers requests."""

    provider: str
    display_name: str
    base_url: str = ""
    wire_format: WireFormat = WireFormat.UNKNOWN
    auth_style: AuthStyle = AuthStyle.UNKNOWN
    key_variables: tuple[str, ...] = ()
    """Environment variables with the platform's key, in order of precedence."""
    status_page_url: str = ""
    status_api_url: str = ""
    status_format: str = ""
    offer_count: int = 0
    key_pattern: str = ""
    """Regular expression (RE2) for a whole key; empty when any text may be one."""
    is_custom: bool = False
    """Whether the installation's own file names it."""

    @property
    def is_routable(self) -> bool:
        """Whether Steelyard can send requests to it."""
        return bool(self.base_url)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderHealth:
    """A provider's health as the health service tells it."""

    score: float
    state: str
    sample_count: int
    is_stale: bool = False


def with_sellers(
    known: Mapping[str, Provider], offer_counts: Mapping[str, int]
) -> tuple[Provider, ...]:
    """Return the known providers and every other seller of the catalogue, by id."""
    ids: Iterable[str] = sorted(known.keys() | offer_counts.keys())
    return tuple(
        replace(
            known.get(each) or Provider(provider=each, display_name=each),
            offer_count=offer_counts.get(each, 0),
        )
        for each in ids
    )
