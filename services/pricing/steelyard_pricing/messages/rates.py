"""Rates that callers set, checked."""

from collections.abc import Iterable

from steelyard.pricing.v1 import price_pb2
from steelyard_common.errors import InvalidFieldError
from steelyard_pricing.domain.bounds import MAX_TOKEN_PRICE, MAX_UNIT_PRICE
from steelyard_pricing.domain.components import Component
from steelyard_pricing.domain.quote import MAX_COUNT
from steelyard_pricing.domain.rates import STANDARD_TIER, Rate, TimeWindow
from steelyard_pricing.domain.week import DAYS, MINUTES_PER_DAY
from steelyard_pricing.messages.requests import MAX_TIER

MAX_RATES = 200
MAX_WINDOWS = 16


def from_rates(rates: Iterable[price_pb2.PriceRate], path: str) -> tuple[Rate, ...]:
    """Return rates, each for something else.

    Raises:
        InvalidFieldError: A rate cannot be one.
    """
    messages = list(rates)
    if len(messages) > MAX_RATES:
        raise InvalidFieldError(path, f"must have at most {MAX_RATES} entries")
    found: dict[tuple[object, ...], Rate] = {}
    for index, message in enumerate(messages):
        rate = _rate(message, f"{path}[{index}]")
        key = rate._replace(picodollars=0)
        if key in found:
            raise InvalidFieldError(f"{path}[{index}]", "repeats an earlier one")
        found[key] = rate
    return tuple(found.values())


def _rate(message: price_pb2.PriceRate, path: str) -> Rate:
    try:
        component = Component(message.component)
    except ValueError:
        raise InvalidFieldError(f"{path}.component", "is not known") from None
    limit = MAX_TOKEN_PRICE if component.is_token else MAX_UNIT_PRICE
    if not 0 <= message.picodollars <= limit:
        raise InvalidFieldError(f"{path}.picodollars", f"must be from 0 to {limit}")
    tier = message.service_tier
    if len(tier) > MAX_TIER or "\0" in tier:
        raise InvalidFieldError(
            f"{path}.service_tier", f"must have at most {MAX_TIER} characters, none of them NUL"
        )
    above = message.above_prompt_token_count
    if not 0 <= above <= MAX_COUNT:
        raise InvalidFieldError(
            f"{path}.above_prompt_token_count", f"must be from 0 to {MAX_COUNT}"
        )
    if len(message.windows) > MAX_WINDOWS:
        raise InvalidFieldError(f"{path}.windows", f"must have at most {MAX_WINDOWS} entries")
    return Rate(
        component,
        message.picodollars,
        STANDARD_TIER if tier == "standard" else tier,
        above,
        tuple(
            _window(window, f"{path}.windows[{index}]")
            for index, window in enumerate(message.windows)
        ),
    )


def _window(message: price_pb2.TimeWindow, path: str) -> TimeWindow:
    weekdays = tuple(message.weekdays)
    if not set(weekdays) <= set(DAYS) or len(set(weekdays)) < len(weekdays):
        raise InvalidFieldError(f"{path}.weekdays", "must be different days from 1 to 7")
    if not 0 <= message.start_minute < message.end_minute <= MINUTES_PER_DAY:
        raise InvalidFieldError(
            f"{path}.end_minute", f"must be after start_minute and at most {MINUTES_PER_DAY}"
        )
    return TimeWindow(weekdays, message.start_minute, message.end_minute)
