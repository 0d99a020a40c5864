"""Pages are polled from a real HTTP server, by one replica at a time."""

import gzip
import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from steelyard_common.database import Database
from steelyard_common.errors import StorageFullError
from steelyard_common.leases import Leases
from steelyard_health.adapters.incident_store import IncidentStore
from steelyard_health.adapters.status_poller import LEASE
from steelyard_health.domain.status.level import StatusLevel
from steelyard_health.domain.status.reading import PageReading
from tests.fakes import FakeClock, FakeFeedServer
from tests.health.status.pages import incident, item, rss, summary
from tests.health.status.serving import FakeDirectory, Replica, pass_time, provider, replica

WELL = json.dumps(summary({"API": "operational"})).encode()
DOWN = json.dumps(summary({"API": "major_outage"}, [incident()])).encode()
WALL = b"<html><head><title>Just a moment...</title></head></html>"
MINUTE = 60.0


@pytest.fixture
def directory() -> FakeDirectory:
    return FakeDirectory()


@pytest.fixture
async def one(
    database: Database, clock: FakeClock, directory: FakeDirectory
) -> AsyncIterator[Replica]:
    async with replica(database, clock, directory) as running:
        yield running


async def read_first(one: Replica, clock: FakeClock, url: str, **more: str) -> None:
    """Let a page be polled for the first time, with success."""
    one.directory.name(provider("acme", url, **more))
    await pass_time(clock, 5)
    await one.until_counted("ok", 1)


async def test_a_page_is_read_and_known_at_once(
    one: Replica, clock: FakeClock, publisher: FakeFeedServer
) -> None:
    await read_first(one, clock, publisher.publish("/s", DOWN))

    page = one.page()
    assert (page.level, page.read_time, page.problem) == (StatusLevel.OUTAGE, clock.now(), "")
    assert (page.page_url, page.open_incident_count) == ("https://status.test", 1)
    assert page.factor_at(clock.now()) == 0.5


async def test_what_did_not_change_is_not_sent_again_and_is_as_good_as_new(
    one: Replica, clock: FakeClock, publisher: FakeFeedServer
) -> None:
    await read_first(one, clock, publisher.publish("/s", DOWN, etag='"v1"'))
    await pass_time(clock, MINUTE)
    await one.until_counted("not_modified", 1)

    assert [each.headers.get("if-none-match") for each in publisher.requests] == [None, '"v1"']
    assert one.page().level is StatusLevel.OUTAGE
    assert one.page().read_time == clock.now()


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({"body": b"", "status": 500}, ("http_status", "the status page of acme answered 500")),
        ({"body": b"", "status": 403}, ("http_status", "the status page of acme answered 403")),
        ({"body": WALL, "content_type": "text/html"}, ("content_type", "is text/html, not a feed")),
        ({"body": WALL}, ("content_type", "the status page of acme is a web page, not a feed")),
        ({"body": b"{}"}, ("unreadable", "the status page of acme tells neither of components")),
        ({"body": b"{}" * 600_000}, ("too_large", "the status page of acme announces")),
        ({"body": WELL, "redirect_to": "http://127.0.0.2/"}, ("redirect", "to another host")),
    ],
)
async def test_a_page_that_cannot_be_read_keeps_its_level_and_says_why(
    one: Replica,
    clock: FakeClock,
    publisher: FakeFeedServer,
    how: dict[str, object],
    told: tuple[str, str],
) -> None:
    result, problem = told
    await read_first(one, clock, publisher.publish("/s", DOWN))
    read_time = clock.now()
    publisher.publish("/s", **how)  # type: ignore[arg-type]
    await pass_time(clock, MINUTE)
    await one.until_counted(result, 1)

    page = one.page()
    assert problem in page.problem
    assert publisher.url("") not in page.problem
    assert (page.level, page.read_time) == (StatusLevel.OUTAGE, read_time)


async def test_what_was_read_last_expires_and_comes_back(
    one: Replica, clock: FakeClock, publisher: FakeFeedServer
) -> None:
    await read_first(one, clock, publisher.publish("/s", DOWN))
    publisher.publish("/s", b"", status=500)
    factors = []
    for failures in range(1, 5):
        await pass_time(clock, MINUTE * 2 ** (failures - 1) + 5)
        await one.until_counted("http_status", failures)
        factors.append(one.page().factor_at(clock.now()))
    assert factors == [0.5, 0.5, 0.5, 1.0]
    assert one.page().level_at(clock.now()) is StatusLevel.UNKNOWN

    publisher.publish("/s", DOWN)
    await pass_time(clock, 900)
    await one.until_counted("ok", 2)

    assert one.page().factor_at(clock.now()) == 0.5


async def test_failures_are_followed_by_ever_longer_pauses_of_15_minutes_at_most(
    one: Replica, clock: FakeClock, publisher: FakeFeedServer
) -> None:
    one.directory.name(provider("acme", publisher.publish("/s", b"", status=403)))
    await pass_time(clock, 5)
    await one.until_counted("http_status", 1)

    for count, pause in enumerate([120, 240, 480, 900, 900], 1):
        await pass_time(clock, pause - 10)
        assert one.count("http_status") == count
        await pass_time(clock, 15)
        await one.until_counted("http_status", count + 1)

    assert len(publisher.requests) == 6


async def test_a_page_that_becomes_unreadable_is_logged_once_and_once_when_it_is_back(
    one: Replica, clock: FakeClock, publisher: FakeFeedServer
) -> None:
    await read_first(one, clock, publisher.publish("/s", WELL))
    with capture_logs() as logged:
        publisher.publish("/s", WALL)
        await pass_time(clock, MINUTE)
        await one.until_counted("content_type", 1)
        await pass_time(clock, 125)
        await one.until_counted("content_type", 2)
        publisher.publish("/s", WELL)
        await pass_time(clock, 245)
        await one.until_counted("ok", 2)

    assert [(each["event"], each["log_level"]) for each in logged] == [
        ("a status page cannot be read", "warning"),
        ("a status page can be read again", "info"),
    ]
    assert "127.0.0.1" not in str(logged)


async def test_of_two_replicas_one_polls_and_both_know(
    database: Database, clock: FakeClock, directory: FakeDirectory, publisher: FakeFeedServer
) -> None:
    directory.name(provider("acme", publisher.publish("/s", DOWN)))
    async with (
        replica(database, clock, directory) as one,
        replica(database, clock, directory, holder="two") as two,
    ):
        await pass_time(clock, 5, sleepers=2)
        await until_either(one, two)
        holder, other = (one, two) if one.count("ok") else (two, one)
        for turn in range(2, 4):
            # In steps, for a replica that sleeps through half a minute has lost its turn.
            for _ in range(13):
                await pass_time(clock, 5, sleepers=2)
            await holder.until_counted("ok", turn)
        await other.book.refresh()

        assert len(publisher.requests) == 3
        assert (holder.count("ok"), other.count("ok")) == (3, 0)
        assert other.page() == holder.page()


async def test_the_other_replica_goes_on_when_the_first_one_stops(
    database: Database, clock: FakeClock, directory: FakeDirectory, publisher: FakeFeedServer
) -> None:
    directory.name(provider("acme", publisher.publish("/s", DOWN)))
    async with replica(database, clock, directory, holder="two") as two:
        async with replica(database, clock, directory) as one:
            await pass_time(clock, 5, sleepers=2)
            await until_either(one, two)
            holder, other = (one, two) if one.count("ok") else (two, one)
            assert (holder.count("ok"), other.count("ok")) == (1, 0)
        await pass_time(clock, MINUTE + 10)
        await two.until_counted("ok", 1 + (holder is two))

    assert len(publisher.requests) == 2


async def until_either(one: Replica, two: Replica) -> None:
    """Wait until one of two replicas has polled once."""
    while not one.count("ok") + two.count("ok"):
        await one.book.refresh()


async def test_a_replica_that_lost_its_turn_polls_no_more(
    one: Replica, clock: FakeClock, database: Database, publisher: FakeFeedServer
) -> None:
    await read_first(one, clock, publisher.publish("/s", DOWN))
    ahead = FakeClock(clock.now() + timedelta(hours=1))
    assert await Leases(database, ahead, holder="two").acquire(LEASE, timedelta(hours=1))

    for _ in range(40):
        await pass_time(clock, 5)

    assert len(publisher.requests) == 1


class FullStore(IncidentStore):
    """A store on a disk that is full until the test makes room."""

    is_full = True

    async def save_reading(
        self, provider: str, page_url: str, reading: PageReading, now: datetime
    ) -> None:
        if self.is_full:
            raise StorageFullError
        await super().save_reading(provider, page_url, reading, now)


async def test_what_cannot_be_kept_is_logged_once_and_polled_again(
    database: Database, clock: FakeClock, directory: FakeDirectory, publisher: FakeFeedServer
) -> None:
    store = FullStore(database)
    directory.name(provider("acme", publisher.publish("/s", DOWN)))
    with capture_logs() as logged:
        async with replica(database, clock, directory, store=store) as one:
            for turn in range(1, 4):
                await pass_time(clock, MINUTE + 5)
                await one.until_counted("not_stored", turn)
            assert one.page().level is StatusLevel.UNKNOWN
            store.is_full = False
            await pass_time(clock, MINUTE + 5)
            await one.until_counted("ok", 1)
            assert one.page().level is StatusLevel.OUTAGE

    assert [each["event"] for each in logged] == ["what status pages say is not kept"]


async def test_amazon_in_utf_16_google_in_megabytes_and_feeds_of_xml_come_through(
    one: Replica, clock: FakeClock, publisher: FakeFeedServer
) -> None:
    event = {"service": "bedrock-us-east-1", "status": "3", "date": "1", "summary": "Errors"}
    padding = [
        {"id": f"{n}", "begin": "2026-01-01", "external_desc": "x" * 900} for n in range(1500)
    ]
    aws, google = json.dumps([event]).encode("utf-16"), json.dumps(padding).encode()
    feed = rss(item("Errors", "Status: Investigating", date="Mon, 02 Nov 2026 09:00:00 GMT"))
    assert len(google) > 1024 * 1024
    one.directory.name(
        provider(
            "bedrock",
            publisher.publish("/a", aws, content_type="application/json;charset=utf-16"),
            "aws",
        ),
        provider(
            "vertex_ai",
            publisher.publish("/g", gzip.compress(google), headers={"content-encoding": "gzip"}),
            "google",
        ),
        provider(
            "mistral",
            publisher.publish("/m", feed.encode(), content_type="application/rss+xml"),
            "rss",
        ),
    )
    for name in ("bedrock", "vertex_ai", "mistral"):
        await pass_time(clock, 5)
        await one.until_counted("ok", 1, name)

    assert {name: page.level for name, page in one.book.pages.items()} == {
        "bedrock": StatusLevel.OUTAGE,
        "vertex_ai": StatusLevel.OPERATIONAL,
        "mistral": StatusLevel.DEGRADED,
    }


async def test_a_file_is_as_good_as_a_page(one: Replica, clock: FakeClock, tmp_path: Path) -> None:
    file = tmp_path / "summary.json"
    file.write_bytes(DOWN)

    await read_first(one, clock, file.as_uri())

    assert one.page().level is StatusLevel.OUTAGE


async def test_a_page_that_was_never_read_is_unknown_and_who_has_none_is_not_there(
    one: Replica, clock: FakeClock, publisher: FakeFeedServer
) -> None:
    assert one.book.pages == {}

    one.directory.name(provider("acme", publisher.url("/nowhere")), provider("ollama"))
    await one.book.refresh()

    assert list(one.book.pages) == ["acme"]
    assert one.page().level is StatusLevel.UNKNOWN
    assert one.page().factor_at(clock.now()) == 1.0


async def test_the_view_is_the_same_object_until_something_changes(
    one: Replica, clock: FakeClock, publisher: FakeFeedServer
) -> None:
    await read_first(one, clock, publisher.publish("/s", WELL))
    before = one.book.pages
    await one.book.refresh()
    assert one.book.pages is before

    publisher.publish("/s", DOWN)
    await pass_time(clock, MINUTE)
    await one.until_counted("ok", 2)

    assert one.book.pages is not before
    assert before["acme"].level is StatusLevel.OPERATIONAL


async def test_a_provider_that_is_gone_or_moves_is_followed(
    one: Replica, clock: FakeClock, publisher: FakeFeedServer
) -> None:
    await read_first(one, clock, publisher.publish("/s", DOWN))
    one.directory.name(provider("other", publisher.publish("/o", WELL)))
    await pass_time(clock, 10)
    await one.until_counted("ok", 1, "other")

    assert list(one.book.pages) == ["other"]
    asked = len(publisher.requests)
    await pass_time(clock, 30)
    assert len(publisher.requests) == asked
