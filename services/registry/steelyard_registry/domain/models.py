"""What is sold, by whom, and until when."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import IntEnum

from steelyard_registry.domain.modes import Capability, Mode
from steelyard_registry.domain.quality.scores import Quality


class State(IntEnum):
    """Whether an offer or model is still served; numbered as in the contract."""

    ACTIVE = 1
    DEPRECATED = 2


class DeprecationReason(IntEnum):
    """Why an offer is no longer routed to; numbered as in the contract."""

    DATE_PASSED = 1
    MISSING = 2
    BY_HAND = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One model at one provider. None and empty mean that the source does not say."""

    offer: str
    provider: str
    provider_model: str
    model: str
    """Canonical id."""
    mode: Mode
    capabilities: frozenset[Capability]
    denied: frozenset[Capability]
    max_input_tokens: int | None = None
    max_output_tokens: int | None = None
    input_modalities: tuple[str, ...] = ()
    output_modalities: tuple[str, ...] = ()
    deprecation_date: date | None = None
    regions: tuple[str, ...] = ()
    responses_api_only: bool = False
    display_name: str = ""
    release_date: date | None = None
    knowledge_cutoff: date | None = None
    source: str
    source_uri: str = ""
    observed_time: datetime
    state: State = State.ACTIVE
    inferred: frozenset[Capability] = frozenset()
    """Guessed from other sellers of the model; never counted."""
    sources: tuple[str, ...] = ()
    """All that describe it, the one that counts first."""
    first_seen_time: datetime | None = None
    """None for offers that shipped with the program."""
    deprecation_reason: DeprecationReason | None = None
    """None while it is active."""
    is_kept: bool = False
    """Whether a person has put it back: its deprecation date no longer counts."""
    missed_syncs: int = 0
    """Syncs in a row in which no source has named it."""

    def state_on(self, today: date) -> State:
        """Return the state on a day: deprecated from the day that the seller names."""
        is_over = self.deprecation_date is not None and self.deprecation_date <= today
        return State.DEPRECATED if is_over else State.ACTIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """What is sold, independent of who sells it."""

    model: str
    maker: str
    """Empty when not known."""
    mode: Mode
    offers: tuple[Offer, ...]
    """The maker's own first, then by offer id; at least one."""
    aliases: tuple[str, ...]
    display_name: str
    capabilities: frozenset[Capability]
    """Those that at least one offer has."""
    context_window: int | None
    """Tokens, of the largest offer."""
    max_output_tokens: int | None
    release_date: date | None
    knowledge_cutoff: date | None
    state: State
    quality: Quality | None
    """None for kinds of work that have no scores."""

    @property
    def score(self) -> float:
        """The blended score; 0 for models that have none."""
        return 0.0 if self.quality is None else self.quality.score
