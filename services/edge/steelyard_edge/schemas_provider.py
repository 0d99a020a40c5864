"""What answers about sellers look like, for OpenAPI."""

from datetime import datetime
from typing import Literal

from steelyard_edge.schemas import Documented

State = Literal["unknown", "healthy", "degraded", "unhealthy", "rate_limited", "maintenance"]
Circuit = Literal["closed", "open", "half_open"]
Level = Literal["unknown", "operational", "degraded", "outage", "maintenance"]


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


class StatusPage(Documented):
    """What a seller says of itself."""

    url: str | None
    level: Level | None
    """Null while the page is not read."""
    description: str | None
    read_time: datetime | None


class ProviderHealth(Documented):
    """How a seller does over all its offers; null where it is not known."""

    display_name: str | None
    routable: bool
    offer_count: int
    state: State
    circuit: Circuit | None
    score: float | None
    """0 (dead) to 1 (well, or nothing is known: see `sample_count`)."""
    window_score: float | None
    status_factor: float | None
    """What the status page leaves of the window's score, 0.5 to 1."""
    confidence: float | None
    sample_count: int
    success_rate: float | None
    error_rate: float | None
    consecutive_failures: int | None
    consecutive_successes: int | None
    latency_mean_seconds: float | None
    latency_p50_seconds: float | None
    latency_p95_seconds: float | None
    latency_p99_seconds: float | None
    time_to_first_token_p50_seconds: float | None
    time_to_first_token_p95_seconds: float | None
    window_seconds: float | None
    last_outcome_time: datetime | None
    retry_time: datetime | None
    state_change_time: datetime | None
    stale: bool
    """True when the health service does not answer and this is what was known before."""
    status_page: StatusPage | None


class ProvidersHealth(Documented):
    """Figures by the id of the seller."""

    providers: dict[str, ProviderHealth]
    timestamp: datetime
