"""Overrides and rules that outlive the process."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from steelyard_common.database import Database
from steelyard_pricing.adapters.negotiation_store import DatabaseNegotiationStore
from steelyard_pricing.adapters.schema import MIGRATIONS
from steelyard_pricing.domain.margins import MarginKey, MarginRule, RuleKey, RuleScope
from steelyard_pricing.domain.negotiations import Negotiations, TenantOnOtherPlanError
from steelyard_pricing.domain.overrides import PriceOverride
from steelyard_pricing.domain.rates import Rate, TimeWindow
from tests.pricing.builders import INPUT, OUTPUT

NOW = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
RATES = (
    Rate(INPUT, 7),
    Rate(INPUT, 9, "batch", 128_000, (TimeWindow((1, 7), 0, 60), TimeWindow((), 5, 6))),
)
OVERRIDE = PriceOverride(
    override_id="ovr_1", tenant_id="a", offer="acme/model", rates=RATES, start=NOW, note="Why"
)
GOLD = RuleKey(RuleScope.PLAN, "gold")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[DatabaseNegotiationStore]:
    database = await Database.open("pricing", data_dir=tmp_path, migrations=MIGRATIONS)
    yield DatabaseNegotiationStore(database)
    await database.close()


async def test_what_was_set_is_found_again(store: DatabaseNegotiationStore) -> None:
    rules = (
        MarginRule(
            key=GOLD,
            markup=2_000,
            floor=500,
            fixed_prices={"acme/model": RATES, "acme/other": (Rate(OUTPUT, 0),)},
            plan_tenants=("z", "b"),
        ),
        MarginRule(key=RuleKey(RuleScope.TENANT, "a")),
    )
    kept = await store.put_override(OVERRIDE, NOW, is_new=True)
    for rule in reversed(rules):
        await store.put_rule(rule)

    state = await store.load()

    assert state.overrides == (kept,)
    assert state.rules == rules
    assert state.revision == await store.revision()


async def test_an_override_that_was_replaced_applies_to_the_time_before(
    store: DatabaseNegotiationStore,
) -> None:
    changed = PriceOverride(
        override_id="ovr_1", tenant_id="a", provider="acme", factor=9_000, start=LATER
    )
    await store.put_override(OVERRIDE, NOW, is_new=True)

    await store.put_override(changed, LATER, is_new=False)

    old, new = sorted((await store.load()).overrides, key=lambda each: each.sequence)
    assert (old.rates, old.start, old.end, old.is_current) == (RATES, NOW, LATER, False)
    assert (new.factor, new.start, new.end, new.is_current) == (9_000, LATER, None, True)


async def test_nobody_replaces_or_ends_an_override_of_somebody_else(
    store: DatabaseNegotiationStore,
) -> None:
    await store.put_override(OVERRIDE, NOW, is_new=True)
    before = (await store.load()).overrides
    foreign = PriceOverride(
        override_id="ovr_1", tenant_id="b", provider="acme", factor=1, start=NOW
    )

    assert await store.put_override(foreign, NOW, is_new=False) is None
    assert not await store.end_override("b", "ovr_1", NOW)
    assert (await store.load()).overrides == before


async def test_an_override_ends_once(store: DatabaseNegotiationStore) -> None:
    await store.put_override(OVERRIDE, NOW, is_new=True)

    assert await store.end_override("a", "ovr_1", NOW)
    assert await store.end_override("a", "ovr_1", LATER)

    assert [each.end for each in (await store.load()).overrides] == [NOW]


async def test_a_tenant_is_on_one_plan_at_most(store: DatabaseNegotiationStore) -> None:
    silver = MarginRule(key=RuleKey(RuleScope.PLAN, "silver"), plan_tenants=("x", "a"))
    await store.put_rule(MarginRule(key=GOLD, plan_tenants=("a", "b")))

    with pytest.raises(TenantOnOtherPlanError) as caught:
        await store.put_rule(silver)

    assert (caught.value.tenant_id, caught.value.plan) == ("a", "gold")
    assert [rule.plan for rule in (await store.load()).rules] == ["gold"]

    await store.put_rule(MarginRule(key=GOLD, plan_tenants=("b",)))
    await store.put_rule(silver)
    assert await store.delete_rule(GOLD)
    assert not await store.delete_rule(GOLD)
    assert (await store.load()).rules == (silver,)


async def test_another_process_on_the_same_database_follows(
    store: DatabaseNegotiationStore,
) -> None:
    here, there = Negotiations(store), Negotiations(store)
    assert await here.reload()
    assert await there.reload()

    await here.set_override(OVERRIDE, NOW, is_new=True)

    assert not await here.reload()
    assert there.overrides("a") == []
    assert await there.reload()
    assert [each.override_id for each in there.overrides("a")] == ["ovr_1"]
    assert not await there.reload()


async def test_margins_below_their_floor_keep_their_dates(
    store: DatabaseNegotiationStore,
) -> None:
    one, two = MarginKey(GOLD, "acme/one", ""), MarginKey(GOLD, "acme/two", "b")

    await store.record_crossings({one: NOW, two: NOW}, ())
    await store.record_crossings({two: LATER}, {one})

    assert await store.crossings() == {two: LATER}
