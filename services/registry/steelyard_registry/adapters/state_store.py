"""The state in the database: written whole or not at all."""

import asyncio
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import Any, TypeAlias, TypeVar

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from steelyard_common.clock import Clock
from steelyard_common.database import Database
from steelyard_common.leases import Lease, holds
from steelyard_common.many_rows import execute_many
from steelyard_registry.adapters import state_text
from steelyard_registry.adapters.event_store import write_events
from steelyard_registry.adapters.state_text import read_text, write_text
from steelyard_registry.adapters.tables import (
    CORRECTION,
    DECISION,
    EDITION,
    OFFER,
    SERVED,
    SOURCE,
)
from steelyard_registry.domain.decisions import HandDecision
from steelyard_registry.domain.events import CatalogEvent
from steelyard_registry.domain.models import State
from steelyard_registry.domain.ports import LeaseLostError, SupersededError
from steelyard_registry.domain.quality.editions import ScoreEdition
from steelyard_registry.domain.state import OfferRecord, RegistryState, SourceState

_Row: TypeAlias = "tuple[Any, ...]"

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows of one table that differ: by key columns, with their content or without."""

    table: sa.Table
    put: list[dict[str, Any]]
    gone: list[dict[str, Any]]


class DatabaseStateStore:
    """The only writer of the state."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def revision(self) -> int:
        """Return the revision of the state that is kept."""
        async with self._database.read() as connection:
            revision: int = (await connection.execute(sa.select(SERVED.c.revision))).scalar_one()
        return revision

    async def load(self) -> RegistryState:
        """Return the state; the empty one before the first commit."""
        async with self._database.read() as connection:
            served = (await connection.execute(sa.select(SERVED))).mappings().one()
            tables = [
                [tuple(row) for row in (await connection.execute(sa.select(table))).all()]
                for table in (OFFER, SOURCE, EDITION, DECISION, CORRECTION)
            ]
        return await asyncio.to_thread(_state, served, tables)

    async def commit(
        self,
        before: RegistryState,
        after: RegistryState,
        events: Sequence[CatalogEvent] = (),
        lease: Lease | None = None,
    ) -> None:
        """Write what differs, and the events, in one transaction.

        Raises:
            SupersededError: What is kept is no longer `before`, or the lease is lost.
            StorageFullError: There is no room. Nothing was written.
        """
        changed = await asyncio.to_thread(_changed, before, after)
        async with self._database.write() as connection:
            if lease is not None and not await holds(connection, lease):
                raise LeaseLostError("the lease has gone to somebody else")
            await _move_on(connection, before, after)
            for rows in changed:
                await _write(connection, rows)
            await write_events(connection, events, time=self._clock.now(), version=after.version)


async def _move_on(
    connection: AsyncConnection, before: RegistryState, after: RegistryState
) -> None:
    """Compare and swap: one of two that change the same state fails."""
    swapped = await connection.execute(
        sa.update(SERVED)
        .where(SERVED.c.revision == before.revision)
        .values(
            revision=after.revision,
            version=after.version,
            published_time=after.published_time,
            digest=after.digest,
            day=after.day,
            is_stale=after.is_stale,
        )
    )
    if swapped.rowcount != 1:
        raise SupersededError("the state has changed meanwhile")


async def _write(connection: AsyncConnection, rows: _Rows) -> None:
    keys = [column.name for column in rows.table.primary_key]
    outdated = [{f"old_{key}": row[key] for key in keys} for row in (*rows.put, *rows.gone)]
    if outdated:
        is_key = sa.and_(*(rows.table.c[key] == sa.bindparam(f"old_{key}") for key in keys))
        await execute_many(connection, sa.delete(rows.table).where(is_key), outdated)
    await execute_many(connection, sa.insert(rows.table), rows.put)


def _changed(before: RegistryState, after: RegistryState) -> list[_Rows]:
    changed = [
        _rows(OFFER, before.records.get(name, {}), after.records.get(name, {}), _named(name))
        for name in before.records.keys() | after.records.keys()
        if before.records.get(name) is not after.records.get(name)
    ]
    changed += [
        _rows(
            EDITION,
            _by_day(before.editions.get(name, ())),
            _by_day(after.editions.get(name, ())),
            _dated(name),
        )
        for name in before.editions.keys() | after.editions.keys()
    ]
    return [
        *changed,
        _rows(SOURCE, before.sources, after.sources, lambda name: {"source": name}),
        _rows(DECISION, before.decisions, after.decisions, lambda name: {"name": name}),
        _rows(
            CORRECTION,
            before.corrections,
            after.corrections,
            lambda key: {"model": key[0], "task": int(key[1])},
        ),
    ]


def _named(source: str) -> Callable[[str], dict[str, Any]]:
    return lambda name: {"source": source, "offer": name}


def _dated(source: str) -> Callable[[date], dict[str, Any]]:
    return lambda day: {"source": source, "edition_date": day}


def _by_day(editions: Sequence[ScoreEdition]) -> dict[date, ScoreEdition]:
    return {each.edition_date: each for each in editions}


def _rows(
    table: sa.Table,
    before: Mapping[K, V],
    after: Mapping[K, V],
    key_of: Callable[[K], dict[str, Any]],
) -> _Rows:
    return _Rows(
        table,
        put=[
            {**key_of(key), "content": write_text(part)}
            for key, part in after.items()
            if before.get(key) is not part
        ],
        gone=[key_of(key) for key in before if key not in after],
    )


def _state(served: sa.RowMapping, tables: Sequence[Sequence[_Row]]) -> RegistryState:
    offers, sources, editions, decisions, corrections = tables
    records, damaged = _records(offers)
    kept_editions, damaged_editions = _editions(editions)
    return RegistryState(
        revision=served["revision"],
        version=served["version"],
        published_time=served["published_time"],
        digest=served["digest"],
        day=served["day"],
        is_stale=served["is_stale"],
        records=records,
        sources=_sources(sources, damaged | damaged_editions),
        editions=kept_editions,
        decisions=MappingProxyType(
            {
                name: read_text(state_text.DECISIONS, content, name) or _unreadable(name)
                for name, content in decisions
            }
        ),
        corrections=MappingProxyType(
            {
                (model, score.task): score
                for model, _, content in corrections
                if (score := read_text(state_text.CORRECTIONS, content, model)) is not None
            }
        ),
    )


def _unreadable(name: str) -> HandDecision:
    """Return what stands for a decision that cannot be read: nobody is routed to in doubt."""
    return HandDecision(
        name=name,
        state=State.DEPRECATED,
        actor="",
        note="the decision on it cannot be read",
        time=datetime.min.replace(tzinfo=UTC),
    )


def _records(
    rows: Sequence[_Row],
) -> tuple[Mapping[str, Mapping[str, OfferRecord]], set[str]]:
    """Return the records, and the sources of which some cannot be read."""
    records: dict[str, dict[str, OfferRecord]] = {}
    damaged: set[str] = set()
    for source, offer, content in rows:
        record = read_text(state_text.RECORDS, content, offer)
        if record is None:
            damaged.add(source)
        else:
            records.setdefault(source, {})[offer] = record
    return MappingProxyType(records), damaged


def _sources(rows: Sequence[_Row], damaged: Collection[str]) -> Mapping[str, SourceState]:
    states: dict[str, SourceState] = {}
    for source, content in rows:
        state = read_text(state_text.SOURCES, content, source)
        if state is not None:
            # What is damaged is read anew in the next sync, whatever its publisher says.
            states[source] = replace(state, reader=0) if source in damaged else state
    return MappingProxyType(states)


def _editions(
    rows: Sequence[_Row],
) -> tuple[Mapping[str, tuple[ScoreEdition, ...]], set[str]]:
    """Return the editions, and the sources of which some cannot be read."""
    damaged: set[str] = set()
    editions: dict[str, list[ScoreEdition]] = {}
    for source, day, content in rows:
        edition = read_text(state_text.EDITIONS, content, f"{source} {day}")
        if edition is None:
            damaged.add(source)
        else:
            editions.setdefault(source, []).append(edition)
    in_order = MappingProxyType(
        {
            source: tuple(sorted(each, key=lambda edition: edition.edition_date, reverse=True))
            for source, each in editions.items()
        }
    )
    return in_order, damaged
