"""What people decide about models: out of routing, back into it, and how good they are."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType

from steelyard_registry.domain.lifecycle import state_of
from steelyard_registry.domain.models import DeprecationReason, Model, Offer, State
from steelyard_registry.domain.quality.scores import QualityScore
from steelyard_registry.domain.state import HandDecision, RegistryState, ScoreKey

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
    decision = HandDecision(
        name=subject.name, state=State.DEPRECATED, actor=actor, note=note, time=now
    )

    def change(state: RegistryState) -> RegistryState:
        # What was said of single offers before is overruled by what is said of all.
        others = _without(state.decisions, _names(subject))
        return replace(state, decisions=MappingProxyType({**others, subject.name: decision}))

    return change


def put_back(subject: Subject, *, actor: str, note: str, now: datetime) -> Change:
    """Return the change that puts a model or an offer back, whatever took it out.

    It takes back what a person said; where that is not enough, because the seller has ended it or
    nobody names it any more, it stays in until a person takes it out.
    """
    decision = HandDecision(name=subject.name, state=State.ACTIVE, actor=actor, note=note, time=now)
    is_over_anyway = all(
        state_of(offer, offer.missed_syncs, {}, now.date())[0] is State.DEPRECATED
        for offer in subject.offers
    )

    def change(state: RegistryState) -> RegistryState:
        decisions = dict(_without(state.decisions, _names(subject)))
        overruled = subject.offer is not None and subject.model.model in decisions
        if overruled or is_over_anyway:
            decisions[subject.name] = decision
        return replace(state, decisions=MappingProxyType(decisions))

    return change


def corrected(score: QualityScore) -> Change:
    """Return the change that sets a score."""
    key = score.model, score.task

    def change(state: RegistryState) -> RegistryState:
        return replace(state, corrections=MappingProxyType({**state.corrections, key: score}))

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


def _names(subject: Subject) -> set[str]:
    return {subject.name, *(offer.offer for offer in subject.offers)}


def _without(
    decisions: Mapping[str, HandDecision], names: Iterable[str]
) -> Mapping[str, HandDecision]:
    gone = set(names)
    return {name: each for name, each in decisions.items() if name not in gone}
