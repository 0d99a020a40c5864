"""Costs from the rate cards that the router keeps for when pricing does not answer."""

from dataclasses import dataclass
from typing import NamedTuple

from steelyard_router.domain.usage import Usage


class Cost(NamedTuple):
    """A cost by its parts, in picodollars; `total` is their sum."""

    total: int
    input: int = 0
    cache_read: int = 0
    cache_write: int = 0
    output: int = 0
    reasoning: int = 0
    media: int = 0
    request: int = 0


class RateBand(NamedTuple):
    """Rates of one range of prompt sizes, in picodollars per token."""

    above_prompt_tokens: int
    input: int
    output: int


@dataclass(frozen=True, slots=True)
class RateCard:
    """Resolved rates of one offer; bands ascend, the first starts at 0."""

    bands: tuple[RateBand, ...]
    request: int = 0
    estimated: bool = False

    @property
    def is_free(self) -> bool:
        return not self.request and not any(band.input or band.output for band in self.bands)


def card_cost(card: RateCard, usage: Usage) -> Cost:
    """Return what text and images cost; images are billed like text, as pricing does."""
    band = band_for(card, usage.prompt_tokens)
    text = usage.input_tokens * band.input
    images = usage.image_tokens * band.input
    output = usage.output_tokens * band.output
    return Cost(
        total=text + images + output + card.request,
        input=text,
        output=output,
        media=images,
        request=card.request,
    )


def band_for(card: RateCard, prompt_tokens: int) -> RateBand:
    """Return the last band whose threshold lies below the prompt's size."""
    chosen = card.bands[0]
    for band in card.bands[1:]:
        if prompt_tokens <= band.above_prompt_tokens:
            break
        chosen = band
    return chosen


def cost_p90(cost: Cost, output_p50: int, output_p90: int) -> int:
    """Return the cost of a completion as long as nine in ten stay below.

    Within one context band the cost is linear in the completion's length, and the band depends on
    the prompt alone.
    """
    if output_p50 <= 0 or output_p90 <= output_p50:
        return cost.total
    more = (cost.output + cost.reasoning) * (output_p90 - output_p50)
    return cost.total - (-more // output_p50)
