"""The sources of prices, in order of precedence."""

from steelyard_common.feed import Feed
from steelyard_pricing.adapters import litellm_prices, models_dev_prices, openrouter_prices
from steelyard_pricing.domain.source import PriceSource


def price_sources(
    *, litellm_url: str, openrouter_url: str, models_dev_url: str
) -> tuple[PriceSource, ...]:
    """Return every source; one with an empty URL is switched off."""
    parsers = (
        (litellm_prices.NAME, litellm_url, litellm_prices.parse_litellm),
        (openrouter_prices.NAME, openrouter_url, openrouter_prices.parse_openrouter),
        (models_dev_prices.NAME, models_dev_url, models_dev_prices.parse_models_dev),
    )
    return tuple(PriceSource(name, Feed(name=name, url=url), parse) for name, url, parse in parsers)
