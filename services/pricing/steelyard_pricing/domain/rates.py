"""Price facts: what one source says that one offer costs."""

from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from steelyard_catalog.names import OfferName
from steelyard_pricing.domain.components import Component
from steelyard_pricing.domain.modes import Capability, Mode

STANDARD_TIER = ""


class TimeWindow(NamedTuple):
    """A part of the week in UTC; `end_minute` is exclusive, both are minutes of one day."""

    weekdays: tuple[int, ...]
    """1 is Monday, 7 is Sunday; empty means every day."""
    start_minute: int
    end_minute: int


class Rate(NamedTuple):
    """One figure of a price."""

    component: Component
    picodollars: int
    service_tier: str = STANDARD_TIER
    above_prompt_tokens: int = 0
    """The rate applies to the whole request once its prompt has more tokens than this."""
    windows: tuple[TimeWindow, ...] = ()
    """When set, the rate replaces the one without windows inside of them."""

    @property
    def key(self) -> tuple[Component, str, int, tuple[TimeWindow, ...]]:
        """Return what the rate is for: rates with equal keys compare."""
        return self.component, self.service_tier, self.above_prompt_tokens, self.windows


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceFact:
    """What one source says that one offer costs. Without rates it is unpriced, never free."""

    name: OfferName
    mode: Mode
    source: str
    rates: tuple[Rate, ...] = ()
    is_free: bool = False
    supports_caching: bool | None = None
    """None when the source says nothing."""
    cache_min_tokens: int = 0
    max_input_tokens: int = 0
    max_output_tokens: int = 0
    deprecation_date: date | None = None
    source_uri: str = ""
    capabilities: frozenset[Capability] = field(default_factory=frozenset)
    aliases: tuple[str, ...] = ()

    @property
    def offer(self) -> str:
        """`{provider}/{provider's model id}`."""
        return self.name.offer

    @property
    def is_priced(self) -> bool:
        """Whether the source publishes a price, be it zero."""
        return bool(self.rates)


@dataclass(frozen=True, slots=True)
class ParsedSource:
    """The facts of one body of a source."""

    facts: tuple[PriceFact, ...]
    entry_count: int
    """Entries that the body names, usable or not."""
    dropped_count: int
    """Entries that are unusable, wholly or in a price."""
