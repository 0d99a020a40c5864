"""A labelled last resort: what an offer probably can, because others that sell its model say so."""

from collections.abc import Iterable, Sequence

from steelyard_catalog.families import maker_of
from steelyard_registry.domain.models import Offer
from steelyard_registry.domain.modes import Capability

# What was trained into the weights goes along with them, whoever runs them. Of the offers of the
# real files that say so themselves, 98 % of those whose maker's own can see can see as well, 95 %
# have tools and 90 % reason (the others switch it off); of hearing and films none denies.
INFERRED = frozenset(
    {
        Capability.AUDIO_INPUT,
        Capability.REASONING,
        Capability.TOOLS,
        Capability.VIDEO_INPUT,
        Capability.VISION,
    }
)
# The rest is a service that each seller builds or does not, around the same weights:
# - ASSISTANT_PREFILL, PARALLEL_TOOLS, STREAMING, SYSTEM_MESSAGES, TOOL_CHOICE: fields of an API;
# - STRUCTURED_OUTPUT: the server constrains the decoding;
# - PROMPT_CACHING, WEB_SEARCH: the server remembers and searches;
# - PDF_INPUT: the server draws the pages or takes their text, no model reads such files;
# - COMPUTER_USE: a tool with a protocol of the seller's;
# - AUDIO_OUTPUT, IMAGE_OUTPUT: many sell the text alone of models that also speak and draw.
MIN_WITNESSES = 2
"""Sellers that have to agree where the maker sells nothing itself."""


def inferred(offer: Offer, siblings: Sequence[Offer]) -> frozenset[Capability]:
    """Return what an offer's sources are silent on and others state of the same model.

    The maker's own offers decide, where there are any; else two other sellers do. One denial among
    those who decide is enough to conclude nothing. Guesses are no evidence for further ones.

    Args:
        offer: One that its sources describe incompletely.
        siblings: Offers of the model, itself among them or not; of another kind of work they say
            nothing about it.
    """
    unknown = INFERRED - offer.capabilities - offer.denied
    maker = maker_of(offer.model)
    if not unknown or offer.provider == maker:
        return frozenset()
    others = [
        each
        for each in siblings
        if each.provider != offer.provider and each.model == offer.model and each.mode is offer.mode
    ]
    own = [each for each in others if each.provider == maker]
    witnesses, needed = (own, 1) if own else (others, MIN_WITNESSES)
    return frozenset(
        capability for capability in unknown if _is_agreed(capability, witnesses, needed)
    )


def _is_agreed(capability: Capability, witnesses: Iterable[Offer], needed: int) -> bool:
    sellers: set[str] = set()
    for witness in witnesses:
        if capability in witness.denied:
            return False
        if capability in witness.capabilities:
            sellers.add(witness.provider)
    return len(sellers) >= needed
