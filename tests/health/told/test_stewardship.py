"""What people do by hand, over gRPC."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from structlog.testing import capture_logs

from steelyard.health.v1 import health_pb2
from steelyard.health.v1 import health_service_pb2 as pb
from steelyard.health.v1.health_service_pb2_grpc import HealthServiceStub
from steelyard_common.database import Database
from steelyard_health.adapters.maintenance_book import MaintenanceBook
from steelyard_health.adapters.steward_store import StewardStore
from steelyard_health.domain.maintenance import MAX_WINDOWS, Maintenance
from tests.fakes import START, FakeClock
from tests.health.told.builders import OFFER
from tests.health.told.serving import (
    SECONDS,
    ToldServicer,
    as_tenant,
    open_database,
    refusal_of,
)

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
RESET, MAINTENANCE = health_pb2.ACTION_KIND_RESET, health_pb2.ACTION_KIND_MAINTENANCE


def stamp(time: datetime) -> Timestamp:
    message = Timestamp()
    message.FromDatetime(time)
    return message


def absence(
    name: str = "openai",
    *,
    start: datetime | None = None,
    end: datetime = START + 60 * MINUTE,
    note: str = "",
) -> pb.SetMaintenanceRequest:
    window = health_pb2.Maintenance(
        provider=name.partition("/")[0],
        offer=name if "/" in name else "",
        start_time=None if start is None else stamp(start),
        end_time=stamp(end),
        note=note,
    )
    return pb.SetMaintenanceRequest(maintenance=window)


async def planned(stub: HealthServiceStub, provider: str = "") -> list[health_pb2.Maintenance]:
    request = pb.ListMaintenanceRequest(provider=provider)
    return list((await stub.ListMaintenance(request, timeout=SECONDS)).maintenance)


async def actions(
    stub: HealthServiceStub, request: pb.ListHealthActionsRequest | None = None
) -> list[health_pb2.HealthAction]:
    request = request or pb.ListHealthActionsRequest()
    return list((await stub.ListHealthActions(request, timeout=SECONDS)).actions)


async def test_a_reset_reaches_the_board_and_is_recorded(
    stub: HealthServiceStub, servicer: ToldServicer
) -> None:
    response = await stub.ResetProvider(
        pb.ResetProviderRequest(provider="openai", note="they say it is mended"),
        timeout=SECONDS,
        metadata=as_tenant("acme"),
    )
    await stub.ResetProvider(
        pb.ResetProviderRequest(provider="openai", offer=OFFER), timeout=SECONDS
    )

    assert servicer.board.resets == ["openai", OFFER]
    assert response.provider.provider == "openai"
    told = {each.offer: each for each in await actions(stub)}
    assert set(told) == {"", OFFER}
    assert told[""].kind == RESET
    assert told[""].note == "they say it is mended"
    assert told[""].actor == "acme/key_1"
    assert told[""].time.ToDatetime(tzinfo=UTC) == START
    assert not told[""].HasField("maintenance")
    assert told[""].action_id.startswith("act_")
    assert len(told[""].action_id) == len("act_") + 26


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (pb.ResetProviderRequest(provider="open ai"), "provider"),
        (pb.ResetProviderRequest(provider="openai", offer="gpt-4o"), "offer"),
        (pb.ResetProviderRequest(provider="openai", offer="groq/llama"), "offer"),
        (pb.ResetProviderRequest(provider="openai", note="x" * 1001), "note"),
        (pb.ResetProviderRequest(provider="openai", note="\0"), "note"),
    ],
)
async def test_a_reset_that_makes_no_sense_does_nothing(
    stub: HealthServiceStub, servicer: ToldServicer, request_: pb.ResetProviderRequest, field: str
) -> None:
    problem = await refusal_of(stub.ResetProvider(request_, timeout=SECONDS))

    assert problem.startswith(f"INVALID_ARGUMENT: {field}: ")
    assert servicer.board.resets == []
    assert await actions(stub) == []


async def test_an_absence_holds_from_its_start_to_its_end(
    stub: HealthServiceStub, servicer: ToldServicer, clock: FakeClock
) -> None:
    request = absence(start=START + MINUTE, end=START + 3 * MINUTE, note="new region")

    response = await stub.SetMaintenance(request, timeout=SECONDS, metadata=as_tenant("acme"))

    window = servicer.book.plan.windows["openai"]
    times = [START + each * MINUTE / 2 for each in range(7)]
    assert [servicer.book.plan.of("openai", each) is window for each in times] == [
        *(False, False),
        *(True, True, True, True),
        False,
    ]
    assert servicer.book.plan.of(OFFER, START + MINUTE) is window
    assert servicer.book.plan.of("groq", START + MINUTE) is None
    assert response.maintenance == health_pb2.Maintenance(
        provider="openai",
        start_time=stamp(START + MINUTE),
        end_time=stamp(START + 3 * MINUTE),
        note="new region",
        actor="acme/key_1",
    )
    assert response.apply_time.ToDatetime(tzinfo=UTC) == START + MINUTE
    assert await planned(stub) == [response.maintenance]
    await clock.advance(180)
    assert await planned(stub) == []


async def test_an_absence_without_a_start_begins_now_and_everywhere_two_seconds_later(
    stub: HealthServiceStub, servicer: ToldServicer
) -> None:
    response = await stub.SetMaintenance(absence(OFFER), timeout=SECONDS)

    assert response.maintenance.start_time.ToDatetime(tzinfo=UTC) == START
    assert response.apply_time.ToDatetime(tzinfo=UTC) == START + timedelta(seconds=2)
    assert servicer.book.plan.of(OFFER, START) is not None
    assert servicer.book.plan.of("openai", START) is None


async def test_a_second_absence_replaces_the_first(stub: HealthServiceStub) -> None:
    await stub.SetMaintenance(absence(note="one"), timeout=SECONDS)
    await stub.SetMaintenance(absence(OFFER, note="of an offer"), timeout=SECONDS)

    await stub.SetMaintenance(absence(note="two"), timeout=SECONDS)

    assert sorted(each.note for each in await planned(stub)) == ["of an offer", "two"]


async def test_an_end_in_the_past_ends_a_present_absence(
    stub: HealthServiceStub, servicer: ToldServicer, clock: FakeClock
) -> None:
    await stub.SetMaintenance(absence(note="new region"), timeout=SECONDS)
    await clock.advance(600)

    end = START + 9 * MINUTE
    response = await stub.SetMaintenance(absence(end=end, note="done early"), timeout=SECONDS)

    assert await planned(stub) == []
    assert servicer.book.plan.of("openai", clock.now()) is None
    assert response.maintenance.start_time.ToDatetime(tzinfo=UTC) == START
    assert response.maintenance.end_time.ToDatetime(tzinfo=UTC) == end
    told = await actions(stub)
    assert [(each.kind, each.note) for each in told] == [
        (MAINTENANCE, "done early"),
        (MAINTENANCE, "new region"),
    ]
    assert told[0].maintenance == response.maintenance


async def test_an_absence_that_has_not_begun_is_taken_back(
    stub: HealthServiceStub, servicer: ToldServicer
) -> None:
    await stub.SetMaintenance(absence(start=START + MINUTE), timeout=SECONDS)

    response = await stub.SetMaintenance(absence(end=START), timeout=SECONDS)

    assert await planned(stub) == []
    assert servicer.book.plan.of("openai", START + 2 * MINUTE) is None
    assert response.maintenance.start_time == response.maintenance.end_time


async def test_to_end_what_is_not_planned_is_no_fault(stub: HealthServiceStub) -> None:
    for _ in range(2):
        await stub.SetMaintenance(absence(end=START - MINUTE), timeout=SECONDS)

    assert await planned(stub) == []


@pytest.mark.parametrize(
    ("request_", "fields"),
    [
        (absence(start=START + MINUTE, end=START + MINUTE), {"maintenance.end_time"}),
        (absence(start=START + MINUTE, end=START), {"maintenance.end_time"}),
        (absence(end=START + 367 * DAY), {"maintenance.end_time"}),
        (absence("open ai"), {"maintenance.provider"}),
        (absence(note="x" * 1001), {"maintenance.note"}),
        (absence(note="\0"), {"maintenance.note"}),
        (
            pb.SetMaintenanceRequest(
                maintenance=health_pb2.Maintenance(
                    provider="openai", offer="groq/llama", note="x" * 1001
                )
            ),
            {"maintenance.offer", "maintenance.note", "maintenance.end_time"},
        ),
        (
            pb.SetMaintenanceRequest(
                maintenance=health_pb2.Maintenance(
                    provider="openai", end_time=Timestamp(seconds=2**62)
                )
            ),
            {"maintenance.end_time"},
        ),
    ],
)
async def test_an_absence_that_makes_no_sense_is_refused_by_every_name(
    stub: HealthServiceStub, request_: pb.SetMaintenanceRequest, fields: set[str]
) -> None:
    problem = await refusal_of(stub.SetMaintenance(request_, timeout=SECONDS))

    status, _, rest = problem.partition(": ")
    assert status == "INVALID_ARGUMENT"
    assert {part.partition(":")[0] for part in rest.split("; ")} == fields
    assert await planned(stub) == []
    assert await actions(stub) == []


async def test_a_year_ahead_is_as_far_as_it_goes(stub: HealthServiceStub) -> None:
    response = await stub.SetMaintenance(absence(end=START + 366 * DAY), timeout=SECONDS)

    assert response.maintenance.end_time.ToDatetime(tzinfo=UTC) == START + 366 * DAY


async def test_absences_are_listed_by_start_and_by_provider(stub: HealthServiceStub) -> None:
    await stub.SetMaintenance(absence("groq", start=START + 2 * MINUTE), timeout=SECONDS)
    await stub.SetMaintenance(absence(OFFER, start=START + 3 * MINUTE), timeout=SECONDS)
    await stub.SetMaintenance(absence("openai", start=START + MINUTE), timeout=SECONDS)

    everything, openai = await planned(stub), await planned(stub, "openai")

    assert [each.offer or each.provider for each in everything] == ["openai", "groq", OFFER]
    assert [each.offer or each.provider for each in openai] == ["openai", OFFER]


async def test_another_replica_takes_an_absence_into_account_within_two_seconds(
    stub: HealthServiceStub, tmp_path: Path, clock: FakeClock
) -> None:
    async with open_database(tmp_path) as database:
        other = MaintenanceBook(StewardStore(database, clock), clock)
        await other.refresh()
        before = other.plan
        await other.refresh()
        unchanged = other.plan
        await stub.SetMaintenance(absence(), timeout=SECONDS)
        await other.refresh()

    assert unchanged is before
    assert other.plan is not before
    assert other.plan.of(OFFER, START) is not None


async def test_absences_and_actions_outlive_a_restart(
    stub: HealthServiceStub, tmp_path: Path, clock: FakeClock
) -> None:
    await stub.SetMaintenance(absence(note="new region"), timeout=SECONDS)

    async with open_database(tmp_path) as database:
        store = StewardStore(database, clock)
        windows, done = await store.windows(), await store.actions("", before=None, limit=10)

    assert [each.note for each in windows] == ["new region"]
    assert [each.maintenance for each in done] == list(windows)


async def test_absences_are_forgotten_30_days_after_their_end_and_actions_never(
    database: Database, stub: HealthServiceStub, clock: FakeClock
) -> None:
    async def kept() -> set[str]:
        async with database.read() as connection:
            rows = await connection.exec_driver_sql("SELECT provider FROM maintenance")
            return {row[0] for row in rows}

    await stub.SetMaintenance(absence("openai", end=START + MINUTE), timeout=SECONDS)
    await clock.advance(30 * 86_400 + 60)
    await stub.SetMaintenance(absence("groq", end=clock.now() + MINUTE), timeout=SECONDS)
    at_30_days = await kept()
    await clock.advance(1)
    await stub.SetMaintenance(absence("mistral", end=clock.now() + MINUTE), timeout=SECONDS)

    assert at_30_days == {"openai", "groq"}
    assert await kept() == {"groq", "mistral"}
    assert len(await actions(stub)) == 3


async def test_there_can_be_so_many_absences_and_no_more(
    stub: HealthServiceStub, database: Database
) -> None:
    async with database.write() as connection:
        for number in range(MAX_WINDOWS):
            await connection.exec_driver_sql(
                "INSERT INTO maintenance VALUES (?, '', '2026-11-02 00:00:00', "
                "'2026-12-02 00:00:00', '', 'me')",
                (f"provider-{number}",),
            )

    problem = await refusal_of(stub.SetMaintenance(absence(), timeout=SECONDS))
    changed = await stub.SetMaintenance(absence("provider-1", note="longer"), timeout=SECONDS)

    assert problem == "INVALID_ARGUMENT: maintenance: is one too many: 1000 are planned already"
    assert changed.maintenance.note == "longer"
    assert len(await planned(stub)) == MAX_WINDOWS


async def test_actions_come_newest_first_in_pages_by_provider(
    stub: HealthServiceStub, clock: FakeClock
) -> None:
    for provider in ("openai", "groq", "openai", "openai"):
        await clock.advance(1)
        note = f"{clock.monotonic():.0f}"
        await stub.ResetProvider(
            pb.ResetProviderRequest(provider=provider, note=note), timeout=SECONDS
        )

    request = pb.ListHealthActionsRequest(provider="openai", page_size=2)
    first = await stub.ListHealthActions(request, timeout=SECONDS)
    request.page_token = first.page_info.next_page_token
    second = await stub.ListHealthActions(request, timeout=SECONDS)

    assert [each.note for each in (*first.actions, *second.actions)] == ["4", "3", "1"]
    assert (first.page_info.total_count, second.page_info.next_page_token) == (3, "")
    assert [each.note for each in await actions(stub)] == ["4", "3", "2", "1"]
    request.provider = "groq"
    problem = await refusal_of(stub.ListHealthActions(request, timeout=SECONDS))
    assert problem.startswith("INVALID_ARGUMENT: page_token")


async def test_nothing_is_reset_that_cannot_be_recorded(
    stub: HealthServiceStub, servicer: ToldServicer, database: Database
) -> None:
    async with database.write() as connection:
        await connection.exec_driver_sql(
            "CREATE TRIGGER roomy BEFORE INSERT ON health_action BEGIN "
            "INSERT INTO probe_spend SELECT hex(randomblob(30000)), 1; END"
        )
        await connection.exec_driver_sql("PRAGMA max_page_count = 1")

    problem = await refusal_of(
        stub.ResetProvider(pb.ResetProviderRequest(provider="openai"), timeout=SECONDS)
    )

    assert problem == "UNAVAILABLE: there is no room left to write, reads go on"
    assert servicer.board.resets == []


async def test_the_book_reads_again_every_two_seconds_and_survives_an_outage(
    database: Database, clock: FakeClock
) -> None:
    store = FlakyStewardStore(database, clock)
    book = MaintenanceBook(store, clock)
    await book.refresh()
    await store.asked.get()
    plan = book.plan
    running = asyncio.create_task(book.run())
    await clock.wait_for_sleeper()
    store.is_away = True
    with capture_logs() as logged:
        for _ in range(2):
            await clock.advance(2)
            await store.asked.get()
            await clock.wait_for_sleeper()
    during = book.plan
    store.is_away = False
    await store.plan(Maintenance(provider="openai", start_time=START, end_time=START + DAY))
    await clock.advance(2)
    await store.asked.get()
    await clock.wait_for_sleeper()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    assert during is plan
    assert [each["event"] for each in logged] == ["planned absences cannot be read"]
    assert book.plan.of(OFFER, START) is not None


class FlakyStewardStore(StewardStore):
    """A store whose database can be away."""

    def __init__(self, database: Database, clock: FakeClock) -> None:
        super().__init__(database, clock)
        self.is_away = False
        self.asked: asyncio.Queue[None] = asyncio.Queue()

    async def windows(self) -> Sequence[Maintenance]:
        try:
            if self.is_away:
                raise ConnectionRefusedError
            return await super().windows()
        finally:
            self.asked.put_nowait(None)
