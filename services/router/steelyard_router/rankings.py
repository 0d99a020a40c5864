"""Keeps rankings as long as what they rest on stays the same."""

from collections import OrderedDict
from collections.abc import Iterable
from datetime import date, datetime

from steelyard_router.domain.catalog import Catalog, Offer
from steelyard_router.domain.pool import Outsiders, Pool, pool_of
from steelyard_router.domain.ranking import Criteria, Market, Ranked, Ranking, Scales, rank, value

MAX_RANKINGS = 256
MAX_VALUATIONS = 32


class Rankings:
    """The most recently used rankings of one catalogue, day and market."""

    def __init__(self, local_providers: frozenset[str]) -> None:
        """Start empty; `local_providers` are those without keys that this installation has."""
        self._local_providers = local_providers
        self._catalog: Catalog | None = None
        self._day = date.min
        self._market: Market | None = None
        self._pool = Pool((), Outsiders())
        self._kept: OrderedDict[Criteria, Ranking] = OrderedDict()
        self._valued: OrderedDict[Scales, tuple[Ranked, ...]] = OrderedDict()

    def of_all(
        self, catalog: Catalog, criteria: Criteria, market: Market, now: datetime
    ) -> Ranking:
        """Return the ranking of the whole catalogue."""
        self._forget_unless_current(catalog, market, now.date())
        ranking = self._kept.get(criteria)
        if ranking is not None:
            self._kept.move_to_end(criteria)
            return ranking
        valued = self._valued_on(criteria.scales, market, now)
        ranking = self._kept[criteria] = rank(self._pool, criteria, market, valued)
        if len(self._kept) > MAX_RANKINGS:
            self._kept.popitem(last=False)
        return ranking

    def of_some(
        self,
        catalog: Catalog,
        offers: Iterable[Offer],
        criteria: Criteria,
        market: Market,
        now: datetime,
    ) -> Ranking:
        """Return the ranking of a few offers; there is nothing to keep."""
        pool = pool_of(catalog, offers, now.date(), self._local_providers)
        valued = value(pool.offers, criteria.scales, market, now)
        return rank(pool, criteria, market, valued)

    def _valued_on(self, scales: Scales, market: Market, now: datetime) -> tuple[Ranked, ...]:
        # A request may try four floors: they differ in what is left out, not in what it is worth.
        valued = self._valued.get(scales)
        if valued is None:
            valued = self._valued[scales] = value(self._pool.offers, scales, market, now)
            if len(self._valued) > MAX_VALUATIONS:
                self._valued.popitem(last=False)
        return valued

    def _forget_unless_current(self, catalog: Catalog, market: Market, day: date) -> None:
        if catalog is not self._catalog or day != self._day:
            self._pool = pool_of(catalog, catalog.offers, day, self._local_providers)
            self._catalog, self._day, self._market = catalog, day, None
        if market is not self._market:
            self._market = market
            self._kept.clear()
            self._valued.clear()
