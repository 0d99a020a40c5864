"""Which figures of a source can be prices at all."""

from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation

from steelyard_pricing.domain.components import Component

PICODOLLARS_PER_USD = 10**12
MAX_TOKEN_PRICE = PICODOLLARS_PER_USD // 20
"""0.05 USD: five times the dearest token that anybody sells."""
MAX_UNIT_PRICE = 100 * PICODOLLARS_PER_USD
"""100 USD for an image, a second, a page or a request."""

_ONE = Decimal(1)
_USD_LIMIT = Decimal(1_000_000)


class ImplausiblePriceError(ValueError):
    """The figure is negative, not finite, too large, or finer than a picodollar."""


def to_picodollars(usd: Decimal) -> int:
    """Return a price in picodollars, rounded half-even.

    Raises:
        ImplausiblePriceError: It cannot be a price.
    """
    # Compared before it is scaled: 1E+999999 is a Decimal too.
    if not usd.is_finite() or not 0 <= usd < _USD_LIMIT:
        raise ImplausiblePriceError(f"{usd} is not a price")
    picodollars = int((usd * PICODOLLARS_PER_USD).quantize(_ONE, rounding=ROUND_HALF_EVEN))
    if usd and not picodollars:
        raise ImplausiblePriceError(f"{usd} would be rounded to nothing")
    return picodollars


def checked_price(component: Component, figure: object) -> int:
    """Return a figure of a source as picodollars per unit of `component`.

    Raises:
        ImplausiblePriceError: It is not a number, or out of bounds.
    """
    if isinstance(figure, bool) or not isinstance(figure, Decimal | int):
        raise ImplausiblePriceError(f"{type(figure).__name__} is not a number")
    picodollars = to_picodollars(Decimal(figure))
    if picodollars > (MAX_TOKEN_PRICE if component.is_token else MAX_UNIT_PRICE):
        raise ImplausiblePriceError(f"{figure} USD is out of bounds")
    return picodollars


def to_decimal(text: object) -> Decimal:
    """Read a price that a source writes as text.

    Raises:
        ImplausiblePriceError: It is not the text of a number.
    """
    if not isinstance(text, str):
        raise ImplausiblePriceError(f"{type(text).__name__} is not the text of a number")
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise ImplausiblePriceError("it is not the text of a number") from error
