"""The feeds that the catalogue is made of, each with its last good copy."""

from collections.abc import Mapping
from datetime import UTC, datetime, time

import structlog

from steelyard_catalog.litellm import read_litellm
from steelyard_catalog.models_dev import ModelsDevEntry, read_models_dev
from steelyard_catalog.openrouter import OpenRouterEntry, read_openrouter
from steelyard_catalog.seed import read_seed
from steelyard_common.feed import Feed
from steelyard_registry.domain import offers
from steelyard_registry.domain.feeds import SourceName
from steelyard_registry.domain.models import Offer
from steelyard_registry.domain.source_facts import SourceFacts
from steelyard_registry.domain.sync_source import OfferSource

OFFER_SOURCES = (SourceName.LITELLM, SourceName.OPENROUTER, SourceName.MODELS_DEV)

# The smallest real map had 40 kB, the smallest real list 500 kB.
MIN_FEED_BYTES = 1_000

_DEPRECATED = "deprecated"

logger = structlog.get_logger(__name__)


def offer_sources(
    *, litellm_url: str, openrouter_url: str, models_dev_url: str, shipped: Mapping[str, Offer]
) -> list[OfferSource]:
    """Return the sources that are switched on, in order of precedence.

    Args:
        litellm_url: Of LiteLLM's map; empty switches it off, as with the others.
        openrouter_url: Of OpenRouter's list.
        models_dev_url: Of models.dev's catalogue.
        shipped: The seed's offers by id: it stands in for LiteLLM's map.
    """
    sources = [
        (SourceName.LITELLM, litellm_url, litellm_facts, shipped),
        (SourceName.OPENROUTER, openrouter_url, openrouter_facts, {}),
        (SourceName.MODELS_DEV, models_dev_url, models_dev_facts, {}),
    ]
    return [
        OfferSource(
            name=str(name),
            feed=Feed(name=name, url=url, min_bytes=MIN_FEED_BYTES),
            read=read,
            shipped=stands_in,
        )
        for name, url, read, stands_in in sources
        if url
    ]


def litellm_facts(body: bytes, fetched_time: datetime) -> SourceFacts:
    """Read LiteLLM's map.

    Raises:
        CatalogueFormatError: It is not one.
    """
    catalogue = read_litellm(body)
    _log_dropped(SourceName.LITELLM, len(catalogue.dropped))
    return SourceFacts(
        offers=tuple(
            offers.from_catalogue(entry, source=SourceName.LITELLM, observed_time=fetched_time)
            for entry in catalogue.entries
        ),
        source_keys={entry.offer: entry.source_key for entry in catalogue.entries},
        dropped_count=len(catalogue.dropped),
    )


def openrouter_facts(body: bytes, fetched_time: datetime) -> SourceFacts:
    """Read OpenRouter's list.

    Raises:
        CatalogueFormatError: It is not one.
    """
    catalogue = read_openrouter(body)
    _log_dropped(SourceName.OPENROUTER, len(catalogue.dropped))
    return SourceFacts(
        offers=tuple(
            offers.from_openrouter(entry, source=SourceName.OPENROUTER, observed_time=fetched_time)
            for entry in catalogue.entries
            if _is_offer(entry)
        ),
        moving_names={
            f"{SourceName.OPENROUTER}/{entry.alias_target}": entry.id
            for entry in catalogue.entries
            if entry.is_alias and entry.alias_target
        },
        dropped_count=len(catalogue.dropped),
    )


def models_dev_facts(body: bytes, fetched_time: datetime) -> SourceFacts:
    """Read models.dev's catalogue.

    Raises:
        CatalogueFormatError: It is not one.
    """
    catalogue = read_models_dev(body)
    _log_dropped(SourceName.MODELS_DEV, len(catalogue.dropped))
    return SourceFacts(
        offers=tuple(
            offers.from_models_dev(entry, source=SourceName.MODELS_DEV, observed_time=fetched_time)
            for entry in catalogue.entries
            if _is_sold(entry)
        ),
        dropped_count=len(catalogue.dropped),
    )


def seed_facts() -> tuple[SourceFacts, datetime]:
    """Return what the bundled seed says, and of when it is."""
    seed = read_seed()
    edition = datetime.combine(seed.edition_date, time(), UTC)
    facts = SourceFacts(
        offers=tuple(
            offers.from_catalogue(entry, source=SourceName.SEED, observed_time=edition)
            for entry in seed.entries
        ),
        source_keys={entry.offer: entry.source_key for entry in seed.entries},
    )
    return facts, edition


def _is_offer(entry: OpenRouterEntry) -> bool:
    """Whether an entry is an offer of its own, not a moving name or a service tier."""
    return not entry.is_alias and not entry.service_tier


def _is_sold(entry: ModelsDevEntry) -> bool:
    """Whether the source vouches for an entry: it does not for one that it calls deprecated.

    It never tells since when: the date of the last change is mostly that of the release. Of 44 such
    entries of April 2026 the other sources do not name 39; of the rest LiteLLM's map dates two half
    a year later and two not at all. So such an entry adds nothing to what others say, and what it
    alone says is that nobody should buy it.
    """
    return entry.status != _DEPRECATED


def _log_dropped(source: SourceName, count: int) -> None:
    if count:
        logger.info("entries left out", source=source, count=count)
