"""What offers cost, as far as the choice of models depends on it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class OfferPrices:
    """The list prices of one snapshot of the pricing service."""

    version: int
    blended: Mapping[str, int]
    """Picodollars of one token, by offer; 0 is free, offers without an entry are unpriced."""


class Prices(Protocol):
    """Knows what offers cost."""

    async def current(self, timeout_seconds: float) -> OfferPrices:
        """Return the prices of now.

        Raises:
            PricingUnavailableError: They are not known, nor those of a short time ago.
        """


def blended(input_picodollars: int, output_picodollars: int) -> int:
    """Return the price of one token: three parts input and one part output, rounded half up."""
    return (3 * input_picodollars + output_picodollars + 2) // 4
