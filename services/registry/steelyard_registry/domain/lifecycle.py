"""When offers come, go, and come back.

An offer that its source no longer names is kept for a while: feeds lose entries by mistake. It is
deprecated when two readings in a row did not name it, and forgotten half a year later.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta

from steelyard_registry.domain.decisions import HandDecision
from steelyard_registry.domain.models import DeprecationReason, Offer, State
from steelyard_registry.domain.source_facts import SourceFacts
from steelyard_registry.domain.state import OfferRecord, Records

MISSED_SYNCS = 2
FORGET_AFTER = timedelta(days=180)

StateOf = tuple[State, DeprecationReason | None]


def taken_over(
    known: Records, facts: SourceFacts, now: datetime, *, shipped: Mapping[str, Offer]
) -> Records:
    """Return the records of a source after a new body of it; what did not change stays the same.

    Args:
        known: By offer.
        facts: What the body says.
        now: When it was read.
        shipped: Offers of the seed by id, which nobody saw come.
    """
    records: dict[str, OfferRecord] = {}
    for offer in facts.offers:
        came = OfferRecord(
            offer=offer,
            source_key=facts.source_keys.get(offer.offer, ""),
            first_seen_time=None if offer.offer in shipped else now,
        )
        records[offer.offer] = _named(known.get(offer.offer), came)
    for name, record in known.items():
        if name not in records and not _is_forgotten(record, now):
            records[name] = _missed(record, now)
    return known if _are_same(known, records) else records


def confirmed(known: Records, now: datetime) -> Records:
    """Return the records after the source said that its body is still what it was."""
    records = {
        name: _missed(record, now) if record.missed_syncs else record
        for name, record in known.items()
        if not _is_forgotten(record, now)
    }
    return known if _are_same(known, records) else records


def state_of(
    offer: Offer, missed_syncs: int, decision: HandDecision | None, today: date
) -> StateOf:
    """Return whether an offer is served, and why not. What a person said wins.

    Args:
        offer: With its canonical model.
        missed_syncs: Of the source that missed it least.
        decision: What a person said of it, if anybody did.
        today: Decides whether its deprecation date has come.
    """
    if decision is not None:
        is_out = decision.state is State.DEPRECATED
        return decision.state, DeprecationReason.BY_HAND if is_out else None
    if offer.deprecation_date is not None and offer.deprecation_date <= today:
        return State.DEPRECATED, DeprecationReason.DATE_PASSED
    if missed_syncs >= MISSED_SYNCS:
        return State.DEPRECATED, DeprecationReason.MISSING
    return State.ACTIVE, None


def _named(known: OfferRecord | None, came: OfferRecord) -> OfferRecord:
    if known is None:
        return came
    is_same = replace(came.offer, observed_time=known.offer.observed_time) == known.offer
    if is_same and came.source_key == known.source_key and not known.missed_syncs:
        return known
    return replace(
        came,
        offer=known.offer if is_same else came.offer,
        first_seen_time=known.first_seen_time,
    )


def _missed(record: OfferRecord, now: datetime) -> OfferRecord:
    if record.missed_syncs >= MISSED_SYNCS:
        return record  # no more is to be learned, and nothing to be written
    return replace(
        record,
        missed_syncs=record.missed_syncs + 1,
        missing_since=record.missing_since or now,
    )


def _is_forgotten(record: OfferRecord, now: datetime) -> bool:
    return record.missing_since is not None and now - record.missing_since > FORGET_AFTER


def _are_same(known: Records, records: Mapping[str, OfferRecord]) -> bool:
    return len(known) == len(records) and all(
        known.get(name) is record for name, record in records.items()
    )


def largest_providers(offers: Iterable[Offer], count: int) -> set[str]:
    """Return the sellers with the most offers."""
    sizes: dict[str, int] = {}
    for offer in offers:
        sizes[offer.provider] = sizes.get(offer.provider, 0) + 1
    return set(sorted(sizes, key=lambda provider: (-sizes[provider], provider))[:count])
