"""What outlives the process."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from steelyard_common.database import Database
from steelyard_common.leases import Leases
from steelyard_pricing.adapters.fact_text import (
    FactReader,
    read_price,
    write_fact,
    write_price,
)
from steelyard_pricing.adapters.price_store import DatabasePriceStore
from steelyard_pricing.adapters.schema import MIGRATIONS
from steelyard_pricing.domain.changes import ChangeCounts
from steelyard_pricing.domain.gate.held_change import price_of
from steelyard_pricing.domain.modes import Capability
from steelyard_pricing.domain.publication import (
    Cause,
    Commit,
    LeaseLostError,
    Publication,
    SnapshotRecord,
    SupersededError,
)
from steelyard_pricing.domain.rates import Rate, TimeWindow
from steelyard_pricing.domain.snapshot import ObservedFact
from steelyard_pricing.domain.source import ServedCopy, SourceFailure, SourceState
from tests.fakes import FakeClock
from tests.pricing.builders import INPUT, a_fact, tokens

NOW = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = await Database.open("pricing", data_dir=tmp_path, migrations=MIGRATIONS)
    yield database
    await database.close()


@pytest.fixture
def store(database: Database) -> DatabasePriceStore:
    return DatabasePriceStore(database)


def a_publication(version: int, *opened: ObservedFact, closed: tuple[str, ...] = ()) -> Publication:
    return Publication(
        record=SnapshotRecord(
            version=version,
            published_time=NOW,
            cause=Cause.REFRESH,
            note="",
            counts=ChangeCounts(len(opened), 0, len(closed), 0),
        ),
        opened=[("litellm", fact) for fact in opened],
        closed=[("litellm", offer) for offer in closed],
        changes=(),
    )


async def publish(
    store: DatabasePriceStore, version: int, *opened: ObservedFact, closed: tuple[str, ...] = ()
) -> None:
    await store.commit(Commit(publication=a_publication(version, *opened, closed=closed)))


async def test_p11_how_reading_went_is_remembered_with_aware_times(
    store: DatabasePriceStore,
) -> None:
    state = (
        SourceState()
        .succeeded(NOW)
        .failed(SourceFailure("http_status", "litellm answered 500", LATER))
    )
    copy = ServedCopy(url="https://x", etag='"v1"', sha256="ab", entry_count=3, fetched_time=NOW)

    await store.commit(Commit(states={"litellm": SourceState()}))
    await store.commit(Commit(states={"litellm": state}, copies={"litellm": copy}))

    status = await store.status()
    assert status.states == {"litellm": state}
    assert status.copies == {"litellm": copy}

    await store.commit(Commit(copies={"litellm": None}))
    assert (await store.status()).copies == {}


async def test_a_fact_comes_back_as_it_was_written() -> None:
    fact = a_fact(
        "acme/model",
        (
            *tokens(),
            Rate(INPUT, 5, "batch", 200_000, (TimeWindow((1, 5), 30, 90),)),
        ),
        capabilities=frozenset({Capability.TOOLS}),
        deprecation_date=NOW.date(),
        aliases=("acme/latest",),
        supports_caching=True,
    )

    assert FactReader().read(write_fact(fact)) == fact
    assert read_price(write_price(price_of(fact))) == price_of(fact)
    assert read_price(write_price(None)) is None


async def test_every_version_can_be_loaded_as_it_was(store: DatabasePriceStore) -> None:
    one, dearer = (
        ObservedFact(a_fact("acme/a", tokens("1")), NOW),
        ObservedFact(a_fact("acme/a", tokens("2")), LATER),
    )
    other = ObservedFact(a_fact("acme/b", tokens("9")), NOW)
    await publish(store, 1, one, other)
    await publish(store, 2, dearer, closed=("acme/a",))
    await publish(store, 3, closed=("acme/b",))

    versions = [await store.load_version(version) for version in (1, 2, 3, 4)]

    assert versions == [
        {"litellm": (one, other)},
        {"litellm": (dearer, other)},
        {"litellm": (dearer,)},
        None,
    ]
    stored = await store.load()
    assert stored is not None
    assert (stored.record.version, stored.facts) == (3, {"litellm": (dearer,)})


async def test_of_two_that_publish_after_the_same_snapshot_one_fails_whole(
    store: DatabasePriceStore,
) -> None:
    fact = ObservedFact(a_fact("acme/a", tokens("1")), NOW)
    await publish(store, 1, fact)

    with pytest.raises(SupersededError):
        await store.commit(Commit(publication=a_publication(1, fact), states={"x": SourceState()}))

    status = await store.status()
    assert (status.version, status.states) == (1, {})


async def test_who_has_lost_the_lease_writes_nothing(
    database: Database, store: DatabasePriceStore, clock: FakeClock
) -> None:
    slow = Leases(database, clock, holder="slow")
    quick = Leases(database, clock, holder="quick")
    lease = await slow.acquire("refresh", MINUTE)
    assert lease is not None
    assert await quick.acquire("refresh", MINUTE) is None

    await clock.advance(61)
    taken = await quick.acquire("refresh", MINUTE)

    assert taken is not None
    with pytest.raises(LeaseLostError):
        await store.commit(Commit(states={"litellm": SourceState()}, lease=lease))
    assert (await store.status()).states == {}
    await slow.release(lease)
    assert await slow.acquire("refresh", MINUTE) is None
    await quick.release(taken)
    assert await slow.acquire("refresh", MINUTE) is not None
