"""What answers of the registry look like, for OpenAPI."""

from datetime import date, datetime
from typing import Literal

from steelyard_edge.schemas import Documented, Page, Usd
from steelyard_edge.schemas_quality import Quality

State = Literal["active", "deprecated"]


class Offer(Documented):
    """A model at one seller."""

    offer: str
    provider: str
    provider_model: str
    """What is sent to the seller's API."""
    mode: str | None
    capabilities: list[str]
    """That the source states."""
    denied_capabilities: list[str]
    """That the source denies."""
    inferred_capabilities: list[str]
    """Guessed from other sellers of the model; no filter counts them."""
    max_input_tokens: int | None
    max_output_tokens: int | None
    input_modalities: list[str]
    output_modalities: list[str]
    responses_api_only: bool
    regions: list[str]
    state: State | None
    deprecation_date: date | None
    deprecation_reason: Literal["date_passed", "missing", "by_hand"] | None
    missed_sync_count: int
    source: str | None
    sources: list[str]
    """All that describe the offer, the one that counts first."""
    source_uri: str | None
    observed_time: datetime | None
    first_seen_time: datetime | None


class Model(Documented):
    """What is sold, independent of who sells it."""

    model: str
    maker: str | None
    display_name: str | None
    aliases: list[str]
    mode: str | None
    capabilities: list[str]
    """That at least one offer has."""
    context_window: int | None
    """Largest prompt of any offer, in tokens."""
    max_output_tokens: int | None
    release_date: date | None
    knowledge_cutoff: date | None
    state: State | None
    quality: Quality | None
    providers: list[str]
    offers: list[Offer]
    """The maker's own first."""


class ModelAnswer(Model):
    """One model, and the version of the catalogue that has it."""

    catalog_version: int


class ModelsFound(Documented):
    """The first of the models that match."""

    count: int
    """Of `models`."""
    total_count: int
    """Of all that match, also those beyond the limit."""
    models: list[Model]


class ModelsPage(Page):
    """One page of models."""

    count: int
    models: list[Model]
    catalog_version: int


class FrontierModel(Documented):
    """A model that none beats in both quality and price."""

    score: float
    cheapest_offer: str
    blended_usd_per_token: Usd
    """Three parts input and one part output."""
    blended_usd_per_1m_tokens: Usd
    model: Model


class Frontier(Documented):
    """The best and dearest first; each costs less than the one before it."""

    count: int
    models: list[FrontierModel]
    price_snapshot_version: int


class TierBand(Documented):
    """The quality that a cognitive tier stands for."""

    tier: str
    min_quality: float
    max_quality: float
    """Where the next band begins; inclusive for the last one."""
    label: str
    model_count: int
    examples: list[Model]


class TierBands(Documented):
    """Lowest first."""

    bands: list[TierBand]


class SourceOutcome(Documented):
    """How reading one source went."""

    source: str
    result: Literal["read", "unchanged", "skipped", "failed"] | None
    message: str
    entry_count: int
    edition_date: date | None


class Synced(Documented):
    """What a sync brought."""

    updated: int
    added: int
    deprecated: int
    restored: int
    not_found: int
    """Names that could not be joined to a model."""
    skipped: int
    not_found_names: list[str]
    """Some of them, at most 100."""
    errors: list[str]
    """Why sources failed."""
    sources: list[SourceOutcome]
    duration_seconds: float
    catalog_version: int


class QualitySynced(Documented):
    """What a sync of quality brought."""

    source: str
    result: Synced


class SourceStatus(Documented):
    """How fresh one source is."""

    source: str
    enabled: bool
    checked_time: datetime | None
    """When its publisher last said that this is the current content."""
    attempt_time: datetime | None
    problem: str | None
    entry_count: int
    edition_date: date | None
    stale: bool


class Status(Documented):
    """How the registry is."""

    catalog_version: int
    published_time: datetime | None
    model_count: int
    offer_count: int
    deprecated_offer_count: int
    models_by_basis: dict[str, int]
    """Models by the evidence behind their quality."""
    stale: bool
    sources: list[SourceStatus]


class UnjoinedName(Documented):
    """A name that a source scores and that is joined to no model."""

    source: str
    source_model: str
    reason: Literal["no_offer", "ambiguous", "not_sold", "unknown_name"] | None
    canonical_name: str | None
    nearest: list[str]


class UnjoinedNames(Page):
    """By source, then by name."""

    names: list[UnjoinedName]


class FieldChange(Documented):
    """One field before and after; null where it was not known."""

    field: str
    before: str | None
    after: str | None


class CatalogEvent(Documented):
    """Something that happened to an offer or a model."""

    event_id: int
    time: datetime | None
    catalog_version: int
    kind: str | None
    model: str | None
    offer: str | None
    changes: list[FieldChange]
    actor: str | None
    note: str | None


class CatalogEvents(Page):
    """Newest first."""

    events: list[CatalogEvent]
