"""One offer out of all that sources say about it."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from steelyard_registry.domain.capabilities import (
    Abilities,
    inputs_in_line,
    outputs_in_line,
)
from steelyard_registry.domain.feeds import SourceName
from steelyard_registry.domain.models import Offer

# The first that describes an offer decides what it is, and what it says stays as it says it.
# OpenRouter's list comes before LiteLLM's map for its own offers, and it names no others.
PRECEDENCE = (
    SourceName.CUSTOM,
    SourceName.OPENROUTER,
    SourceName.LITELLM,
    SourceName.SEED,
    SourceName.MODELS_DEV,
)


def merged(facts: Mapping[SourceName, Iterable[Offer]]) -> tuple[Offer, ...]:
    """Return one offer per id, those of the first source first.

    Ids that differ in case alone are one offer, spelled as the first source spells it. Where a
    source has the whole list of a seller, the others add no offers to it: the installation's own
    file has that of each seller that it names models of, OpenRouter that of OpenRouter.

    Args:
        facts: Offers by source, at most one per id in each.
    """
    told = {source: tuple(facts.get(source, ())) for source in PRECEDENCE}
    owners = _owners(told)
    found: dict[str, Offer] = {}
    spelled: dict[str, str] = {}
    for source, offers in told.items():
        known = dict(spelled)
        for offer in offers:
            name = offer.offer if offer.offer in found else known.get(offer.offer.lower())
            if name is not None:
                found[name] = _filled(found[name], offer)
            elif owners.get(offer.provider, source) is source:
                found[offer.offer] = replace(offer, sources=(offer.source,))
                spelled.setdefault(offer.offer.lower(), offer.offer)
    return tuple(found.values())


def _owners(told: Mapping[SourceName, tuple[Offer, ...]]) -> dict[str, SourceName]:
    """Return the sources that have the whole list of a seller, by seller."""
    whole = (SourceName.OPENROUTER, SourceName.CUSTOM)
    return {offer.provider: source for source in whole for offer in told[source]}


def _filled(offer: Offer, other: Offer) -> Offer:
    """Return an offer with what a later source says on which the earlier ones are silent."""
    sources = tuple(dict.fromkeys((*offer.sources, other.source)))
    if offer.mode is not other.mode:
        # They speak of two kinds of work under one name; what holds of one may not of the other.
        return replace(offer, sources=sources)
    abilities = _abilities(offer, other)
    return replace(
        offer,
        capabilities=abilities.granted,
        denied=abilities.denied,
        max_input_tokens=_first(offer.max_input_tokens, other.max_input_tokens),
        max_output_tokens=_first(offer.max_output_tokens, other.max_output_tokens),
        input_modalities=offer.input_modalities
        or inputs_in_line(other.input_modalities, abilities),
        output_modalities=offer.output_modalities
        or outputs_in_line(other.output_modalities, abilities),
        deprecation_date=offer.deprecation_date or other.deprecation_date,
        regions=offer.regions or other.regions,
        display_name=offer.display_name or other.display_name,
        release_date=offer.release_date or other.release_date,
        knowledge_cutoff=offer.knowledge_cutoff or other.knowledge_cutoff,
        source_uri=offer.source_uri or other.source_uri,
        sources=sources,
    )


def _abilities(offer: Offer, other: Offer) -> Abilities:
    said = offer.capabilities | offer.denied
    return Abilities(
        granted=offer.capabilities | (other.capabilities - said),
        denied=offer.denied | (other.denied - said),
    )


def _first(limit: int | None, other: int | None) -> int | None:
    return other if limit is None else limit
