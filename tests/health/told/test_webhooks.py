"""From a change to a signed message at a local HTTP server."""

import asyncio
import io
import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from steelyard_common import logs
from steelyard_common.database import Database
from steelyard_common.errors import OverloadedError
from steelyard_common.leases import Leases
from steelyard_common.webhooks import WebhookSender, WebhookTarget
from steelyard_health.adapters.alert_keeper import AlertKeeper
from steelyard_health.adapters.alert_store import AlertStore
from steelyard_health.adapters.webhook_courier import BATCH, LEASE, WebhookCourier
from steelyard_health.adapters.webhook_outbox import WebhookOutbox
from steelyard_health.domain.alerting import AlertQuery
from steelyard_health.domain.change_log import ChangeLog
from steelyard_health.domain.webhook_delivery import WebhookDelivery
from tests.fakes import START, FakeClock
from tests.health.told.builders import DEGRADED, HEALTHY, OFFER, UNHEALTHY, Story
from tests.health.told.serving import open_database
from tests.webhook_receiver import Answer, WebhookReceiver, is_signed

SECRET = "a secret of more than 24 characters"  # noqa: S105 - of this test
KEY = SECRET.encode()
SECOND = timedelta(seconds=1)
HOUR = 3600


@dataclass(frozen=True, slots=True)
class Replica:
    """What one process has of alerts and webhooks."""

    database: Database
    keeper: AlertKeeper
    store: AlertStore
    outbox: WebhookOutbox
    courier: WebhookCourier


Replicas = Callable[..., Any]


@pytest.fixture
async def receiver() -> AsyncIterator[WebhookReceiver]:
    async with WebhookReceiver() as receiver:
        yield receiver


@pytest.fixture
async def started(
    tmp_path: Path, receiver: WebhookReceiver, clock: FakeClock
) -> AsyncIterator[Replicas]:
    """Return a function that starts one more process on the same database."""
    async with AsyncExitStack() as resources:

        async def start(holder: str = "one", capacity: int = 100) -> Replica:
            database = await resources.enter_async_context(open_database(tmp_path))
            sender = WebhookSender(WebhookTarget.of(receiver.url, SECRET), clock)
            await resources.enter_async_context(sender)
            outbox = WebhookOutbox(database, clock, capacity=capacity)
            store = AlertStore(database, clock, outbox=outbox)
            leases = Leases(database, clock, holder=holder)
            return Replica(
                database,
                AlertKeeper(ChangeLog(), store, clock),
                store,
                outbox,
                WebhookCourier(outbox, sender, leases, clock, draw=lambda: 0.5),
            )

        yield start


@pytest.fixture
async def replica(started: Replicas) -> Replica:
    replica = await started()
    assert isinstance(replica, Replica)
    return replica


def types_of(receiver: WebhookReceiver) -> list[str]:
    return [json.loads(each.body)["type"] for each in receiver.received]


def ids_of(receiver: WebhookReceiver) -> list[str]:
    return [each.headers["webhook-id"] for each in receiver.received]


async def test_the_steps_of_an_alert_are_sent_in_order_and_signed(
    replica: Replica, receiver: WebhookReceiver
) -> None:
    story = Story()
    for change in (
        story(DEGRADED, tenant_id="acme", evidence="12 % of 50 failed"),
        story(UNHEALTHY, tenant_id="acme", time=START + SECOND, evidence="5 failures in a row"),
        story(HEALTHY, tenant_id="acme", time=START + 2 * SECOND, evidence="10 successes"),
    ):
        await replica.keeper.take(change)

    counts = [await replica.courier.deliver_due() for _ in range(4)]

    assert counts == [1, 1, 1, 0]
    assert all(is_signed(each, KEY) for each in receiver.received)
    assert len(set(ids_of(receiver))) == 3
    bodies = [json.loads(each.body) for each in receiver.received]
    alert_id = bodies[0]["alert"]["alert_id"]
    assert bodies[0] == {
        "type": "health.alert.begun",
        "time": "2026-11-02T09:30:00.000000Z",
        "evidence": "12 % of 50 failed",
        "alert": {
            "alert_id": alert_id,
            "provider": "openai",
            "offer": OFFER,
            "tenant_id": "acme",
            "platform_wide": False,
            "state": "DEGRADED",
            "start_time": "2026-11-02T09:30:00.000000Z",
            "end_time": None,
            "evidence": "12 % of 50 failed",
        },
    }
    assert [(each["type"], each["evidence"]) for each in bodies[1:]] == [
        ("health.alert.worsened", "5 failures in a row"),
        ("health.alert.ended", "10 successes"),
    ]
    assert bodies[2]["alert"] == bodies[0]["alert"] | {
        "state": "UNHEALTHY",
        "evidence": "5 failures in a row",
        "end_time": "2026-11-02T09:30:02.000000Z",
    }


async def test_after_errors_the_same_message_is_sent_again_later_each_time(
    replica: Replica, receiver: WebhookReceiver, clock: FakeClock
) -> None:
    receiver.answers.extend([Answer(500), Answer(503), Answer(500)])
    await replica.keeper.take(Story()(DEGRADED))

    tried = []
    for wait in (0, 4.9, 0.1, 9.9, 0.1, 19.9, 0.1, 3600):
        await clock.advance(wait)
        tried.append(await replica.courier.deliver_due())

    assert tried == [1, 0, 1, 0, 1, 0, 1, 0]
    assert len(set(ids_of(receiver))) == 1
    assert len({each.body for each in receiver.received}) == 1
    stamps = [int(each.headers["webhook-timestamp"]) for each in receiver.received]
    assert [stamp - stamps[0] for stamp in stamps] == [0, 5, 15, 35]
    assert all(is_signed(each, KEY) for each in receiver.received)


async def test_a_later_step_waits_for_the_one_before(
    replica: Replica, receiver: WebhookReceiver, clock: FakeClock
) -> None:
    receiver.answers.append(Answer(500))
    story = Story()
    await replica.keeper.take(story(DEGRADED))
    await replica.courier.deliver_due()
    await replica.keeper.take(story(DEGRADED, "groq"))
    await replica.keeper.take(story(HEALTHY, time=START + SECOND))

    early = [await replica.courier.deliver_due() for _ in range(2)]
    await clock.advance(5)
    late = [await replica.courier.deliver_due() for _ in range(3)]

    assert (early, late) == ([1, 0], [1, 1, 0])
    bodies = [json.loads(each.body) for each in receiver.received]
    assert [(each["alert"]["provider"], each["type"]) for each in bodies] == [
        ("openai", "health.alert.begun"),
        ("groq", "health.alert.begun"),
        ("openai", "health.alert.begun"),
        ("openai", "health.alert.ended"),
    ]


async def test_410_is_final_and_said_once(replica: Replica, receiver: WebhookReceiver) -> None:
    receiver.answers.append(Answer(410))
    await replica.keeper.take(Story()(DEGRADED))

    with capture_logs() as logged:
        counts = [await replica.courier.deliver_due() for _ in range(2)]

    assert counts == [1, 0]
    assert len(receiver.received) == 1
    assert [(each["event"], each["problem"]) for each in logged] == [
        ("webhook given up", "the receiver answered 410")
    ]


async def test_a_redirect_is_tried_again_at_the_same_place(
    replica: Replica, receiver: WebhookReceiver, clock: FakeClock
) -> None:
    async with WebhookReceiver() as elsewhere:
        receiver.answers.append(Answer(302, headers={"location": elsewhere.url}))
        await replica.keeper.take(Story()(DEGRADED))
        await replica.courier.deliver_due()
        await clock.advance(5)
        await replica.courier.deliver_due()

        assert len(receiver.received) == 2
        assert elsewhere.received == []


async def test_after_a_day_of_failures_a_message_is_given_up_with_one_line(
    replica: Replica, receiver: WebhookReceiver, clock: FakeClock
) -> None:
    receiver.answers.extend(Answer(500) for _ in range(100))
    await replica.keeper.take(Story()(DEGRADED))

    with capture_logs() as logged:
        for _ in range(30):
            await replica.courier.deliver_due()
            await clock.advance(HOUR)

    # Somebody looks once an hour, from the beginning to the end of the day.
    assert len(receiver.received) == 25
    assert [each["event"] for each in logged] == ["webhook not delivered", "webhook given up"]
    assert await replica.outbox.due(10) == []


async def test_what_a_killed_process_left_is_delivered_by_the_next_one(
    started: Replicas, receiver: WebhookReceiver
) -> None:
    killed: Replica = await started("killed")
    await killed.keeper.take(Story()(DEGRADED))
    await killed.database.close()

    successor: Replica = await started("successor")
    await successor.courier.deliver_due()

    assert types_of(receiver) == ["health.alert.begun"]


async def test_of_two_replicas_one_delivers_at_a_time(
    started: Replicas, receiver: WebhookReceiver, clock: FakeClock
) -> None:
    one: Replica = await started("one")
    other: Replica = await started("other")
    await one.keeper.take(Story()(DEGRADED))
    held = await Leases(other.database, clock, holder="dead").acquire(LEASE, 60 * SECOND)

    while_held = await asyncio.gather(one.courier.deliver_due(), other.courier.deliver_due())
    await clock.advance(61)
    after = await asyncio.gather(one.courier.deliver_due(), other.courier.deliver_due())

    assert held is not None
    assert max(while_held) == 0
    assert sum(after) == 1
    assert len(receiver.received) == 1


async def test_many_alerts_are_sent_side_by_side_in_batches(
    replica: Replica, receiver: WebhookReceiver
) -> None:
    story = Story()
    for number in range(BATCH + 3):
        await replica.keeper.take(story(DEGRADED, f"provider-{number}"))

    counts = [await replica.courier.deliver_due() for _ in range(3)]

    assert counts == [BATCH, 3, 0]
    assert len(set(ids_of(receiver))) == BATCH + 3


async def test_a_full_queue_drops_the_message_and_keeps_the_alert(
    started: Replicas, receiver: WebhookReceiver
) -> None:
    replica: Replica = await started(capacity=2)
    story = Story()

    with capture_logs() as logged:
        for name in ("a", "b", "c"):
            await replica.keeper.take(story(DEGRADED, name))

    await replica.courier.deliver_due()
    assert len(receiver.received) == 2
    assert replica.outbox.dropped_count == 1
    assert [each["event"] for each in logged].count("webhook queue is full") == 1
    assert await replica.store.count(AlertQuery(tenant_id="")) == 3


async def test_a_result_that_cannot_be_noted_is_not_a_reason_to_send_again(
    replica: Replica, receiver: WebhookReceiver, clock: FakeClock
) -> None:
    await replica.keeper.take(Story()(DEGRADED))
    await set_page_limit(replica.database, 1)
    async with replica.database.write() as connection:
        # Forgetting a message then needs room that there is none of.
        await connection.exec_driver_sql(
            "CREATE TRIGGER roomy BEFORE DELETE ON webhook_delivery BEGIN "
            "INSERT INTO probe_spend SELECT hex(randomblob(30000)), 1; END"
        )
        await connection.exec_driver_sql("PRAGMA max_page_count = 1")

    delivering = asyncio.create_task(replica.courier.deliver_due())
    await clock.wait_for_sleeper()
    await clock.advance(1)
    await clock.wait_for_sleeper()
    await set_page_limit(replica.database, 1_000_000)
    await clock.advance(60)
    await delivering

    assert len(receiver.received) == 1
    assert await replica.courier.deliver_due() == 0


class FlakyOutbox(WebhookOutbox):
    """An outbox whose database is locked at first."""

    failures = 2

    async def due(self, limit: int) -> Sequence[WebhookDelivery]:
        if self.failures:
            self.failures -= 1
            raise OverloadedError
        return await super().due(limit)


async def test_the_courier_goes_on_by_itself_and_survives_an_outage(
    replica: Replica, receiver: WebhookReceiver, clock: FakeClock
) -> None:
    await replica.keeper.take(Story()(DEGRADED))
    sender = WebhookSender(WebhookTarget.of(receiver.url, SECRET), clock)
    leases = Leases(replica.database, clock, holder="two")
    outbox = FlakyOutbox(replica.database, clock)

    async with sender:
        running = asyncio.create_task(WebhookCourier(outbox, sender, leases, clock).run())
        with capture_logs() as logged:
            for wait in (1, 2):
                await clock.wait_for_sleeper()
                await clock.advance(wait)
            await receiver.asked()
            await clock.wait_for_sleeper()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    assert types_of(receiver) == ["health.alert.begun"]
    assert [each["event"] for each in logged] == [
        "webhooks wait for the database",
        "webhooks wait for the database",
        "webhook delivered",
    ]


async def set_page_limit(database: Database, pages: int) -> None:
    # One connection is in use at a time, and so always the same one.
    async with database.write() as connection:
        await connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")


async def test_messages_of_a_webhook_that_was_switched_off_are_forgotten(
    replica: Replica, receiver: WebhookReceiver, clock: FakeClock
) -> None:
    await replica.keeper.take(Story()(DEGRADED))

    await clock.advance(48 * HOUR + 1)
    await AlertStore(replica.database, clock).prune()

    assert await replica.courier.deliver_due() == 0
    assert receiver.received == []


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in ("httpx", "httpcore")}
    before = structlog.get_config()
    yield io.StringIO()
    structlog.configure(**before)
    root.handlers[:], root.level = handlers, level
    for name, each in levels.items():
        logging.getLogger(name).setLevel(each)


async def test_neither_secret_nor_url_nor_a_key_in_evidence_is_in_logs_or_messages(
    replica: Replica, receiver: WebhookReceiver, clock: FakeClock, stream: io.StringIO
) -> None:
    logs.configure("health", level="debug", stream=stream)
    receiver.answers.extend([Answer(500), Answer(302, headers={"location": receiver.url})])
    await replica.keeper.take(Story()(DEGRADED, evidence="key sk-proj-abcdefghijklmnop refused"))
    for wait in (5, 10, 0):
        await replica.courier.deliver_due()
        await clock.advance(wait)
    await receiver.__aexit__()
    await replica.keeper.take(Story(9)(DEGRADED, "groq"))
    await replica.courier.deliver_due()

    lines = stream.getvalue()
    told = lines + "".join(each.body.decode() for each in receiver.received)
    assert len(receiver.received) == 3
    assert "webhook delivered" in lines
    assert "no connection: ConnectError" in lines
    for secret in (SECRET, "T0KEN", "/hook", receiver.url, "sk-proj-abcdefghijklmnop", "v1,"):
        assert secret not in told
