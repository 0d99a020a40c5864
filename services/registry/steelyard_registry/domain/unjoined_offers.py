"""Offers that are models of their own only because nobody knows what they sell."""

from collections.abc import Iterable, Iterator

from steelyard_catalog.names import canonical_name
from steelyard_registry.domain.grading import UnjoinedName
from steelyard_registry.domain.models import Model, Offer
from steelyard_registry.domain.modes import Mode
from steelyard_registry.domain.quality.joining import UnjoinedReason

# Kinds of work whose names mean the same model at every seller; elsewhere an offer is alone by
# right.
_JOINED_MODES = frozenset(
    {Mode.CHAT, Mode.COMPLETION, Mode.EMBEDDING, Mode.RERANK, Mode.MODERATION}
)


def unjoined_offers(models: Iterable[Model]) -> tuple[UnjoinedName, ...]:
    """Return the offers that no rule joins to others, by source and offer id.

    An offer that is a model of its own because its name means another kind of work elsewhere is
    not among them: what it sells is known.

    Args:
        models: Those of one catalogue.

    Returns:
        Names with the offer's source as source, the offer id as name, and UNKNOWN_NAME as reason.
    """
    unknown = (
        UnjoinedName(
            source=offer.source,
            source_model=offer.offer,
            reason=int(UnjoinedReason.UNKNOWN_NAME),
            canonical_name=model.model,
        )
        for model in models
        if model.mode in _JOINED_MODES
        for offer in _alone(model)
    )
    return tuple(sorted(unknown, key=lambda name: (name.source, name.source_model)))


def _alone(model: Model) -> Iterator[Offer]:
    """Yield offers whose own id is all that is known of their model."""
    for offer in model.offers:
        own = f"{offer.provider}/{offer.provider_model.lower()}"
        if model.model == own == canonical_name(offer.provider, offer.provider_model, "chat"):
            yield offer
