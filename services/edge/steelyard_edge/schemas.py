"""What answers look like, for OpenAPI; the views write them, and a test holds both together."""

from datetime import date, datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

DataT = TypeVar("DataT")

Usd = Annotated[float, Field(description="USD, printed from the exact decimal.")]


class Documented(BaseModel):
    """A schema whose fields are all present, and described by their docstrings."""

    model_config = ConfigDict(use_attribute_docstrings=True, extra="forbid")


class Error(Documented):
    """Why a request failed."""

    reason: str
    """What to branch on: a value of `steelyard.common.v1.ErrorReason`."""
    message: str
    """One sentence for people."""
    request_id: str
    """Under which the request is found in logs; also the header `x-request-id`."""
    details: dict[str, Any]
    """What the message is about: `fields`, `nearest` and others."""


class Envelope(Documented, Generic[DataT]):
    """An answer of `/api`."""

    success: Literal[True]
    data: DataT
    error: None
    message: str
    timestamp: datetime


class ErrorEnvelope(Documented):
    """A failure of `/api`."""

    success: Literal[False]
    data: None
    error: Error
    message: str
    timestamp: datetime


class BareError(Documented):
    """A failure of `/v1`."""

    error: Error


class Alive(Documented):
    """The process is up."""

    status: Literal["ok"]


class Readiness(Documented):
    """How the services behind the edge are."""

    status: Literal["ready", "not ready"]
    services: dict[str, Literal["serving", "not serving"]]
    missing: list[str]


class Page(Documented):
    """Where a page stands in the whole list."""

    next_page_token: str | None
    """Null on the last page."""
    total_count: int
    """Of all pages together."""


class Breakdown(Documented):
    """A cost by its parts, of which the total is the exact sum."""

    total_usd: Usd
    input_usd: Usd
    cache_read_usd: Usd
    cache_write_usd: Usd
    output_usd: Usd
    reasoning_usd: Usd
    media_usd: Usd
    request_usd: Usd


class TokenPrices(Documented):
    """Prices of tokens by class; null where the seller has none of its own for the class."""

    input_usd_per_token: Usd | None
    input_usd_per_1m_tokens: Usd | None
    output_usd_per_token: Usd | None
    output_usd_per_1m_tokens: Usd | None
    cache_read_usd_per_token: Usd | None
    cache_read_usd_per_1m_tokens: Usd | None
    cache_write_usd_per_token: Usd | None
    cache_write_usd_per_1m_tokens: Usd | None
    cache_write_1h_usd_per_token: Usd | None
    cache_write_1h_usd_per_1m_tokens: Usd | None
    reasoning_usd_per_token: Usd | None
    reasoning_usd_per_1m_tokens: Usd | None


class TierPrices(TokenPrices):
    """Prices of another service tier, or of longer prompts."""

    service_tier: str
    above_prompt_tokens: int
    """They apply to the whole request once its prompt has more tokens than this."""


class Window(Documented):
    """A part of the week, in UTC; no weekdays means every day."""

    weekdays: list[int]
    start_minute: int
    end_minute: int


class PriceRate(Documented):
    """One figure of a price."""

    component: str | None
    """What is charged for, e.g. `input_token`."""
    usd_per_unit: Usd
    service_tier: str
    above_prompt_tokens: int
    windows: list[Window]
    """When not empty, the rate applies only inside these."""


class Rates(TokenPrices):
    """Every figure of a price, and the usual ones laid out."""

    tiers: list[TierPrices]
    rates: list[PriceRate]
    """Every figure, also those that are not per token. Empty when unpriced."""


class Price(Rates):
    """What one seller charges for one model, as one source says."""

    offer: str
    provider: str
    model: str
    mode: str | None
    free: bool
    estimated: bool
    """True when no source publishes the price."""
    stale: bool
    source: str
    source_uri: str | None
    effective_time: datetime | None
    observed_time: datetime | None
    confidence: float
    cache_min_tokens: int | None
    max_input_tokens: int | None
    max_output_tokens: int | None
    deprecation_date: date | None
    aliases: list[str]


class ModelPrice(Documented):
    """The price of a model, with what it costs elsewhere."""

    model: str
    match: str | None
    """How the name was resolved: `exact`, `case_insensitive`, `alias`."""
    pricing: Price
    alternatives: list[Price]
    snapshot_version: int


class ProviderPrices(Documented):
    """Prices of one seller."""

    provider: str
    model_count: int
    """All of them, also those beyond the limit."""
    models: list[Price]
    snapshot_version: int


class SourceFault(Documented):
    """Why a source could not be read."""

    cause: str
    message: str
    time: datetime | None


class Source(Documented):
    """How reading one source goes."""

    source: str
    uri: str | None
    enabled: bool
    model_count: int
    etag: str | None
    last_success: datetime | None
    last_attempt: datetime | None
    last_error: SourceFault | None
    success_rate: float | None
    stale: bool
    sha256: str | None
    edition_date: date | None


class CheapOffer(Documented):
    """An offer with the cost of 750,000 prompt and 250,000 completion tokens."""

    offer: str
    provider: str
    model: str
    cost_usd: Usd
    estimated: bool
    stale: bool


class ProviderComparison(Documented):
    """The costs of that mix over the priced offers of one seller."""

    provider: str
    offer_count: int
    priced_count: int
    free_count: int
    min_usd: Usd | None
    mean_usd: Usd | None
    max_usd: Usd | None
    cheapest_offer: str | None


class Overview(Documented):
    """The state of the price catalogue."""

    model_count: int
    priced_count: int
    provider_count: int
    quarantined_count: int
    """Changes that are held back and wait for a review or a rule."""
    last_updated: datetime | None
    cache_valid: bool
    stale: bool
    refreshing: bool
    snapshot_version: int
    snapshot_time: datetime | None
    sources: list[Source]
    cheapest_models: list[CheapOffer]
    provider_comparison: list[ProviderComparison]


class SourceResult(Documented):
    """The result of reading one source."""

    source: str
    outcome: str | None
    """`published`, `not_modified`, `skipped`, `rejected` or `failed`."""
    fetched: int
    dropped: int
    quarantined: int
    """Changes of this source that were held back, the whole body counting as one."""
    error: SourceFault | None
    duration_seconds: float
    byte_count: int


class Refreshed(Documented):
    """What a refresh brought."""

    models_fetched: int
    model_count: int
    added: int
    changed: int
    removed: int
    quarantined: int
    unchanged: int
    duration_seconds: float
    sources: list[SourceResult]
    snapshot_version: int


class AppliedRate(Documented):
    """The price that was applied to one class of usage."""

    usage_class: str
    priced_as: str
    quantity: int
    unit_usd: Usd
    cost_usd: Usd


class Estimate(Documented):
    """What a usage costs on one model."""

    model: str
    offer: str
    input_tokens: int
    cached_tokens: int
    cache_write_tokens: int
    output_tokens: int
    reasoning_tokens: int
    estimated_cost_usd: Usd
    breakdown: Breakdown
    rates: list[AppliedRate]
    estimated: bool
    """True when the price or the token count is an estimate."""
    tokens_estimated: bool
    margin_usd: Usd
    confidence: float
    stale: bool
    source: str
    service_tier: str
    above_prompt_tokens: int
    snapshot_version: int


class Fallback(Documented):
    """Where to go when the chosen offer fails."""

    offer: str
    expected_cost_usd: Usd | None


class Candidate(Documented):
    """An offer that could serve the request."""

    offer: str
    utility: float
    """Its value under the policy; more is better."""
    expected_cost_usd: Usd | None
    quality: float
    health: float


class Rejected(Documented):
    """An offer that could not, with the reason."""

    offer: str
    reason: str | None
    detail: str


class Versions(Documented):
    """The data behind a decision."""

    prices: int
    catalog: int
    health: int
    policy: str


class Decision(Documented):
    """One routing decision with all that explains it."""

    decision_id: str
    offer: str
    model: str
    provider: str
    tier: str | None
    complexity_score: int
    expected_cost_usd: Usd | None
    """Null when the offer is unpriced."""
    expected_cost_p90_usd: Usd | None
    breakdown: Breakdown | None
    quality: float
    health: float
    key_present: bool
    fallbacks: list[Fallback]
    candidates: list[Candidate]
    rejected: list[Rejected]
    stale_prices: bool
    stale_health: bool
    versions: Versions
    probe_permit: str | None
    """To be reported with the outcome: this request probes a half-open circuit."""
    panic: bool
    """True when circuits were ignored because most of them are open."""
    reason: str
    """Why this offer, in one sentence."""
