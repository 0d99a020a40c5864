"""How reading each source went, and what is known of its last good body."""

from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from steelyard_pricing.adapters.tables import COPY, STATE
from steelyard_pricing.domain.source import ServedCopy, SourceFailure, SourceState

_MAX_MESSAGE = 1024
_SUCCESS, _FAILURE = "+", "-"


async def read_states(connection: AsyncConnection) -> dict[str, SourceState]:
    """Return how reading each source went so far."""
    rows = (await connection.execute(sa.select(STATE))).mappings().all()
    return {row["source"]: _state(row) for row in rows}


async def read_copies(connection: AsyncConnection) -> dict[str, ServedCopy]:
    """Return what is known of the body behind each source's facts."""
    rows = (await connection.execute(sa.select(COPY))).mappings().all()
    return {row["source"]: _copy(row) for row in rows}


async def write_states(connection: AsyncConnection, states: Mapping[str, SourceState]) -> None:
    """Keep how reading sources went."""
    for source, state in states.items():
        await connection.execute(sa.delete(STATE).where(STATE.c.source == source))
        await connection.execute(sa.insert(STATE).values(_row(source, state)))


async def write_copies(
    connection: AsyncConnection, copies: Mapping[str, ServedCopy | None]
) -> None:
    """Keep what is known of bodies; None forgets it."""
    for source, copy in copies.items():
        await connection.execute(sa.delete(COPY).where(COPY.c.source == source))
        if copy is not None:
            await connection.execute(sa.insert(COPY).values(_copy_row(source, copy)))


def _copy(row: sa.RowMapping) -> ServedCopy:
    return ServedCopy(**{name: value for name, value in row.items() if name != "source"})


def _copy_row(source: str, copy: ServedCopy) -> dict[str, object]:
    return {
        "source": source,
        "url": copy.url,
        "etag": copy.etag,
        "last_modified": copy.last_modified,
        "sha256": copy.sha256,
        "edition_date": copy.edition_date,
        "entry_count": copy.entry_count,
        "fetched_time": copy.fetched_time,
    }


def _state(row: sa.RowMapping) -> SourceState:
    failure_time = row["failure_time"]
    return SourceState(
        last_success_time=row["last_success_time"],
        last_attempt_time=row["last_attempt_time"],
        last_failure=(
            None
            if failure_time is None
            else SourceFailure(row["failure_cause"], row["failure_message"], failure_time)
        ),
        attempts=tuple(mark == _SUCCESS for mark in row["attempts"]),
    )


def _row(source: str, state: SourceState) -> dict[str, object]:
    failure = state.last_failure
    return {
        "source": source,
        "last_success_time": state.last_success_time,
        "last_attempt_time": state.last_attempt_time,
        "failure_cause": failure.cause if failure else None,
        "failure_message": failure.message[:_MAX_MESSAGE] if failure else None,
        "failure_time": failure.time if failure else None,
        "attempts": "".join(_SUCCESS if ok else _FAILURE for ok in state.attempts),
    }
