"""What answers about health look like, for OpenAPI."""

from datetime import datetime
from typing import Literal

from steelyard_edge.schemas import Documented, Page

State = Literal["unknown", "healthy", "degraded", "unhealthy", "rate_limited", "maintenance"]
Circuit = Literal["closed", "open", "half_open"]
Level = Literal["unknown", "operational", "degraded", "outage", "maintenance"]


class Maintenance(Documented):
    """A planned absence."""

    provider: str
    offer: str | None
    """Null when the whole seller is meant."""
    start_time: datetime | None
    end_time: datetime | None
    note: str | None
    actor: str | None
    """Who planned it."""


class PlannedMaintenance(Documented):
    """What was planned."""

    maintenance: Maintenance
    apply_time: datetime | None
    """From when health takes it into account."""


class StatusPage(Documented):
    """What a seller says of itself."""

    url: str | None
    level: Level | None
    """Null while the page is not read."""
    description: str | None
    open_incident_count: int
    """Incidents that touch the API and last."""
    read_time: datetime | None
    """When it was last read with success."""
    problem: str | None
    """Why it could not be read or understood last."""


class Latencies(Documented):
    """Times in seconds; null where nothing was measured."""

    latency_mean_seconds: float | None
    latency_p50_seconds: float | None
    latency_p95_seconds: float | None
    latency_p99_seconds: float | None
    time_to_first_token_p50_seconds: float | None
    time_to_first_token_p95_seconds: float | None
    output_tokens_per_second_p50: float | None
    """Median speed after the first token."""


class Figures(Latencies):
    """How a seller does over all its offers; null where it is not known."""

    state: State
    circuit: Circuit | None
    traffic_share: float | None
    """Share of its usual traffic that is sent: 0 while its circuit is open, 1 usually."""
    score: float | None
    """0 (dead) to 1 (well, or nothing is known: see `sample_count`)."""
    window_score: float | None
    status_factor: float | None
    """What the status page leaves of the window's score, 0.5 to 1."""
    confidence: float | None
    sample_count: int
    success_rate: float | None
    error_rate: float | None
    outcome_counts: dict[str, int] | None
    """Calls of the window by how they ended, e.g. `success`, `timeout`."""
    consecutive_failures: int | None
    consecutive_successes: int | None
    window_seconds: float | None
    rate_limit_headroom: float | None
    """Share of the rate limit that is left; null when the seller does not say."""
    last_outcome_time: datetime | None
    retry_time: datetime | None
    state_change_time: datetime | None
    maintenance: Maintenance | None
    """The planned absence that holds now."""
    status_page: StatusPage | None


class ProviderFigures(Figures):
    """How one seller does."""

    provider: str


class OfferHealth(Latencies):
    """How one offer does."""

    offer: str
    state: State
    circuit: Circuit | None
    traffic_share: float | None
    score: float
    status_factor: float
    confidence: float
    sample_count: int
    success_rate: float
    outcome_counts: dict[str, int]
    rate_limit_headroom: float | None
    retry_time: datetime | None
    from_provider: bool
    """True when the figures are the seller's, for want of the offer's own."""


class ProviderWithOffers(ProviderFigures):
    """How one seller does, and its offers that were reported on."""

    offers: list[OfferHealth]


class Incident(Documented):
    """What a status page tells of one fault."""

    incident_id: str
    """The page's own."""
    provider: str
    title: str
    level: Level | None
    components: list[str]
    touches_api: bool
    """True when a component of the API is among them."""
    start_time: datetime | None
    end_time: datetime | None
    """Null while it lasts."""
    update_time: datetime | None
    url: str | None
    description: str | None
    """The page's last words on it."""


class Incidents(Page):
    """Incidents, newest first."""

    incidents: list[Incident]


class Alert(Documented):
    """One spell of bad health."""

    alert_id: str
    provider: str
    offer: str | None
    """Null when the whole seller is meant."""
    state: State
    """Worst state during the spell."""
    start_time: datetime | None
    end_time: datetime | None
    """Null while it lasts."""
    evidence: str
    """The figures that led to it, in one sentence."""
    platform_wide: bool
    """False when only the caller's own outcomes show it."""


class Alerts(Page):
    """Alerts, newest first."""

    alerts: list[Alert]
