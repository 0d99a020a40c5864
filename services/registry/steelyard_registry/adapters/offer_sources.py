"""The feeds of offers that are switched on, as the sync takes them."""

from collections.abc import Mapping

from steelyard_registry.adapters.sources import catalogue_sources
from steelyard_registry.domain.feeds import SourceName
from steelyard_registry.domain.models import Offer
from steelyard_registry.domain.sync_source import OfferSource

OFFER_SOURCES = (SourceName.LITELLM, SourceName.OPENROUTER, SourceName.MODELS_DEV)


def offer_sources(
    *, litellm_url: str, openrouter_url: str, models_dev_url: str, shipped: Mapping[str, Offer]
) -> list[OfferSource]:
    """Return the sources, in order of precedence.

    Args:
        litellm_url: Of LiteLLM's map; empty switches it off, as with the others.
        openrouter_url: Of OpenRouter's list.
        models_dev_url: Of models.dev's catalogue.
        shipped: The seed's offers by id: it stands in for LiteLLM's map.
    """
    sources = catalogue_sources(
        litellm_url=litellm_url, openrouter_url=openrouter_url, models_dev_url=models_dev_url
    )
    return [
        OfferSource(
            name=str(source.name),
            feed=source.feed,
            read=source.read,
            shipped=shipped if source.name is SourceName.LITELLM else {},
        )
        for source in sources
    ]
