"""Overrides, margin rules, and margins below their floors, in the database."""

import json
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from steelyard_common.columns import UtcDateTime
from steelyard_common.database import Database
from steelyard_common.migrations import Migration
from steelyard_pricing.domain.components import Component
from steelyard_pricing.domain.margins import MarginKey, MarginRule, RuleKey, RuleScope
from steelyard_pricing.domain.negotiations import NegotiationState, TenantOnOtherPlanError
from steelyard_pricing.domain.overrides import PriceOverride
from steelyard_pricing.domain.rates import Rate, TimeWindow

NEGOTIATION_MIGRATION = Migration(
    (
        "CREATE TABLE negotiation_revision (id INTEGER PRIMARY KEY, revision BIGINT NOT NULL)",
        "INSERT INTO negotiation_revision (id, revision) VALUES (1, 0)",
        # One row for each time that an override was set: what it was before still applies to then.
        """CREATE TABLE price_override (
            sequence BIGINT PRIMARY KEY,
            override_id VARCHAR(64) NOT NULL,
            tenant_id VARCHAR(128) NOT NULL,
            offer VARCHAR(512) NOT NULL,
            provider VARCHAR(256) NOT NULL,
            rates TEXT NOT NULL,
            factor INTEGER NOT NULL,
            start_time TIMESTAMP WITH TIME ZONE NOT NULL,
            end_time TIMESTAMP WITH TIME ZONE,
            note VARCHAR(1000) NOT NULL,
            is_current INTEGER NOT NULL
        )""",
        "CREATE INDEX price_override_id ON price_override (tenant_id, override_id)",
        """CREATE TABLE margin_rule (
            scope VARCHAR(16) NOT NULL,
            name VARCHAR(128) NOT NULL,
            markup INTEGER NOT NULL,
            floor INTEGER NOT NULL,
            fixed_prices TEXT NOT NULL,
            PRIMARY KEY (scope, name)
        )""",
        """CREATE TABLE plan_tenant (
            tenant_id VARCHAR(128) PRIMARY KEY,
            plan VARCHAR(128) NOT NULL,
            position INTEGER NOT NULL
        )""",
        """CREATE TABLE margin_below_floor (
            scope VARCHAR(16) NOT NULL,
            name VARCHAR(128) NOT NULL,
            offer VARCHAR(512) NOT NULL,
            tenant_id VARCHAR(128) NOT NULL,
            change_time TIMESTAMP WITH TIME ZONE NOT NULL,
            PRIMARY KEY (scope, name, offer, tenant_id)
        )""",
    )
)

_metadata = sa.MetaData()
_REVISION = sa.Table(
    "negotiation_revision",
    _metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("revision", sa.BigInteger),
)
_OVERRIDE = sa.Table(
    "price_override",
    _metadata,
    sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("override_id", sa.String),
    sa.Column("tenant_id", sa.String),
    sa.Column("offer", sa.String),
    sa.Column("provider", sa.String),
    sa.Column("rates", sa.Text),
    sa.Column("factor", sa.Integer),
    sa.Column("start_time", UtcDateTime),
    sa.Column("end_time", UtcDateTime),
    sa.Column("note", sa.String),
    sa.Column("is_current", sa.Integer),
)
_RULE = sa.Table(
    "margin_rule",
    _metadata,
    sa.Column("scope", sa.String, primary_key=True),
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("markup", sa.Integer),
    sa.Column("floor", sa.Integer),
    sa.Column("fixed_prices", sa.Text),
)
_PLAN_TENANT = sa.Table(
    "plan_tenant",
    _metadata,
    sa.Column("tenant_id", sa.String, primary_key=True),
    sa.Column("plan", sa.String),
    sa.Column("position", sa.Integer),
)
_BELOW = sa.Table(
    "margin_below_floor",
    _metadata,
    sa.Column("scope", sa.String, primary_key=True),
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("offer", sa.String, primary_key=True),
    sa.Column("tenant_id", sa.String, primary_key=True),
    sa.Column("change_time", UtcDateTime),
)


class DatabaseNegotiationStore:
    """Keeps what was negotiated; a counter says whether anything was written since."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def revision(self) -> int:
        async with self._database.read() as connection:
            return await _revision(connection)

    async def load(self) -> NegotiationState:
        """Return everything at one revision."""
        async with self._database.read() as connection:
            revision = await _revision(connection)
            overrides = (await connection.execute(sa.select(_OVERRIDE))).mappings().all()
            rules = (await connection.execute(sa.select(_RULE))).mappings().all()
            query = sa.select(_PLAN_TENANT).order_by(_PLAN_TENANT.c.position)
            tenants = (await connection.execute(query)).mappings().all()
        by_plan: dict[str, list[str]] = {}
        for row in tenants:
            by_plan.setdefault(row["plan"], []).append(row["tenant_id"])
        found = (_rule(row, by_plan) for row in rules)
        return NegotiationState(
            revision,
            tuple(map(_override, overrides)),
            tuple(sorted(found, key=lambda rule: rule.key)),
        )

    async def put_override(
        self, override: PriceOverride, now: datetime, *, is_new: bool
    ) -> PriceOverride | None:
        """Keep an override; the one that it replaces stays for the times before."""
        present = _is_present(override.tenant_id, override.override_id)
        replace = sa.update(_OVERRIDE).where(present)
        async with self._database.write() as connection:
            revision = await _next_revision(connection)
            await connection.execute(replace.where(_is_open(now)).values(end_time=now))
            found = await connection.execute(replace.values(is_current=0))
            if not is_new and not found.rowcount:
                return None
            row = _override_row(override) | {"sequence": revision, "is_current": 1}
            await connection.execute(sa.insert(_OVERRIDE).values(row))
        return _override(row)

    async def end_override(self, tenant_id: str, override_id: str, now: datetime) -> bool:
        """End an override unless it has ended; False when the tenant has none with this id."""
        query = sa.select(_OVERRIDE).where(_is_present(tenant_id, override_id))
        async with self._database.write() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
            if row is None:
                return False
            if row["end_time"] is None or row["end_time"] > now:
                await _next_revision(connection)
                change = sa.update(_OVERRIDE).where(_OVERRIDE.c.sequence == row["sequence"])
                await connection.execute(change.values(end_time=now))
        return True

    async def put_rule(self, rule: MarginRule) -> None:
        """Keep a rule instead of the present one with its key.

        Raises:
            TenantOnOtherPlanError: A tenant of the plan is on another one.
        """
        async with self._database.write() as connection:
            # First: it makes writers of several processes wait for each other.
            await _next_revision(connection)
            await _remove_rule(connection, rule.key)
            await connection.execute(sa.insert(_RULE).values(_rule_row(rule)))
            if not rule.plan_tenants:
                return
            plans = (await connection.execute(sa.select(_PLAN_TENANT))).mappings().all()
            plan_of = {row["tenant_id"]: row["plan"] for row in plans}
            for tenant_id in rule.plan_tenants:
                if tenant_id in plan_of:
                    raise TenantOnOtherPlanError(tenant_id, plan_of[tenant_id])
            rows = [
                {"tenant_id": tenant_id, "plan": rule.plan, "position": position}
                for position, tenant_id in enumerate(rule.plan_tenants)
            ]
            await connection.execute(sa.insert(_PLAN_TENANT), rows)

    async def delete_rule(self, key: RuleKey) -> bool:
        """Remove a rule, and the tenants from its plan; False when there is none."""
        async with self._database.write() as connection:
            await _next_revision(connection)
            return await _remove_rule(connection, key)

    async def crossings(self) -> Mapping[MarginKey, datetime]:
        """Return when each margin that is below its floor came there."""
        async with self._database.read() as connection:
            rows = (await connection.execute(sa.select(_BELOW))).mappings().all()
        return {
            MarginKey(
                RuleKey(RuleScope(row["scope"]), row["name"]), row["offer"], row["tenant_id"]
            ): row["change_time"]
            for row in rows
        }

    async def record_crossings(
        self, added: Mapping[MarginKey, datetime], removed: Collection[MarginKey]
    ) -> None:
        """Keep what is newly below its floor and forget what no longer is."""
        outdated = [
            {f"old_{column}": value for column, value in _key_row(key).items()}
            for key in (*added, *removed)
        ]
        of_key = sa.and_(
            *(
                _BELOW.c[column] == sa.bindparam(f"old_{column}")
                for column in ("scope", "name", "offer", "tenant_id")
            )
        )
        async with self._database.write() as connection:
            if outdated:
                await connection.execute(sa.delete(_BELOW).where(of_key), outdated)
            if added:
                await connection.execute(
                    sa.insert(_BELOW),
                    [_key_row(key) | {"change_time": time} for key, time in added.items()],
                )


async def _revision(connection: AsyncConnection) -> int:
    revision: int = (await connection.execute(sa.select(_REVISION.c.revision))).scalar_one()
    return revision


async def _next_revision(connection: AsyncConnection) -> int:
    await connection.execute(sa.update(_REVISION).values(revision=_REVISION.c.revision + 1))
    return await _revision(connection)


def _is_present(tenant_id: str, override_id: str) -> sa.ColumnElement[bool]:
    return sa.and_(
        _OVERRIDE.c.tenant_id == tenant_id,
        _OVERRIDE.c.override_id == override_id,
        _OVERRIDE.c.is_current == 1,
    )


def _is_open(now: datetime) -> sa.ColumnElement[bool]:
    return sa.or_(_OVERRIDE.c.end_time.is_(None), _OVERRIDE.c.end_time > now)


async def _remove_rule(connection: AsyncConnection, key: RuleKey) -> bool:
    found = await connection.execute(
        sa.delete(_RULE).where(_RULE.c.scope == key.scope.value, _RULE.c.name == key.name)
    )
    if key.scope is RuleScope.PLAN:
        await connection.execute(sa.delete(_PLAN_TENANT).where(_PLAN_TENANT.c.plan == key.name))
    return found.rowcount > 0


def _override(row: Mapping[Any, Any]) -> PriceOverride:
    return PriceOverride(
        override_id=row["override_id"],
        tenant_id=row["tenant_id"],
        offer=row["offer"],
        provider=row["provider"],
        rates=_from_json(json.loads(row["rates"])),
        factor=row["factor"],
        start=row["start_time"],
        end=row["end_time"],
        note=row["note"],
        sequence=row["sequence"],
        is_current=bool(row["is_current"]),
    )


def _override_row(override: PriceOverride) -> dict[str, object]:
    return {
        "override_id": override.override_id,
        "tenant_id": override.tenant_id,
        "offer": override.offer,
        "provider": override.provider,
        "rates": json.dumps(_to_json(override.rates)),
        "factor": override.factor,
        "start_time": override.start,
        "end_time": override.end,
        "note": override.note,
    }


def _rule(row: sa.RowMapping, tenants_by_plan: Mapping[str, list[str]]) -> MarginRule:
    key = RuleKey(RuleScope(row["scope"]), row["name"])
    is_plan = key.scope is RuleScope.PLAN
    return MarginRule(
        key=key,
        markup=row["markup"],
        floor=row["floor"],
        fixed_prices={
            offer: _from_json(rates) for offer, rates in json.loads(row["fixed_prices"]).items()
        },
        plan_tenants=tuple(tenants_by_plan.get(key.name, ())) if is_plan else (),
    )


def _rule_row(rule: MarginRule) -> dict[str, object]:
    prices = {offer: _to_json(rates) for offer, rates in rule.fixed_prices.items()}
    return {
        "scope": rule.key.scope.value,
        "name": rule.key.name,
        "markup": rule.markup,
        "floor": rule.floor,
        "fixed_prices": json.dumps(prices),
    }


def _key_row(key: MarginKey) -> dict[str, object]:
    return {
        "scope": key.rule.scope.value,
        "name": key.rule.name,
        "offer": key.offer,
        "tenant_id": key.tenant_id,
    }


def _to_json(rates: Iterable[Rate]) -> list[object]:
    return [[int(component), *rest] for component, *rest in rates]


def _from_json(rates: Iterable[list[Any]]) -> tuple[Rate, ...]:
    return tuple(
        Rate(
            Component(component),
            picodollars,
            tier,
            above,
            tuple(TimeWindow(tuple(days), start, end) for days, start, end in windows),
        )
        for component, picodollars, tier, above, windows in rates
    )
