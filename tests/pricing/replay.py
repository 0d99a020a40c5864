"""Real feeds of several years, replayed through the gate in their order."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from steelyard_pricing.domain.gate.catalogue import CatalogueHeldError, check
from steelyard_pricing.domain.gate.held_change import HeldChange, HeldState
from steelyard_pricing.domain.gate.quarantine import Memory, Quarantine
from steelyard_pricing.domain.rates import ParsedSource, PriceFact
from steelyard_pricing.domain.refusal import SourceRefusedError
from steelyard_pricing.domain.snapshot import ObservedFact

Parse = Callable[[bytes], ParsedSource]


@dataclass(frozen=True, slots=True)
class Edition:
    """One body of a source."""

    day: datetime
    body: bytes


@dataclass(frozen=True, slots=True)
class Passed:
    """What became of a body."""

    served: tuple[PriceFact, ...]
    held: tuple[HeldChange, ...]
    refusal: str = ""
    """Why the whole body was not taken over; empty when it was."""


def editions(directory: Path, pattern: str) -> list[Edition]:
    """Return the files of a source in order; their names begin with, or hold, the day."""
    found = [(_day(path.name), path) for path in sorted(directory.glob(pattern))]
    return [Edition(day, path.read_bytes()) for day, path in sorted(found)]


def let_pass(
    source: str,
    edition: Edition,
    parse: Parse,
    last_good: Sequence[PriceFact],
    since: datetime,
) -> Passed:
    """Return what the gate makes of a body, as a refresh does it.

    Args:
        source: Whose body it is.
        edition: The body, and when it was read.
        parse: Reads it.
        last_good: What is served of the source.
        since: When that was read.
    """
    others = frozenset({"litellm", "openrouter", "models_dev"}) - {source}
    try:
        parsed = parse(edition.body)
        check(parsed.facts, last_good, elapsed=edition.day - since, other_sources=others)
    except (CatalogueHeldError, SourceRefusedError) as error:
        return Passed(tuple(last_good), (), error.cause)
    ids = count()
    memory = Memory(last_good={fact.offer: ObservedFact(fact, since) for fact in last_good})
    passage = Quarantine(
        source,
        memory,
        agrees=lambda _fact, _last_good: False,
        new_id=lambda: f"chg_{next(ids)}",
        now=edition.day,
    ).examine(parsed.facts, others)
    waiting = [change for change in passage.held_changes if change.state is HeldState.HELD]
    return Passed(tuple(passage.facts), tuple(waiting))


def replay(
    source: str, bodies: Sequence[Edition], parse: Parse
) -> Iterator[tuple[Edition, Passed]]:
    """Return what becomes of each body after the first, given what came before."""
    first = bodies[0]
    served, since = parse(first.body).facts, first.day
    for edition in bodies[1:]:
        passed = let_pass(source, edition, parse, served, since)
        yield edition, passed
        served, since = passed.served, edition.day


def _day(name: str) -> datetime:
    digits = next(part for part in name.replace(".json", "").split("_") if part[:4].isdigit())
    return datetime.fromisoformat(digits).replace(tzinfo=UTC)
