"""Several estimates of one thing made one, with what they disagree by in the uncertainty."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

# Half width of a 95 % interval in standard deviations.
WIDTH = 1.96
_NOTHING = 1e-12


@dataclass(frozen=True, slots=True)
class Estimate:
    """One estimate, in points."""

    value: float
    uncertainty: float
    """Half width of the 95 % interval."""
    trust: float = 1.0
    """Above 0, at most 1: what is left of its weight, e.g. because of its age."""


@dataclass(frozen=True, slots=True)
class Pooled:
    """What the estimates say together."""

    value: float
    uncertainty: float
    """Half width of the 95 % interval."""
    shares: tuple[float, ...]
    """Weights of the estimates in their order; they sum to 1."""


def pool(estimates: Sequence[Estimate], *, correlation: float = 0.0) -> Pooled:
    """Return the mean by precision, with a variance between the estimates.

    The variance between is DerSimonian's and Laird's: what the estimates differ by more than their
    uncertainties explain. It evens the weights out and widens the result.

    Args:
        estimates: At least one.
        correlation: Of their errors, 0 to 1; many estimates with a common cause of error are
            hardly better than one.
    """
    variances = [(each.uncertainty / WIDTH) ** 2 for each in estimates]
    between = _variance_between([each.value for each in estimates], variances)
    totals = [variance + between for variance in variances]
    weights = [each.trust / total for each, total in zip(estimates, totals, strict=True)]
    shares = [weight / math.fsum(weights) for weight in weights]
    value = math.fsum(share * each.value for share, each in zip(shares, estimates, strict=True))
    alone = math.fsum(share**2 * total for share, total in zip(shares, totals, strict=True))
    common = math.fsum(s * math.sqrt(total) for s, total in zip(shares, totals, strict=True)) ** 2
    variance = (1 - correlation) * alone + correlation * common
    return Pooled(value=value, uncertainty=WIDTH * math.sqrt(variance), shares=tuple(shares))


def _variance_between(values: Sequence[float], variances: Sequence[float]) -> float:
    weights = [1 / variance for variance in variances]
    total = math.fsum(weights)
    mean = math.fsum(w * value for w, value in zip(weights, values, strict=True)) / total
    excess = math.fsum(w * (value - mean) ** 2 for w, value in zip(weights, values, strict=True))
    scale = total - math.fsum(weight**2 for weight in weights) / total
    # Of one estimate, or of one that outweighs all others, nothing can be said.
    return max(0.0, (excess - (len(values) - 1)) / scale) if scale > _NOTHING * total else 0.0
