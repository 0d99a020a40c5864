"""Which offers can be routed to at all on one day: worked out once per version of the catalogue."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from steelyard_router.domain.catalog import Catalog, Offer, Provider
from steelyard_router.domain.rejection import Rejection, RejectionReason

_LAST_OF_OUTSIDERS = RejectionReason.WRONG_MODE


@dataclass(frozen=True, slots=True)
class Pool:
    """Offers that compete, and those that no request could use, nearest to being used first."""

    offers: tuple[Offer, ...]
    outsiders: tuple[Rejection, ...]
    outsider_counts: Mapping[RejectionReason, int]
    local_providers: frozenset[str] = frozenset()
    """Providers of this installation's own, whose models cost nothing."""


def pool_of(
    catalog: Catalog, offers: Iterable[Offer], day: date, local_providers: frozenset[str]
) -> Pool:
    """Part offers by whether they chat, are still served, and can be called.

    Args:
        catalog: Where their providers are described.
        offers: All of the catalogue, or those of the model that a request names.
        day: For deprecations.
        local_providers: Providers without keys that this installation has, e.g. `ollama`.
    """
    inside: list[Offer] = []
    outside: list[tuple[bool, float, Rejection]] = []
    for offer in offers:
        rejection = _outsider(offer, catalog.providers.get(offer.provider), day, local_providers)
        if rejection is None:
            inside.append(offer)
        else:
            is_last = rejection.reason is _LAST_OF_OUTSIDERS
            outside.append((is_last, -offer.quality.score, rejection))
    rejections = tuple(rejection for _, _, rejection in sorted(outside))
    counts = Counter(each.reason for each in rejections)
    return Pool(tuple(inside), rejections, counts, local_providers)


def _outsider(
    offer: Offer, provider: Provider | None, day: date, local_providers: frozenset[str]
) -> Rejection | None:
    if not offer.is_chat:
        return Rejection(offer.offer, RejectionReason.WRONG_MODE, "It does not chat.")
    if not offer.is_served_on(day):
        ended = offer.deprecation_date
        detail = f"No longer served from {ended} on." if ended else "No longer served."
        return Rejection(offer.offer, RejectionReason.DEPRECATED, detail)
    if not _can_call(provider, local_providers):
        detail = f"Requests cannot be sent to {offer.provider}."
        return Rejection(offer.offer, RejectionReason.PROVIDER_NOT_ROUTABLE, detail)
    return None


def _can_call(provider: Provider | None, local_providers: frozenset[str]) -> bool:
    if provider is None:
        return False
    if not provider.needs_key:
        return provider.provider in local_providers
    return provider.is_routable
