"""Offers that may serve a kind of request, best rough value first.

Working this out takes milliseconds, and most requests are of a few kinds: results are kept and
used again as long as catalogue, prices and the health that was last heard of stay the same.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from steelyard_router.domain import capability
from steelyard_router.domain.catalog import Offer
from steelyard_router.domain.health import (
    UNKNOWN,
    Condition,
    OfferHealth,
    condition_at,
    expected_attempts,
    expected_seconds,
)
from steelyard_router.domain.policy import Weights
from steelyard_router.domain.pool import Pool
from steelyard_router.domain.rates import RateCard, card_cost
from steelyard_router.domain.rejection import Rejection, RejectionReason
from steelyard_router.domain.sizes import SizeIndex
from steelyard_router.domain.usage import Usage
from steelyard_router.domain.utility import trusted_quality, utility


class Criteria(NamedTuple):
    """What a kind of request asks for; equal criteria on equal data give equal rankings."""

    needed_capabilities: int
    quality_floor: float
    weights: Weights
    prompt_tokens: int
    """Rounded to a power of two, like the next one."""
    output_tokens: int
    keys: frozenset[str] = frozenset()
    """Providers that can be called with a key, or need none."""
    allowed_providers: frozenset[str] = frozenset()
    denied_providers: frozenset[str] = frozenset()
    region: str = ""
    task_type: str = ""
    allow_unpriced: bool = False
    allow_free: bool = False
    """Whether offers that cost nothing at a remote seller compete."""


@dataclass(frozen=True, slots=True)
class Market:
    """Prices and health as last heard of."""

    cards: Mapping[str, RateCard] | None
    """By offer; None while pricing was never heard of."""
    health: Mapping[str, OfferHealth]
    """By offer; one that is absent is not known."""

    def health_of(self, offer: str) -> OfferHealth:
        return self.health.get(offer, UNKNOWN)


class Ranked(NamedTuple):
    """An offer with its rough value."""

    offer: Offer
    card: RateCard | None
    utility: float
    quality: float
    """Score for the task."""
    trusted_quality: float
    window: int
    """Tokens that prompt and completion may have."""
    room: int
    """Tokens that the completion may have."""
    surplus: Rejection
    """What to say when better ones fill the shortlist."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """The result for one kind of request."""

    ranked: tuple[Ranked, ...]
    rejected: tuple[Rejection, ...]
    """Nearest to being chosen first."""
    counts: Mapping[RejectionReason, int]
    sizes: SizeIndex
    """Of those that are ranked."""


def size_bucket(tokens: int) -> int:
    """Return the power of two at or below a count: how precisely rankings look at sizes."""
    return 1 << (tokens.bit_length() - 1) if tokens > 0 else 0


def rank(pool: Pool, criteria: Criteria, market: Market, now: datetime) -> Ranking:
    """Return the offers of a pool that meet the criteria, and why the others do not.

    Offers whose circuit is open or that ask to wait come last, before them those without a price:
    they are asked about when there is nothing better.
    """
    # A middle of the sizes that share the bucket.
    usage = Usage(criteria.prompt_tokens * 3 // 2, max(1, criteria.output_tokens * 3 // 2))
    keyed = criteria.keys & {offer.provider for offer in pool.offers}
    chosen: list[tuple[int, float, str, Ranked]] = []
    fallen: list[tuple[int, float, str, Rejection]] = []
    for offer in pool.offers:
        ranked, last = _valued(offer, criteria, market, usage, now)
        rejection = _rejection(offer, criteria, market, keyed) or _free_variant(
            ranked, criteria, pool.local_providers
        )
        if rejection is None:
            chosen.append((last, -ranked.utility, offer.offer, ranked))
        else:
            fallen.append((last, -ranked.utility, offer.offer, rejection))
    best_first = tuple(entry[3] for entry in sorted(chosen, key=_order))
    rejected = tuple(entry[3] for entry in sorted(fallen, key=_order))
    return Ranking(
        ranked=best_first,
        rejected=(*rejected, *pool.outsiders),
        counts=Counter(each.reason for each in rejected) + Counter(pool.outsider_counts),
        sizes=SizeIndex.of((each.window, each.room) for each in best_first),
    )


def _order(entry: tuple[int, float, str, object]) -> tuple[int, float, str]:
    return entry[:3]


def _valued(
    offer: Offer, criteria: Criteria, market: Market, usage: Usage, now: datetime
) -> tuple[Ranked, int]:
    """Return an offer with its rough value, and 0 or how far behind the others it belongs."""
    card = market.cards.get(offer.offer) if market.cards is not None else None
    health = market.health_of(offer.offer)
    cost = card_cost(card, usage).total if card is not None else 0
    score, uncertainty = offer.quality.for_task(criteria.task_type)
    trusted = trusted_quality(score, uncertainty)
    value = utility(
        criteria.weights,
        quality=trusted,
        cost_picodollars=cost * expected_attempts(health.success_rate),
        latency_seconds=expected_seconds(health, usage.output_tokens),
        health=health.score,
    )
    is_away = condition_at(health, now) is not Condition.OPEN_TO_REQUESTS
    is_unpriced = market.cards is not None and card is None
    surplus = Rejection(
        offer.offer,
        RejectionReason.NOT_SHORTLISTED,
        f"Its rough value {value.total:.2f} is not among the best.",
    )
    room = offer.max_output_tokens or offer.window
    ranked = Ranked(offer, card, value.total, score, trusted, offer.window, room, surplus)
    return ranked, 2 * is_away + is_unpriced


def _free_variant(
    ranked: Ranked, criteria: Criteria, local_providers: frozenset[str]
) -> Rejection | None:
    """Reject what would win every comparison of costs and answer a few requests a day."""
    offer, card = ranked.offer, ranked.card
    if criteria.allow_free or card is None or not card.is_free:
        return None
    if offer.provider in local_providers:
        return None
    detail = "Costs nothing, which the policy does not allow; such offers are limited to few calls."
    return Rejection(offer.offer, RejectionReason.FREE_VARIANT, detail)


def _rejection(
    offer: Offer, criteria: Criteria, market: Market, keyed: frozenset[str]
) -> Rejection | None:
    reason, detail = _problem(offer, criteria, market, keyed)
    return Rejection(offer.offer, reason, detail) if reason is not None else None


def _problem(
    offer: Offer, criteria: Criteria, market: Market, keyed: frozenset[str]
) -> tuple[RejectionReason | None, str]:
    provider = offer.provider
    if not _is_allowed(provider, criteria):
        return RejectionReason.PROVIDER_NOT_ALLOWED, f"The policy does not allow {provider}."
    if keyed and provider not in keyed:
        return RejectionReason.NO_KEY, f"There is no key for {provider}."
    if criteria.region and criteria.region not in offer.regions:
        where = ", ".join(sorted(offer.regions)) or "regions that its source does not name"
        return RejectionReason.WRONG_REGION, f"Served in {where}, not in {criteria.region}."
    if missing := criteria.needed_capabilities & ~offer.capabilities:
        return RejectionReason.MISSING_CAPABILITY, f"Lacks {capability.words(missing)}."
    return _worth_problem(offer, criteria, market)


def _is_allowed(provider: str, criteria: Criteria) -> bool:
    if provider in criteria.denied_providers:
        return False
    return not criteria.allowed_providers or provider in criteria.allowed_providers


def _worth_problem(
    offer: Offer, criteria: Criteria, market: Market
) -> tuple[RejectionReason | None, str]:
    score, _ = offer.quality.for_task(criteria.task_type)
    if score < criteria.quality_floor:
        detail = f"Quality {score:g}, at least {criteria.quality_floor:g} is asked for."
        return RejectionReason.QUALITY_TOO_LOW, detail
    if market.cards is not None and not criteria.allow_unpriced and offer.offer not in market.cards:
        return RejectionReason.UNPRICED, "No source publishes its price."
    return None, ""
