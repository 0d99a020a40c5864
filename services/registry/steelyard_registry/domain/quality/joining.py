"""Which model a leaderboard means by a name. Never by similarity and never by a part of it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum

from steelyard_catalog.families import maker_of
from steelyard_registry.domain.models import Model
from steelyard_registry.domain.quality.aliases import AliasTable
from steelyard_registry.domain.quality.editions import ScoreSource
from steelyard_registry.domain.quality.effort import contradicts, rank, split_effort
from steelyard_registry.domain.quality.model_keys import ModelKeys
from steelyard_registry.domain.quality.name_rules import (
    folded,
    rewritten,
    spellings,
    tidied,
    translated,
    with_kind,
    without_date,
)

__all__ = ["AliasTable", "Joined", "ScoreNames", "Unjoined", "UnjoinedReason"]


class UnjoinedReason(IntEnum):
    """Why a name is joined to no model; numbered as in the contract."""

    NO_OFFER = 1
    AMBIGUOUS = 2
    NOT_SOLD = 3
    UNKNOWN_NAME = 4


@dataclass(frozen=True, slots=True)
class Joined:
    """A name that means a model of the catalogue."""

    model: str
    """Canonical id."""
    variant: str = ""
    """How the source ran it, e.g. `thinking-32k`, `high`, `non-reasoning`; empty as by default."""
    rank: int = 0
    """Of the names that one edition has for one model the lowest counts; see `effort.rank`."""


@dataclass(frozen=True, slots=True)
class Unjoined:
    """A name that means no model of the catalogue."""

    reason: UnjoinedReason
    canonical_name: str = ""
    """What it means, as far as that is known."""


@dataclass(frozen=True, slots=True)
class _Reading:
    """One way to understand a name: a model's name, and how it was run."""

    name: str
    variant: str = ""


class ScoreNames:
    """Joins the names of leaderboards to the models of one catalogue, each in constant time."""

    def __init__(self, models: Iterable[Model], aliases: AliasTable) -> None:
        self._keys = ModelKeys(models)
        self._aliases = aliases

    def join(self, source: ScoreSource, source_model: str) -> Joined | Unjoined:
        """Return the model that a source means by a name, or why it means none.

        Names are read from the most literal reading to the least: as the source spells them, in
        the catalogue's spelling, without what says how the model was run, without the date where
        its maker serves snapshots under one name, and with the `-instruct` that short names leave
        out. The first reading that anything is known of decides.
        """
        written = tidied(source_model)
        if not written:
            return Unjoined(UnjoinedReason.UNKNOWN_NAME)
        name = translated(source, written)
        known = self._keys.exact(source_model.strip().lower())
        has_own_meaning = self._aliases.own_meaning(source, folded(name)) or name != written
        if known is not None and not has_own_meaning:
            return self._joined(source, name, _Reading(name), known)
        for reading in _readings(name):
            found = self._read(source, name, reading)
            if found is not None:
                return found
        return self._at_last(source, name)

    def _read(self, source: ScoreSource, name: str, reading: _Reading) -> Joined | Unjoined | None:
        key = folded(reading.name)
        own = self._aliases.own_meaning(source, key)
        found = () if own else self._keys.find(reading.name)
        if len(found) > 1:
            return Unjoined(UnjoinedReason.AMBIGUOUS, reading.name)
        if found and not contradicts(reading.variant, found[0]):
            return self._joined(source, name, reading, found[0])
        meant = own or self._aliases.aliases.get(key, ())
        if meant:
            sold = next((each for each in meant if self._keys.exact(each)), None)
            if sold is None:
                return Unjoined(UnjoinedReason.NO_OFFER, meant[0])
            return self._joined(source, name, reading, sold)
        return self._not_sold(reading.name)

    def _not_sold(self, name: str) -> Unjoined | None:
        if folded(name) in self._aliases.ambiguous:
            return Unjoined(UnjoinedReason.AMBIGUOUS, name)
        if {folded(name), folded(without_date(name))} & self._aliases.not_sold.keys():
            return Unjoined(UnjoinedReason.NOT_SOLD, name)
        return None

    def _at_last(self, source: ScoreSource, name: str) -> Joined | Unjoined:
        *_, reading = _readings(name)
        found = {model for each in with_kind(reading.name) for model in self._keys.find(each)}
        found = {model for model in found if not contradicts(reading.variant, model)}
        if len(found) > 1:
            return Unjoined(UnjoinedReason.AMBIGUOUS, reading.name)
        if found:
            return self._joined(source, name, reading, found.pop())
        reason = UnjoinedReason.NO_OFFER if self._is_understood(reading.name) else None
        return Unjoined(reason or UnjoinedReason.UNKNOWN_NAME, reading.name)

    def _is_understood(self, name: str) -> bool:
        word = name.partition("-")[0]
        families = {word, word.rstrip("0123456789.")}
        return bool(maker_of(name) or families & self._aliases.families)

    def _joined(self, source: ScoreSource, name: str, reading: _Reading, model: str) -> Joined:
        variant = reading.variant or self._aliases.variant(source, folded(name))
        if not variant and folded(model.rpartition("/")[2]) != folded(reading.name):
            # A seller's own name for one way to run the model, e.g. `gpt-5.4-high`.
            way = split_effort(reading.name)[1]
            variant = "" if way == split_effort(model)[1] else way
        return Joined(model, variant, rank(model, variant, name))


def _readings(name: str) -> Iterator[_Reading]:
    """Yield the ways to read a tidied name, the most literal first."""
    yield _Reading(name)
    by_rule = rewritten(name)
    stem, variant = split_effort(by_rule)
    if variant:
        yield _Reading(by_rule)
        # Sold by itself under the other word for the same.
        if by_rule.endswith("-thinking"):
            yield _Reading(f"{by_rule.removesuffix('-thinking')}-reasoning")
        elif by_rule.endswith("-reasoning"):
            yield _Reading(f"{by_rule.removesuffix('-reasoning')}-thinking")
    for each in spellings(stem):
        yield _Reading(each, variant)
