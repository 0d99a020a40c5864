"""What answers about sellers look like, for OpenAPI."""

from datetime import datetime
from typing import Literal

from steelyard_edge.schemas import Documented
from steelyard_edge.schemas_health import Figures, State


class HealthSummary(Documented):
    """How a seller is, in short."""

    score: float
    """0 to 1; 1 when nothing is known."""
    state: State
    sample_count: int
    stale: bool
    """True when the figures are from before."""


class Provider(Documented):
    """A seller that answers requests."""

    provider: str
    display_name: str | None
    base_url: str | None
    """Root of its API; null when Steelyard cannot call it."""
    wire_format: Literal["openai", "anthropic", "gemini"] | None
    auth_style: Literal["bearer", "x_api_key", "x_goog_api_key", "none"] | None
    key_variables: list[str]
    """Environment variables that may hold the platform's key, in order of precedence."""
    key_pattern: str | None
    """Regular expression that the whole of a key must match."""
    status_page_url: str | None
    status_api_url: str | None
    status_format: str | None
    offer_count: int
    routable: bool
    custom: bool
    """True when the installation's own file of providers names it."""
    health: HealthSummary | None
    """Null unless asked for, or when nothing is known of any."""


class Providers(Documented):
    """All sellers, by id."""

    count: int
    providers: list[Provider]


class CurrentFigures(Figures):
    """How a seller does, or did before."""

    stale: bool
    """True when the health service does not answer and this is what was known before."""


class ProviderHealth(CurrentFigures):
    """How a seller does over all its offers."""

    display_name: str | None
    routable: bool
    offer_count: int


class ProvidersHealth(Documented):
    """Figures by the id of the seller."""

    providers: dict[str, ProviderHealth]
    timestamp: datetime


class KeyedProvider(Documented):
    """A seller, and whether the caller can be served by it."""

    id: str
    name: str
    status: State
    """Same as the state in `health`."""
    health: CurrentFigures
    has_key: bool | None
    """Whether there is a key for it, or it needs none; null while the router does not answer."""
    key_source: Literal["tenant", "platform", "none_needed"] | None
    """Whose key would be used."""
    models: int
    """Offers that it has."""


class KeyedProviders(Documented):
    """All sellers, by id."""

    providers: list[KeyedProvider]
    total_providers: int
    active_providers: int | None
    """Sellers that the caller's requests can go to; null while the router does not answer."""
    keys_known: bool
    """False while the router, which knows of keys, does not answer."""
    health_known: bool
    """False while the health service does not answer: then figures are from before."""
