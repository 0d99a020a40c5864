"""Offers of many sellers joined to models."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from itertools import groupby

from steelyard_catalog.families import maker_of
from steelyard_registry.domain.facts import Facts
from steelyard_registry.domain.models import Model, Offer, State
from steelyard_registry.domain.modes import Mode
from steelyard_registry.domain.quality import heuristics
from steelyard_registry.domain.quality.blending import blend
from steelyard_registry.domain.quality.scores import QualityScore

MAX_ALIASES = 64
_SCORED_MODES = frozenset({Mode.CHAT, Mode.COMPLETION})


def scores_of(
    model: str, mode: Mode, evidence: Mapping[str, Sequence[QualityScore]]
) -> tuple[QualityScore, ...]:
    """Return every score of a model: its evidence, and a guess to show beside it."""
    known = tuple(evidence.get(model, ()))
    return (*known, heuristics.guess(model)) if mode in _SCORED_MODES else known


def assemble(facts: Facts, today: date) -> tuple[Model, ...]:
    """Return the models that the offers sell, by id.

    Args:
        facts: Offers, and what is known of their models.
        today: Decides what is deprecated and which scores are stale.
    """
    in_order = sorted(facts.offers, key=lambda offer: offer.model)
    models = [
        _model(model, selling, facts, today)
        for canonical, joined in groupby(in_order, key=lambda offer: offer.model)
        for model, selling in _by_mode(canonical, list(joined))
    ]
    return tuple(sorted(models, key=lambda model: model.model))


def _by_mode(canonical: str, offers: list[Offer]) -> Iterable[tuple[str, list[Offer]]]:
    """Keep kinds of work apart: the canonical id goes to the maker's own kind, or the commonest."""
    maker = maker_of(canonical)
    own = [offer.mode for offer in offers if offer.provider == maker]
    main = Counter(sorted(own or [offer.mode for offer in offers])).most_common(1)[0][0]
    yield canonical, [offer for offer in offers if offer.mode is main]
    for offer in offers:
        if offer.mode is not main:
            yield offer.offer, [offer]


def _model(model: str, selling: list[Offer], facts: Facts, today: date) -> Model:
    maker, mode = maker_of(model), selling[0].mode
    offers = tuple(
        replace(offer, model=model, state=offer.state_on(today))
        for offer in sorted(selling, key=lambda offer: (offer.provider != maker, offer.offer))
    )
    return Model(
        model=model,
        maker=maker,
        mode=mode,
        offers=offers,
        aliases=_aliases(model, offers, facts.moving_names),
        display_name=min(filter(None, (offer.display_name for offer in offers)), default=""),
        capabilities=frozenset().union(*(offer.capabilities for offer in offers)),
        context_window=_largest(offer.max_input_tokens for offer in offers),
        max_output_tokens=_largest(offer.max_output_tokens for offer in offers),
        release_date=min(filter(None, (offer.release_date for offer in offers)), default=None),
        knowledge_cutoff=max(
            filter(None, (offer.knowledge_cutoff for offer in offers)), default=None
        ),
        state=_state(offers),
        quality=blend(scores_of(model, mode, facts.evidence), today),
    )


def _largest(numbers: Iterable[int | None]) -> int | None:
    return max((number for number in numbers if number is not None), default=None)


def _aliases(
    model: str, offers: Iterable[Offer], moving_names: Mapping[str, str]
) -> tuple[str, ...]:
    names = {offer.provider_model.rpartition("/")[2] for offer in offers}
    names |= {moving_names[offer.offer] for offer in offers if offer.offer in moving_names}
    return tuple(sorted(names - {model}))[:MAX_ALIASES]


def _state(offers: Iterable[Offer]) -> State:
    is_over = all(offer.state is State.DEPRECATED for offer in offers)
    return State.DEPRECATED if is_over else State.ACTIVE
