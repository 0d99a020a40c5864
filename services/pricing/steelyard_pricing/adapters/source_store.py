"""What the pricing service must remember across restarts, besides the last good bodies."""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa

from steelyard_common.columns import UtcDateTime
from steelyard_common.database import Database
from steelyard_common.migrations import Migration
from steelyard_pricing.domain.rates import PriceFact
from steelyard_pricing.domain.snapshot import ObservedFact
from steelyard_pricing.domain.source import SourceFailure, SourceState

MIGRATIONS = (
    Migration(
        (
            """CREATE TABLE source_state (
                source VARCHAR(64) PRIMARY KEY,
                last_success_time TIMESTAMP WITH TIME ZONE,
                last_attempt_time TIMESTAMP WITH TIME ZONE,
                failure_cause VARCHAR(64),
                failure_message VARCHAR(1024),
                failure_time TIMESTAMP WITH TIME ZONE,
                attempts VARCHAR(128) NOT NULL
            )""",
            "CREATE TABLE snapshot_version (id INTEGER PRIMARY KEY, version BIGINT NOT NULL)",
            "INSERT INTO snapshot_version (id, version) VALUES (1, 0)",
            """CREATE TABLE fact_observation (
                source VARCHAR(64) NOT NULL,
                offer VARCHAR(512) NOT NULL,
                digest VARCHAR(32) NOT NULL,
                observed_time TIMESTAMP WITH TIME ZONE NOT NULL,
                PRIMARY KEY (source, offer)
            )""",
        )
    ),
)

_MAX_MESSAGE = 1024
_SUCCESS, _FAILURE = "+", "-"

_metadata = sa.MetaData()
_STATE = sa.Table(
    "source_state",
    _metadata,
    sa.Column("source", sa.String, primary_key=True),
    sa.Column("last_success_time", UtcDateTime),
    sa.Column("last_attempt_time", UtcDateTime),
    sa.Column("failure_cause", sa.String),
    sa.Column("failure_message", sa.String),
    sa.Column("failure_time", UtcDateTime),
    sa.Column("attempts", sa.String),
)
_VERSION = sa.Table(
    "snapshot_version",
    _metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("version", sa.BigInteger),
)
_OBSERVATION = sa.Table(
    "fact_observation",
    _metadata,
    sa.Column("source", sa.String, primary_key=True),
    sa.Column("offer", sa.String, primary_key=True),
    sa.Column("digest", sa.String),
    sa.Column("observed_time", UtcDateTime),
)


class DatabaseSourceStore:
    """Keeps how reading sources went, the snapshot version, and since when each fact stands."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def states(self) -> dict[str, SourceState]:
        """Return how reading each source went so far."""
        async with self._database.read() as connection:
            rows = (await connection.execute(sa.select(_STATE))).mappings().all()
        return {row["source"]: _state(row) for row in rows}

    async def record(self, source: str, state: SourceState) -> None:
        row = _row(source, state)
        async with self._database.write() as connection:
            await connection.execute(sa.delete(_STATE).where(_STATE.c.source == source))
            await connection.execute(sa.insert(_STATE).values(row))

    async def next_version(self) -> int:
        """Return a snapshot version that is larger than every one before."""
        async with self._database.write() as connection:
            await connection.execute(sa.update(_VERSION).values(version=_VERSION.c.version + 1))
            version: int = (await connection.execute(sa.select(_VERSION.c.version))).scalar_one()
        return version

    async def observe(
        self, source: str, facts: Sequence[PriceFact], now: datetime
    ) -> tuple[ObservedFact, ...]:
        """Return facts with the time since when the source says so; new ones are dated `now`."""
        digests = await asyncio.to_thread(_digests, facts)
        known = await self._known(source)
        observed = tuple(
            ObservedFact(fact, _since(known.get(fact.offer), digests[fact.offer], now))
            for fact in facts
        )
        news = [each for each in observed if _is_news(known.get(each.fact.offer), digests, each)]
        gone = known.keys() - digests.keys()
        if news or gone:
            await self._replace(source, [(each, digests[each.fact.offer]) for each in news], gone)
        return observed

    async def _known(self, source: str) -> dict[str, tuple[str, datetime]]:
        columns = (_OBSERVATION.c.offer, _OBSERVATION.c.digest, _OBSERVATION.c.observed_time)
        query = sa.select(*columns).where(_OBSERVATION.c.source == source)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return {offer: (digest, observed_time) for offer, digest, observed_time in rows}

    async def _replace(
        self, source: str, news: Sequence[tuple[ObservedFact, str]], gone: set[str]
    ) -> None:
        outdated = [*gone, *(observed.fact.offer for observed, _ in news)]
        of_offer = sa.and_(
            _OBSERVATION.c.source == source, _OBSERVATION.c.offer == sa.bindparam("outdated")
        )
        async with self._database.write() as connection:
            await connection.execute(
                sa.delete(_OBSERVATION).where(of_offer),
                [{"outdated": offer} for offer in outdated],
            )
            if news:
                await connection.execute(
                    sa.insert(_OBSERVATION),
                    [
                        {
                            "source": source,
                            "offer": observed.fact.offer,
                            "digest": digest,
                            "observed_time": observed.observed_time,
                        }
                        for observed, digest in news
                    ],
                )


def _since(known: tuple[str, datetime] | None, digest: str, now: datetime) -> datetime:
    return known[1] if known is not None and known[0] == digest else now


def _is_news(
    known: tuple[str, datetime] | None, digests: Mapping[str, str], observed: ObservedFact
) -> bool:
    return known is None or known[0] != digests[observed.fact.offer]


def _digests(facts: Sequence[PriceFact]) -> dict[str, str]:
    by_rates: dict[tuple[object, ...], str] = {}
    digests: dict[str, str] = {}
    for fact in facts:
        price = (fact.rates, fact.is_free)
        if price not in by_rates:
            by_rates[price] = hashlib.sha256(_written(fact).encode()).hexdigest()[:32]
        digests[fact.offer] = by_rates[price]
    return digests


def _written(fact: PriceFact) -> str:
    """Return a price as text that stays the same across versions of the program."""
    rates = (
        f"{int(rate.component)} {rate.picodollars} {rate.service_tier}"
        f" {rate.above_prompt_tokens} {[tuple(window) for window in rate.windows]}"
        for rate in fact.rates
    )
    return "\n".join((f"free={fact.is_free}", *rates))


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
