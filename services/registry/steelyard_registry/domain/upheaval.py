"""Whether a new body of a catalogue says rather too much new of what was known."""

from collections.abc import Iterable, Mapping
from datetime import date

from steelyard_registry.domain.feeds import UpheavalError
from steelyard_registry.domain.models import Offer
from steelyard_registry.domain.modes import Capability

MIN_COMMON = 20
MAX_ENDED_PERCENT = 15
"""Of offers that are over all at once; in two months of the real map there were 9."""
MAX_CHANGED_PERCENT = 5
"""Of offers that do another kind of work, or can no longer what they could; there were 3."""

_NEEDED = frozenset({Capability.TOOLS, Capability.VISION, Capability.STRUCTURED_OUTPUT})


def check_upheaval(offers: Iterable[Offer], known: Mapping[str, Offer], today: date) -> None:
    """Accept what a body says of offers that were known, or not.

    Raises:
        UpheavalError: Too many have ended, or are something else than before.
    """
    pairs = [(known[offer.offer], offer) for offer in offers if offer.offer in known]
    if len(pairs) < MIN_COMMON:
        return
    ended = sum(_is_over(new, today) and not _is_over(old, today) for old, new in pairs)
    if ended * 100 > len(pairs) * MAX_ENDED_PERCENT:
        raise UpheavalError(f"ends {ended} of {len(pairs)} offers at once")
    changed = sum(_is_another(old, new) for old, new in pairs)
    if changed * 100 > len(pairs) * MAX_CHANGED_PERCENT:
        raise UpheavalError(f"makes something else of {changed} of {len(pairs)} offers")


def _is_over(offer: Offer, today: date) -> bool:
    return offer.deprecation_date is not None and offer.deprecation_date <= today


def _is_another(old: Offer, new: Offer) -> bool:
    return old.mode is not new.mode or bool(_NEEDED & (old.capabilities - new.capabilities))
