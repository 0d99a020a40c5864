"""What replicas tell each other, as bytes: outcomes, circuits, resets by hand.

Instants are seconds by the clock of Redis, which is the same for all. What is read is checked like
any input: another version of the program, or anybody else, may have written it.
"""

from collections.abc import Sequence
from math import inf, isfinite
from typing import Final, TypeAlias

import msgspec

from steelyard_health.domain.circuit import JITTER, MAX_LEVEL, MAX_OPEN_SECONDS, Circuit
from steelyard_health.domain.outcome import (
    WINDOW_SECONDS,
    Headroom,
    Outcome,
    Result,
    UnusableOutcomeError,
    is_offer,
    is_provider,
)
from steelyard_health.domain.subject import Subject

MAX_TENANT_LENGTH = 64
MAX_PERMIT_LENGTH = 64
MAX_AHEAD_SECONDS = MAX_OPEN_SECONDS * (1 + JITTER) + 60
MAX_REVISION = 2**53 - 1
"""Numbers of Lua are exact up to here."""


class GarbageEntryError(Exception):
    """The bytes are none that a replica writes."""


class OutcomeRow(msgspec.Struct, array_like=True, frozen=True):
    """An outcome without its permit: only who gave the permit out settles it."""

    outcome_id: str
    offer: str
    result: int
    age: float
    latency: float | None
    first_token: float | None
    tokens: int
    retry_after: float | None
    is_private: bool
    headroom: tuple[float, float | None] | None
    is_provider_only: bool


class Outcomes(msgspec.Struct, array_like=True, tag="o", frozen=True):
    """Outcomes that one replica was told of."""

    tenant_id: str
    rows: tuple[OutcomeRow, ...]


class CircuitRow(msgspec.Struct, array_like=True, frozen=True):
    """A circuit."""

    revision: int
    is_open: bool
    changed_at: float | None
    open_until: float | None
    level: int
    good_probes: int
    permit: str
    permit_until: float | None


class CircuitMoved(msgspec.Struct, array_like=True, tag="c", frozen=True):
    """A circuit as it is now."""

    tenant_id: str
    name: str
    circuit: CircuitRow


class WasReset(msgspec.Struct, array_like=True, tag="r", frozen=True):
    """What calls said of an offer or provider was forgotten by hand."""

    name: str


Entry: TypeAlias = Outcomes | CircuitMoved | WasReset

_ENTRIES: Final[msgspec.msgpack.Decoder[Entry]] = msgspec.msgpack.Decoder(Entry)
_CIRCUITS: Final = msgspec.msgpack.Decoder(CircuitRow)


def encode(entry: Entry | CircuitRow) -> bytes:
    """Return the bytes of an entry, or of a circuit's record."""
    return msgspec.msgpack.encode(entry)


def decode(payload: bytes) -> Entry:
    """Return the entry.

    Raises:
        GarbageEntryError: It is none.
    """
    try:
        entry = _ENTRIES.decode(payload)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise GarbageEntryError("no entry") from error
    name = "" if isinstance(entry, Outcomes) else entry.name
    if name and not is_offer(name) and not is_provider(name):
        raise GarbageEntryError("no name of an offer or provider")
    if not isinstance(entry, WasReset) and len(entry.tenant_id) > MAX_TENANT_LENGTH:
        raise GarbageEntryError("no tenant")
    return entry


def decode_circuit(value: bytes) -> CircuitRow:
    """Return the record of a circuit.

    Raises:
        GarbageEntryError: It is none.
    """
    try:
        return _CIRCUITS.decode(value)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise GarbageEntryError("no circuit") from error


def from_outcomes(tenant_id: str, outcomes: Sequence[Outcome]) -> Outcomes:
    """Return the entry that tells of outcomes."""
    return Outcomes(tenant_id, tuple(map(_row, outcomes)))


def to_outcomes(entry: Outcomes, age_seconds: float) -> list[Outcome]:
    """Return the outcomes that an entry of some age tells of, without those that are too old.

    Raises:
        GarbageEntryError: One makes no sense.
    """
    try:
        return [
            _outcome(row, age_seconds)
            for row in entry.rows
            if row.age + age_seconds <= WINDOW_SECONDS
        ]
    except (UnusableOutcomeError, ValueError) as error:
        raise GarbageEntryError("no outcome") from error


def from_circuit(circuit: Circuit, offset: float) -> CircuitRow:
    """Return the row of a circuit; `offset` leads from this clock to that of Redis."""
    return CircuitRow(
        circuit.revision,
        circuit.is_open,
        _shifted(circuit.changed_at, offset),
        _shifted(circuit.open_until, offset),
        circuit.level,
        circuit.good_probes,
        circuit.permit,
        _shifted(circuit.permit_until, offset),
    )


def to_circuit(row: CircuitRow, offset: float, now: float) -> Circuit:
    """Return the circuit of a row.

    Raises:
        GarbageEntryError: No circuit is like that.
    """
    instants = [_instant(at, offset) for at in (row.changed_at, row.open_until, row.permit_until)]
    is_sound = (
        0 <= row.revision <= MAX_REVISION
        and 0 <= row.level <= MAX_LEVEL
        and row.good_probes >= 0
        and len(row.permit) <= MAX_PERMIT_LENGTH
        and all(at <= now + MAX_AHEAD_SECONDS for at in instants)
    )
    if not is_sound:
        raise GarbageEntryError("no circuit")
    changed_at, open_until, permit_until = instants
    # By the clock of another Redis, or one that was set back, it may not have happened yet.
    changed_at = min(changed_at, now)
    return Circuit(
        revision=row.revision,
        is_open=row.is_open,
        changed_at=changed_at,
        open_until=open_until,
        level=row.level,
        good_probes=row.good_probes,
        permit=row.permit,
        permit_until=permit_until,
    )


def moved(subject: Subject, row: CircuitRow) -> CircuitMoved:
    """Return the entry that tells of a circuit."""
    return CircuitMoved(subject.tenant_id, subject.name, row)


def subject_of(entry: CircuitMoved) -> Subject:
    """Return whose circuit an entry is about."""
    return Subject.of(entry.name, entry.tenant_id)


def _row(outcome: Outcome) -> OutcomeRow:
    return OutcomeRow(
        outcome.outcome_id,
        outcome.offer,
        outcome.result,
        outcome.age_seconds,
        outcome.latency_seconds,
        outcome.first_token_seconds,
        outcome.output_token_count,
        outcome.retry_after_seconds,
        outcome.is_private,
        outcome.headroom,
        outcome.is_provider_only,
    )


def _outcome(row: OutcomeRow, age_seconds: float) -> Outcome:
    return Outcome(
        outcome_id=row.outcome_id,
        offer=row.offer,
        result=Result(row.result),
        age_seconds=row.age + age_seconds,
        latency_seconds=row.latency,
        first_token_seconds=row.first_token,
        output_token_count=row.tokens,
        retry_after_seconds=row.retry_after,
        is_private=row.is_private,
        headroom=Headroom(*row.headroom) if row.headroom is not None else None,
        is_provider_only=row.is_provider_only,
    )


def _shifted(at: float, offset: float) -> float | None:
    return at + offset if isfinite(at) else None


def _instant(at: float | None, offset: float) -> float:
    return -inf if at is None or not isfinite(at) else at - offset
