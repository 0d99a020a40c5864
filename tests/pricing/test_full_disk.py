"""A refresh for which there is no room: nothing is served that would not survive a restart."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from steelyard_common.database import Database
from steelyard_common.errors import StorageFullError
from steelyard_common.feed import Feed, FeedCopy
from steelyard_common.leases import Leases
from steelyard_pricing.adapters.openrouter_prices import parse_openrouter
from steelyard_pricing.adapters.price_store import DatabasePriceStore
from steelyard_pricing.adapters.quarantine_store import DatabaseQuarantine
from steelyard_pricing.adapters.schema import MIGRATIONS
from steelyard_pricing.domain.catalogue import Catalogue
from steelyard_pricing.domain.gatekeeping import Gatekeeper
from steelyard_pricing.domain.opening import open_catalogue
from steelyard_pricing.domain.price_ports import PricePorts
from steelyard_pricing.domain.publication import Commit
from steelyard_pricing.domain.refresh import Refresher
from steelyard_pricing.domain.refresh_events import Phase, Report
from steelyard_pricing.domain.snapshot import SourceFacts
from steelyard_pricing.domain.source import PriceSource
from tests.fakes import FakeClock
from tests.pricing.builders import openrouter_body, openrouter_model
from tests.pricing.conftest import small_seed

BODY = openrouter_body(*(openrouter_model(f"acme/model-{number}") for number in range(40)))


class SmallStore(DatabasePriceStore):
    """A store whose disk is full as long as a test says so."""

    is_full = False

    async def commit(self, commit: Commit) -> int:
        if self.is_full:
            raise StorageFullError
        return await super().commit(commit)


class OneFeed:
    """Always delivers the same body."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock

    async def fetch(self, feed: Feed, known: FeedCopy | None = None, **_: Any) -> FeedCopy:
        now = self._clock.now()
        return FeedCopy(
            url=feed.url,
            body=BODY,
            sha256="ab" * 32,
            etag=None,
            last_modified=None,
            fetched_time=now,
            checked_time=now,
        )


def sources() -> Sequence[PriceSource]:
    off = PriceSource("litellm", Feed(name="litellm", url=""), parse_openrouter)
    feed = Feed(name="openrouter", url="https://feeds.example.com/models")
    return off, PriceSource("openrouter", feed, parse_openrouter)


async def refreshed(catalogue: Catalogue, refresher: Refresher) -> Report:
    run = await refresher.follow([source.name for source in catalogue.sources], force=True)
    return await run.report()


async def test_what_cannot_be_kept_is_a_failure_of_storage_and_is_served_once_there_is_room(
    tmp_path: Path, clock: FakeClock
) -> None:
    database = await Database.open("pricing", data_dir=tmp_path, migrations=MIGRATIONS)
    store, quarantine = SmallStore(database), DatabaseQuarantine(database)
    catalogue, publisher = await open_catalogue(
        sources(),
        store,
        clock,
        time_to_live=timedelta(days=1),
        seed=small_seed,
        curated=SourceFacts("curated", (), 0),
    )
    ports = PricePorts(
        feeds=OneFeed(clock),
        store=store,
        quarantine=quarantine,
        leases=Leases(database, clock, holder="one"),
        clock=clock,
        new_id=lambda: "chg_1",
        gatekeeper=Gatekeeper(catalogue, store, quarantine, clock, lambda: "chg_1"),
    )
    refresher = Refresher(catalogue, publisher, ports)
    before = catalogue.snapshot
    store.is_full = True

    full = await refreshed(catalogue, refresher)
    served = catalogue.snapshot
    store.is_full = False
    roomy = await refreshed(catalogue, refresher)

    outcomes = [report.outcomes[1] for report in (full, roomy)]
    assert [outcome.outcome for outcome in outcomes] == [Phase.FAILED, Phase.PUBLISHED]
    assert outcomes[0].failure is not None
    assert outcomes[0].failure.cause == "storage"
    assert served is before
    assert len(catalogue.snapshot.listings) == len(before.listings) + 40
    await database.close()
