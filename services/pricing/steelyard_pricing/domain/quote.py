"""What a usage costs: exact integers, nothing rounded but fractions of a second."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from steelyard_pricing.domain.components import (
    COST_PARTS,
    PROMPT_COMPONENTS,
    USAGE_CLASSES,
    Component,
    CostPart,
)
from steelyard_pricing.domain.rate_card import Band

MAX_COUNT = 50_000_000
MAX_PICODOLLARS = 2**63 - 1
"""Largest amount that the contract can carry: 9.2 million USD."""

_REQUEST_CLASS = next(
    index for index, usage_class in enumerate(USAGE_CLASSES) if usage_class.name == "request"
)

Parts = list[int]
"""Picodollars by CostPart."""

_REQUEST = int(Component.REQUEST)
_REQUEST_PART = int(CostPart.REQUEST)
_TOTAL = int(CostPart.TOTAL)


class UsageLine(NamedTuple):
    """One class of a usage that was used at all; plain integers, for the sake of the hot path."""

    component: int
    part: int
    quantity: int
    units_per_price: int
    class_index: int


@dataclass(frozen=True, slots=True)
class UsageLines:
    """A usage, ready to be priced on many offers."""

    prompt_tokens: int
    requests: int
    lines: tuple[UsageLine, ...]
    """All classes but requests, which hardly any offer charges for."""

    @classmethod
    def of(cls, counts: Sequence[int]) -> "UsageLines":
        """Return the lines of a usage; `counts` are in the order of USAGE_CLASSES."""
        lines = tuple(
            UsageLine(
                int(usage_class.component),
                int(usage_class.part),
                count,
                usage_class.units_per_price,
                index,
            )
            for index, (usage_class, count) in enumerate(zip(USAGE_CLASSES, counts, strict=True))
            if count and index != _REQUEST_CLASS
        )
        return cls(
            prompt_tokens=sum(
                line.quantity for line in lines if line.component in PROMPT_COMPONENTS
            ),
            requests=counts[_REQUEST_CLASS] or 1,
            lines=lines,
        )


class AppliedRate(NamedTuple):
    """The rate that was applied to one class of usage."""

    usage_class: str
    priced_as: Component
    quantity: int
    picodollars: int
    cost_picodollars: int


def cost_parts(usage: UsageLines, band: Band) -> Parts | None:
    """Return what a usage costs, or None when the offer has no price for it."""
    parts = [0] * COST_PARTS
    prices = band.prices
    unpriced: list[int] | None = None
    for component, part, quantity, units_per_price, _ in usage.lines:
        price = prices[component]
        if price is None:
            unpriced = [*(unpriced or ()), component]
        elif units_per_price == 1:
            parts[part] += quantity * price
        else:
            parts[part] += divided_half_even(quantity * price, units_per_price)
    request_price = prices[_REQUEST]
    if request_price:
        parts[_REQUEST_PART] += usage.requests * request_price
    if unpriced is not None and not _is_covered(unpriced, usage, prices):
        return None
    total = parts[_TOTAL] = sum(parts)
    return parts if total <= MAX_PICODOLLARS else None


def applied_rates(usage: UsageLines, band: Band) -> Iterator[AppliedRate]:
    """Return the rates behind `cost_parts`, in the order of the usage, requests last."""
    for line in usage.lines:
        price, priced_as = band.prices[line.component], band.priced_as[line.component]
        if price is not None and priced_as is not None:
            yield AppliedRate(
                USAGE_CLASSES[line.class_index].name,
                priced_as,
                line.quantity,
                price,
                divided_half_even(line.quantity * price, line.units_per_price),
            )
    price = band.prices[_REQUEST]
    if price:
        name = USAGE_CLASSES[_REQUEST_CLASS].name
        yield AppliedRate(name, Component.REQUEST, usage.requests, price, usage.requests * price)


def divided_half_even(amount: int, divisor: int) -> int:
    """Return the quotient of two integers, rounded half-even."""
    quotient, remainder = divmod(amount, divisor)
    twice = 2 * remainder
    return quotient + (twice > divisor or (twice == divisor and quotient % 2 == 1))


def _is_covered(unpriced: Sequence[int], usage: UsageLines, prices: Sequence[int | None]) -> bool:
    """Say whether what has no price is paid for by something else that was used.

    Tokens are, at an offer that charges for the request, or for the images, seconds, characters,
    pixels, pages or queries of the same usage. Those in turn are where tokens are charged, which is
    how most offers bill an image.
    """
    charged = {line.component for line in usage.lines if prices[line.component] is not None}
    if prices[_REQUEST]:
        charged.add(_REQUEST)
    if any(Component(component).is_token for component in unpriced):
        return any(not Component(component).is_token for component in charged)
    return bool(charged)
