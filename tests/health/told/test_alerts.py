"""The life of an alert, in a real database."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy
from structlog.testing import capture_logs

from steelyard_common.database import Database
from steelyard_health.adapters.alert_keeper import AlertKeeper
from steelyard_health.adapters.alert_store import AlertStore
from steelyard_health.domain.alerting import AlertStep
from steelyard_health.domain.change_log import ChangeLog
from steelyard_health.domain.state import HealthState
from steelyard_health.domain.subject import Subject
from tests.fakes import START, FakeClock
from tests.health.told.alert_queries import alerts_of, steps_of
from tests.health.told.builders import (
    DEGRADED,
    HEALTHY,
    MAINTENANCE,
    OFFER,
    RATE_LIMITED,
    UNHEALTHY,
    UNKNOWN,
    Story,
)
from tests.health.told.serving import open_database

DAY = 86_400
SECOND = timedelta(seconds=1)


@pytest.fixture
def store(database: Database, clock: FakeClock) -> AlertStore:
    return AlertStore(database, clock)


async def test_an_alert_begins_worsens_and_ends(store: AlertStore) -> None:
    story = Story()

    steps = await steps_of(
        store,
        story(DEGRADED, evidence="12 % of 50 failed"),
        story(UNHEALTHY, time=START + SECOND, evidence="5 failures in a row"),
        story(DEGRADED, time=START + 2 * SECOND, evidence="20 % of 60 failed"),
        story(HEALTHY, time=START + 3 * SECOND, evidence="10 successes in a row"),
    )

    assert steps == [AlertStep.BEGUN, AlertStep.WORSENED, None, AlertStep.ENDED]
    [alert] = await alerts_of(store)
    assert alert.subject == Subject("openai", OFFER, "")
    assert alert.state is UNHEALTHY
    assert alert.evidence == "5 failures in a row"
    assert (alert.start_time, alert.end_time) == (START, START + 3 * SECOND)
    assert alert.alert_id.startswith("alr_")
    assert len(alert.alert_id) == len("alr_") + 26


@pytest.mark.parametrize("state", [RATE_LIMITED, MAINTENANCE])
async def test_limits_and_absences_neither_begin_nor_end_a_spell(
    store: AlertStore, state: HealthState
) -> None:
    story = Story()

    steps = await steps_of(
        store, story(state), story(UNHEALTHY), story(state), story(UNHEALTHY), story(HEALTHY)
    )

    assert steps == [None, AlertStep.BEGUN, None, None, AlertStep.ENDED]
    assert len(await alerts_of(store)) == 1


@pytest.mark.parametrize("state", [HEALTHY, UNKNOWN])
async def test_a_spell_ends_when_all_is_well_or_nothing_known(
    store: AlertStore, state: HealthState
) -> None:
    story = Story()

    steps = await steps_of(store, story(DEGRADED), story(RATE_LIMITED), story(state), story(state))

    assert steps == [AlertStep.BEGUN, None, AlertStep.ENDED, None]


async def test_another_spell_is_another_alert(store: AlertStore) -> None:
    story = Story()

    await steps_of(store, story(DEGRADED), story(HEALTHY), story(DEGRADED), story(HEALTHY))

    assert len({alert.alert_id for alert in await alerts_of(store)}) == 2


async def test_an_offer_and_its_provider_have_alerts_of_their_own(store: AlertStore) -> None:
    story = Story()

    steps = await steps_of(store, story(DEGRADED), story(DEGRADED, "openai"), story(HEALTHY))

    assert steps == [AlertStep.BEGUN, AlertStep.BEGUN, AlertStep.ENDED]
    assert [each.subject.name for each in await alerts_of(store, open_only=True)] == ["openai"]


@pytest.mark.parametrize("wider", ["openai", OFFER])
async def test_a_tenant_is_not_told_what_everybody_is_told_already(
    store: AlertStore, wider: str
) -> None:
    story = Story()

    steps = await steps_of(
        store,
        story(DEGRADED, wider),
        story(DEGRADED, tenant_id="acme"),
        story(UNHEALTHY, tenant_id="acme"),
        story(DEGRADED, "openai/other", tenant_id="acme"),
        story(DEGRADED, "groq/llama", tenant_id="acme"),
    )

    covers_all = wider == "openai"
    assert steps == [
        AlertStep.BEGUN,
        None,
        AlertStep.BEGUN,
        None if covers_all else AlertStep.BEGUN,
        AlertStep.BEGUN,
    ]


async def test_of_two_stores_on_one_database_one_begins_and_one_ends(
    tmp_path: Path, store: AlertStore, clock: FakeClock
) -> None:
    story = Story()
    bad, well = story(UNHEALTHY), story(HEALTHY, time=START + SECOND)
    async with open_database(tmp_path) as other:
        both = [store, AlertStore(other, clock)]
        begun = await asyncio.gather(*(each.apply(bad) for each in both))
        ended = await asyncio.gather(*(each.apply(well) for each in both))

    assert [len([news for news in each if news]) for each in (begun, ended)] == [1, 1]
    assert len(await alerts_of(store)) == 1


async def test_the_database_itself_allows_one_open_alert_of_a_subject(
    database: Database, store: AlertStore
) -> None:
    await store.apply(Story()(DEGRADED))

    async def copy() -> None:
        async with database.write() as connection:
            await connection.exec_driver_sql(
                "INSERT INTO alert SELECT 'alr_2', tenant_id, provider, offer, state, start_time, "
                "end_time, evidence FROM alert"
            )

    with pytest.raises(sqlalchemy.exc.IntegrityError):
        await copy()


async def test_what_a_slow_replica_tells_after_the_end_begins_nothing(store: AlertStore) -> None:
    story = Story()
    late = story(DEGRADED, time=START + SECOND)

    steps = await steps_of(store, story(DEGRADED), story(HEALTHY, time=START + 5 * SECOND), late)

    assert steps == [AlertStep.BEGUN, AlertStep.ENDED, None]


async def test_a_clock_that_was_set_back_hides_nothing(store: AlertStore) -> None:
    story = Story()
    hour = timedelta(hours=1)

    steps = await steps_of(
        store,
        story(DEGRADED),
        story(HEALTHY, time=START + SECOND),
        story(UNHEALTHY, time=START - hour),
        story(HEALTHY, time=START - hour - hour),
    )

    assert steps == [AlertStep.BEGUN, AlertStep.ENDED, AlertStep.BEGUN, AlertStep.ENDED]
    assert all(
        each.end_time is not None and each.end_time >= each.start_time
        for each in await alerts_of(store)
    )


async def test_after_a_crash_what_nobody_knows_of_any_more_is_ended(
    tmp_path: Path, clock: FakeClock
) -> None:
    story = Story()
    async with open_database(tmp_path) as before:
        await steps_of(
            AlertStore(before, clock),
            story(DEGRADED),
            story(UNHEALTHY, "groq", time=START + SECOND),
        )
    await clock.advance(60)

    async with open_database(tmp_path) as after:
        store = AlertStore(after, clock)
        keeper = AlertKeeper(ChangeLog(), store, clock)
        with capture_logs() as logged:
            await keeper.settle(still_bad=[Subject("groq")])
            await keeper.settle(still_bad=[Subject("groq")])
        again = await steps_of(store, story(UNHEALTHY, "groq"), story(DEGRADED, time=clock.now()))
        alerts = await alerts_of(store)

    assert [(each["event"], each["offer"]) for each in logged] == [("health alert ended", OFFER)]
    assert logged[0]["evidence"] == "Nothing is known of it any more."
    assert again == [None, AlertStep.BEGUN]
    assert [(each.subject.name, each.end_time) for each in alerts] == [
        (OFFER, None),
        ("groq", None),
        (OFFER, START + 60 * SECOND),
    ]


async def test_one_tenant_cannot_drown_the_others(store: AlertStore) -> None:
    story = Story()

    async def begun(number: int, tenant_id: str, minutes: float) -> bool:
        time = START + timedelta(minutes=minutes)
        change = story(DEGRADED, f"provider-{number}", tenant_id=tenant_id, time=time)
        return await store.apply(change) is not None

    with capture_logs() as logged:
        noisy = [await begun(number, "noisy", 0) for number in range(102)]
        quiet = [await begun(200, "quiet", 1), await begun(201, "", 1)]
        later = [await begun(number, "noisy", 60.1) for number in (102, 103)]

    assert noisy == [True] * 100 + [False] * 2
    assert quiet == [True, True]
    assert later == [True, True]
    assert store.withheld_count == 2
    assert [each["event"] for each in logged] == ["health alerts withheld"]


async def test_alerts_are_kept_for_400_days_after_their_end(
    store: AlertStore, clock: FakeClock
) -> None:
    story = Story()
    await steps_of(
        store,
        story(DEGRADED),
        story(HEALTHY, time=START + SECOND),
        story(DEGRADED, "groq"),
    )

    await clock.advance(400 * DAY + 1)
    await store.prune()
    kept = len(await alerts_of(store))
    await clock.advance(1)
    await store.prune()

    assert kept == 2
    assert [each.subject.name for each in await alerts_of(store)] == ["groq"]


async def test_evidence_is_cut_to_a_bearable_length(store: AlertStore) -> None:
    await store.apply(Story()(DEGRADED, evidence="x" * 5000))

    [alert] = await alerts_of(store)
    assert len(alert.evidence) == 1000
