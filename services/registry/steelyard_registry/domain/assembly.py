"""Offers of many sellers joined to models."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import groupby
from typing import Any

from steelyard_catalog.families import maker_of
from steelyard_registry.domain.decisions import Decisions
from steelyard_registry.domain.facts import Facts
from steelyard_registry.domain.feeds import SourceName
from steelyard_registry.domain.inference import inferred
from steelyard_registry.domain.lifecycle import state_of
from steelyard_registry.domain.models import Model, Offer, State

MAX_ALIASES = 64
_UNSURE = (SourceName.MODELS_DEV,)


@dataclass(frozen=True, slots=True)
class _Rules:
    decisions: Decisions
    moving_names: Mapping[str, str]
    today: date


def assemble(facts: Facts, today: date) -> tuple[Model, ...]:
    """Return the models that the offers sell, by id, without their quality.

    Args:
        facts: Offers, and what is known of their models.
        today: Decides what is deprecated.
    """
    rules = _Rules(Decisions(facts.decisions), facts.moving_names, today)
    in_order = sorted(facts.offers, key=lambda offer: offer.model)
    models = [
        _model(model, selling, rules)
        for canonical, joined in groupby(in_order, key=lambda offer: offer.model)
        for model, selling in _by_mode(canonical, list(joined))
    ]
    return tuple(sorted(models, key=lambda model: model.model))


def _by_mode(canonical: str, offers: list[Offer]) -> Iterable[tuple[str, list[Offer]]]:
    """Keep kinds of work apart: the canonical id goes to the maker's own kind, or the commonest."""
    maker = maker_of(canonical)
    counted = _counted(offers)
    own = [offer.mode for offer in counted if offer.provider == maker]
    main = Counter(sorted(own or [offer.mode for offer in counted])).most_common(1)[0][0]
    yield canonical, [offer for offer in offers if offer.mode is main]
    for offer in offers:
        if offer.mode is not main:
            yield offer.offer, [offer]


def _model(model: str, selling: list[Offer], rules: _Rules) -> Model:
    maker, mode = maker_of(model), selling[0].mode
    in_order = sorted(selling, key=lambda offer: (offer.provider != maker, offer.offer))
    offers = tuple(_offer(offer, model, in_order, rules) for offer in in_order)
    counted = _counted(offers)
    own = [offer for offer in counted if offer.provider == maker]
    return Model(
        model=model,
        maker=maker,
        mode=mode,
        offers=offers,
        aliases=_aliases(model, counted, rules.moving_names),
        display_name=min(_known(counted, "display_name"), default=""),
        capabilities=frozenset().union(*(offer.capabilities for offer in counted)),
        context_window=max(_known(counted, "max_input_tokens"), default=None),
        max_output_tokens=max(_known(counted, "max_output_tokens"), default=None),
        # Sellers give the day on which they began to sell it, or that of its family.
        release_date=min(
            _known(own, "release_date") or _known(counted, "release_date"), default=None
        ),
        knowledge_cutoff=max(
            _known(own, "knowledge_cutoff") or _known(counted, "knowledge_cutoff"), default=None
        ),
        state=_state(offers),
        quality=None,
    )


def _counted(offers: Sequence[Offer]) -> Sequence[Offer]:
    """Return the offers that say what their model is.

    What models.dev alone says of resellers does not: it made a context of two million tokens of
    Gemini 2.5 Pro's one million. Where nobody else knows a model, it has to do.
    """
    return [offer for offer in offers if offer.sources != _UNSURE] or offers


def _known(offers: Iterable[Offer], field: str) -> list[Any]:
    values = (getattr(offer, field) for offer in offers)
    return [value for value in values if value not in {None, ""}]


def _offer(offer: Offer, model: str, siblings: Sequence[Offer], rules: _Rules) -> Offer:
    # What is said of a model is said of all kinds of work under its name.
    decision = rules.decisions.find(offer)
    state, reason = state_of(offer, offer.missed_syncs, decision, rules.today)
    return replace(
        offer,
        model=model,
        state=state,
        deprecation_reason=reason,
        is_kept=decision is not None and decision.state is State.ACTIVE,
        inferred=inferred(offer, siblings),
    )


def _aliases(
    model: str, offers: Iterable[Offer], moving_names: Mapping[str, str]
) -> tuple[str, ...]:
    names = {offer.provider_model.rpartition("/")[2] for offer in offers}
    names |= {moving_names[offer.offer] for offer in offers if offer.offer in moving_names}
    return tuple(sorted(names - {model}))[:MAX_ALIASES]


def _state(offers: Iterable[Offer]) -> State:
    is_over = all(offer.state is State.DEPRECATED for offer in offers)
    return State.DEPRECATED if is_over else State.ACTIVE
