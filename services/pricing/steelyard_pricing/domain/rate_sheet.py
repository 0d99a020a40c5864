"""Collects the figures of one entry of a source and makes rates of those that can be prices."""

from steelyard_pricing.domain.bounds import ImplausiblePriceError, checked_price
from steelyard_pricing.domain.components import Component
from steelyard_pricing.domain.modes import Mode
from steelyard_pricing.domain.rates import STANDARD_TIER, Rate, TimeWindow

_Key = tuple[Component, str, int, tuple[TimeWindow, ...]]


class RateSheet:
    """The rates of one entry; a figure that cannot be a price is left out and noted."""

    def __init__(self) -> None:
        self._picodollars: dict[_Key, int] = {}
        self.has_refused = False
        """Whether a figure was left out."""

    def add(
        self,
        component: Component,
        figure: object,
        *,
        service_tier: str = STANDARD_TIER,
        above_prompt_tokens: int = 0,
        windows: tuple[TimeWindow, ...] = (),
    ) -> None:
        """Take a figure in USD; of two for the same thing the dearer is kept."""
        try:
            picodollars = checked_price(component, figure)
        except ImplausiblePriceError:
            self.has_refused = True
            return
        key = (component, service_tier, above_prompt_tokens, windows)
        self._picodollars[key] = max(picodollars, self._picodollars.get(key, 0))

    def free_rates(self) -> tuple[Rate, ...]:
        """Return rates of zero, or none when the source charges for something after all."""
        if any(self._picodollars.values()):
            return ()
        components = {key[0] for key in self._picodollars}
        return tuple(
            Rate(component, 0)
            for component in sorted(components | {Component.INPUT_TOKEN, Component.OUTPUT_TOKEN})
        )

    def charged_rates(self, mode: Mode) -> tuple[Rate, ...]:
        """Return the rates of an offer that is not free.

        Where answers are text, a zero says that nobody filled the figure in. Elsewhere it says that
        the class is not charged (an embedding has no completion), if anything else is.
        """
        keep_zeros = not mode.writes_text and any(self._picodollars.values())
        return tuple(
            sorted(
                Rate(component, picodollars, tier, above, windows)
                for (component, tier, above, windows), picodollars in self._picodollars.items()
                if picodollars or keep_zeros
            )
        )
