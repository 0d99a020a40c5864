"""Whether a body of a source, taken as a whole, may replace the last good one.

A feed that is broken or poisoned as a whole shows in its statistics: entries that are gone, prices
that moved together, a seller that vanished. Such a body is held entirely. Prices do change with
time, so what is allowed grows with the time since the last good reading.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from math import log2
from statistics import median

from steelyard_pricing.domain.rates import PriceFact
from steelyard_pricing.domain.refusal import SourceRefusedError

MIN_KEPT_PERCENT = 95
MAX_CHANGED_SHARE = 0.10
CHANGED_SHARE_PER_WEEK = 0.03
"""OpenRouter changed 12 % of its prices in the two weeks up to 2026-08-01."""
MAX_ALLOWED_SHARE = 0.60
MIN_COUNTED = 10
"""Shares of fewer offers than this say nothing."""
MAX_MEDIAN_SHIFT = 0.07
"""Of log2: 5 % on half of all prices at once."""
MAX_FREE_GROWTH = 0.01
TOP_PROVIDERS = 10
MIN_PROVIDER_OFFERS = 5


class CatalogueHeldError(SourceRefusedError):
    """The body is held as a whole until somebody has looked at it."""


def check(
    new: Sequence[PriceFact],
    last_good: Sequence[PriceFact],
    *,
    elapsed: timedelta = timedelta(),
    other_sources: Collection[str] = (),
) -> None:
    """Accept the facts of a new body, or not.

    Args:
        new: What the body says.
        last_good: What is served of the source.
        elapsed: Time since that was read.
        other_sources: Names of the other sources: sellers that speak for themselves elsewhere
            may vanish here.

    Raises:
        CatalogueHeldError: It looks wrong as a whole.
    """
    _check_counts(new, last_good)
    _check_prices(new, last_good, elapsed)
    vanished = vanished_providers(new, last_good, other_sources)
    top = [name for name, _ in _offers_by_provider(last_good).most_common(TOP_PROVIDERS)]
    gone = [provider for provider in vanished if provider in top]
    if gone:
        raise CatalogueHeldError("provider_vanished", f"it has nothing of {', '.join(gone)} left")


def vanished_providers(
    new: Iterable[PriceFact], last_good: Iterable[PriceFact], other_sources: Collection[str]
) -> list[str]:
    """Return sellers of several offers that a new body does not name at all."""
    present = {fact.name.provider for fact in new}
    return [
        provider
        for provider, count in _offers_by_provider(last_good).most_common()
        if count >= MIN_PROVIDER_OFFERS
        and provider not in present
        and provider not in other_sources
    ]


def _check_counts(new: Sequence[PriceFact], last_good: Sequence[PriceFact]) -> None:
    if _is_far_less(len(new), len(last_good)):
        raise CatalogueHeldError(
            "shrunk", f"it names {len(new)} offers, the last good copy {len(last_good)}"
        )
    priced, priced_before = _priced(new), _priced(last_good)
    lost = len(last_good) >= MIN_COUNTED and _is_far_less(
        priced * len(last_good), priced_before * len(new)
    )
    if not priced or lost:
        raise CatalogueHeldError(
            "unpriced",
            f"it has usable prices of {priced} offers, the last good copy of {priced_before}",
        )
    growth = _free_share(new) - _free_share(last_good)
    if growth > MAX_FREE_GROWTH and _free(new) - _free(last_good) >= MIN_COUNTED and last_good:
        raise CatalogueHeldError(
            "free_share", f"{_free(new)} offers are free in it, {_free(last_good)} were before"
        )


def _check_prices(
    new: Iterable[PriceFact], last_good: Iterable[PriceFact], elapsed: timedelta
) -> None:
    shifts = _shifts(new, {fact.offer: fact for fact in last_good})
    changed = sum(shift != 0 for shift in shifts)
    weeks = elapsed / timedelta(weeks=1)
    allowed = min(MAX_CHANGED_SHARE + CHANGED_SHARE_PER_WEEK * weeks, MAX_ALLOWED_SHARE)
    if changed >= MIN_COUNTED and changed > allowed * len(shifts):
        raise CatalogueHeldError(
            "catalogue_delta", f"{changed} of {len(shifts)} prices would change at once"
        )
    if len(shifts) >= MIN_COUNTED and abs(median(shifts)) > MAX_MEDIAN_SHIFT:
        raise CatalogueHeldError(
            "median_shift", f"half of all prices would move by {2 ** median(shifts):.3g} or more"
        )


def _shifts(new: Iterable[PriceFact], last_good: Mapping[str, PriceFact]) -> list[float]:
    """Return how far each offer's prices moved: log2 of the largest move of a rate."""
    shifts: list[float] = []
    for fact in new:
        before = last_good.get(fact.offer)
        if before is None or not (fact.is_priced and before.is_priced):
            continue
        if fact.rates == before.rates:
            shifts.append(0.0)
            continue
        prices = {rate.key: rate.picodollars for rate in before.rates}
        moves = [
            log2(rate.picodollars / prices[rate.key])
            for rate in fact.rates
            if rate.picodollars and prices.get(rate.key)
        ]
        if moves:
            shifts.append(max(moves, key=abs))
    return shifts


def _offers_by_provider(facts: Iterable[PriceFact]) -> Counter[str]:
    return Counter(fact.name.provider for fact in facts)


def _is_far_less(count: int, before: int) -> bool:
    return count * 100 < before * MIN_KEPT_PERCENT


def _priced(facts: Iterable[PriceFact]) -> int:
    return sum(fact.is_priced for fact in facts)


def _free(facts: Iterable[PriceFact]) -> int:
    return sum(fact.is_free for fact in facts)


def _free_share(facts: Sequence[PriceFact]) -> float:
    return _free(facts) / len(facts) if facts else 0.0
