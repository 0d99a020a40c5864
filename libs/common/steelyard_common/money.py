"""USD as people and JSON read it, from and to integer picodollars, never through a binary float."""

from decimal import ROUND_HALF_EVEN, Context, Decimal

PICODOLLARS_PER_USD = 10**12
MAX_PICODOLLARS = 2**63 - 1
"""Largest amount that the contract can carry: 9.2 million USD."""

_FRACTION_DIGITS = 12
_SCALE = Context(prec=40, rounding=ROUND_HALF_EVEN)


def usd_text(picodollars: int) -> str:
    """Return an amount in USD, exact and without exponent: 2_500_000 is `0.0000025`."""
    whole, fraction = divmod(abs(picodollars), PICODOLLARS_PER_USD)
    sign = "-" if picodollars < 0 else ""
    if not fraction:
        return f"{sign}{whole}"
    return f"{sign}{whole}.{fraction:0{_FRACTION_DIGITS}d}".rstrip("0")


def to_picodollars(usd: Decimal) -> int:
    """Return an amount in picodollars, rounded half-even.

    Raises:
        ValueError: It is not finite, negative, or more than the contract can carry.
    """
    # The exponent is looked at first: 1e999999 is short to write and long to multiply.
    if not usd.is_finite() or usd.is_signed() or usd.adjusted() > _FRACTION_DIGITS:
        raise ValueError(f"must be from 0 to {usd_text(MAX_PICODOLLARS)}")
    exact = _SCALE.multiply(usd, Decimal(PICODOLLARS_PER_USD))
    picodollars = int(exact.to_integral_value(ROUND_HALF_EVEN))
    if picodollars > MAX_PICODOLLARS:
        raise ValueError(f"must be from 0 to {usd_text(MAX_PICODOLLARS)}")
    return picodollars
