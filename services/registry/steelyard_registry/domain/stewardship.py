"""What people decide about models: out of routing, back into it, and how good they are."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType

from steelyard_registry.domain.decisions import Decisions, HandDecision
from steelyard_registry.domain.lifecycle import state_of
from steelyard_registry.domain.models import DeprecationReason, Model, Offer, State
from steelyard_registry.domain.quality.scores import QualityScore
from steelyard_registry.domain.state import RegistryState, ScoreKey

Change = Callable[[RegistryState], RegistryState]
"""Makes the next state of the present one; called again when another replica was faster."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A model, or one offer of it."""

    model: Model
    offer: Offer | None = None

    @property
    def name(self) -> str:
        """Canonical id or offer id."""
        return self.model.model if self.offer is None else self.offer.offer

    @property
    def is_out(self) -> bool:
        """Whether any of it is out of routing by a person, or all of it for another reason."""
        if self.offer is not None:
            return self.offer.state is State.DEPRECATED
        by_hand = any(
            offer.deprecation_reason is DeprecationReason.BY_HAND for offer in self.model.offers
        )
        return by_hand or self.model.state is State.DEPRECATED

    @property
    def offers(self) -> tuple[Offer, ...]:
        """What a decision about it is about."""
        return self.model.offers if self.offer is None else (self.offer,)


def taken_out(subject: Subject, *, actor: str, note: str, now: datetime) -> Change:
    """Return the change that takes a model or an offer out of routing."""
    decision = _decision(subject, State.DEPRECATED, actor=actor, note=note, now=now)

    def change(state: RegistryState) -> RegistryState:
        # What was said of single offers before is overruled by what is said of all.
        others = _without(state.decisions, subject)
        return replace(state, decisions=MappingProxyType({**others, subject.name: decision}))

    return change


def put_back(subject: Subject, *, actor: str, note: str, now: datetime) -> Change:
    """Return the change that puts a model or an offer back, whatever took it out.

    It takes back what a person said; where that is not enough, because the seller has ended it or
    nobody names it any more, it stays in until a person takes it out.
    """
    decision = _decision(subject, State.ACTIVE, actor=actor, note=note, now=now)
    is_over_anyway = all(
        state_of(offer, offer.missed_syncs, None, now.date())[0] is State.DEPRECATED
        for offer in subject.offers
    )

    def change(state: RegistryState) -> RegistryState:
        decisions = dict(_without(state.decisions, subject))
        rest = Decisions(decisions)
        if is_over_anyway or any(rest.find(offer) is not None for offer in subject.offers):
            decisions[subject.name] = decision
        return replace(state, decisions=MappingProxyType(decisions))

    return change


def _decision(
    subject: Subject, state: State, *, actor: str, note: str, now: datetime
) -> HandDecision:
    return HandDecision(
        name=subject.name,
        state=state,
        actor=actor,
        note=note,
        time=now,
        offers=tuple(offer.offer for offer in subject.offers),
    )


def corrected(score: QualityScore, *, instead_of: ScoreKey | None = None) -> Change:
    """Return the change that sets a score, and takes back one that stands under another key."""

    def change(state: RegistryState) -> RegistryState:
        rest = {key: each for key, each in state.corrections.items() if key != instead_of}
        rest[score.model, score.task] = score
        return replace(state, corrections=MappingProxyType(rest))

    return change


def uncorrected(key: ScoreKey) -> Change:
    """Return the change that takes a score back."""

    def change(state: RegistryState) -> RegistryState:
        rest = {each: score for each, score in state.corrections.items() if each != key}
        return replace(state, corrections=MappingProxyType(rest))

    return change


def in_force(state: RegistryState, now: datetime) -> RegistryState:
    """Return a state without scores whose time is over."""
    kept = {key: each for key, each in state.corrections.items() if not is_over(each, now)}
    if len(kept) == len(state.corrections):
        return state
    return replace(state, corrections=MappingProxyType(kept))


def is_over(score: QualityScore, now: datetime) -> bool:
    """Whether a score no longer wins."""
    return score.expire_time is not None and score.expire_time <= now


def _without(decisions: Mapping[str, HandDecision], subject: Subject) -> Mapping[str, HandDecision]:
    """Return the decisions without those on a subject, and without its offers in the others."""
    offers = {offer.offer for offer in subject.offers}
    return {
        name: replace(each, offers=tuple(offer for offer in each.offers if offer not in offers))
        for name, each in decisions.items()
        if name not in offers | {subject.name}
    }
