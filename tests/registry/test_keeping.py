"""What a sync keeps, deprecates and remembers, with replicas and under faults."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from steelyard_common.errors import StorageFullError
from steelyard_registry.domain.events import EventKind, FieldChange
from steelyard_registry.domain.models import DeprecationReason, State
from steelyard_registry.domain.ports import EventQuery
from steelyard_registry.domain.quality.editions import ScoreSource
from steelyard_registry.domain.stewardship import Subject, taken_out
from steelyard_registry.domain.sync_run import SourceResult
from tests.fakes import FakeClock, FakeFeedServer
from tests.registry.builders import (
    arena_body,
    chat,
    litellm_body,
)
from tests.registry.keeping import Feeds, keeping

SEED = {f"gpt-{number}": chat("openai") for number in range(20)}
LIVE = SEED | {"gpt-live": chat("openai")}
DAY = 86_400


async def test_an_offer_that_is_missing_twice_is_deprecated_and_comes_back(
    tmp_path: Path, clock: FakeClock, feed_server: FakeFeedServer
) -> None:
    feeds = Feeds(litellm=feed_server.publish("/map", litellm_body(LIVE)))
    async with keeping(tmp_path, clock, SEED, feeds) as kept:
        await kept.sync()
        feed_server.publish("/map", litellm_body(SEED))

        first = await kept.sync()
        after_one = kept.offer("openai/gpt-live")
        second = await kept.sync()
        after_two = kept.offer("openai/gpt-live")
        feed_server.publish("/map", litellm_body(LIVE))
        third = await kept.sync()
        back = kept.offer("openai/gpt-live")

    assert (first.deprecated, after_one.state, after_one.missed_syncs) == (0, State.ACTIVE, 1)
    assert (second.deprecated, after_two.state) == (1, State.DEPRECATED)
    assert after_two.deprecation_reason is DeprecationReason.MISSING
    assert (third.restored, back.state, back.missed_syncs) == (1, State.ACTIVE, 0)


async def test_a_failed_reading_never_counts_as_missing(
    tmp_path: Path, clock: FakeClock, feed_server: FakeFeedServer
) -> None:
    feeds = Feeds(litellm=feed_server.publish("/map", litellm_body(LIVE)))
    async with keeping(tmp_path, clock, SEED, feeds) as kept:
        await kept.sync()
        feed_server.publish("/map", b"gone", status=500)

        reports = [await kept.sync() for _ in range(3)]

        assert [report.outcomes[0].result for report in reports] == [SourceResult.FAILED] * 3
        assert kept.offer("openai/gpt-live").missed_syncs == 0


async def test_what_another_source_still_names_is_not_missing(
    tmp_path: Path, clock: FakeClock, feed_server: FakeFeedServer
) -> None:
    named = {"openai": {"models": {"gpt-live": {"id": "gpt-live"}}}}
    feeds = Feeds(
        litellm=feed_server.publish("/map", litellm_body(LIVE)),
        models_dev=feed_server.publish("/dev", json.dumps(named).encode() + b" " * 1000),
    )
    async with keeping(tmp_path, clock, SEED, feeds) as kept:
        await kept.sync()
        feed_server.publish("/map", litellm_body(SEED))
        await kept.sync()
        await kept.sync()

        offer = kept.offer("openai/gpt-live")

    assert (offer.state, offer.missed_syncs) == (State.ACTIVE, 0)
    assert offer.sources == ("litellm", "models.dev")


async def test_what_is_missing_for_half_a_year_is_forgotten(
    tmp_path: Path, clock: FakeClock, feed_server: FakeFeedServer
) -> None:
    feeds = Feeds(litellm=feed_server.publish("/map", litellm_body(LIVE)))
    async with keeping(tmp_path, clock, SEED, feeds) as kept:
        await kept.sync()
        feed_server.publish("/map", litellm_body(SEED))
        for _ in range(2):
            await kept.sync()
        await clock.advance(181 * DAY)
        await kept.sync()

        assert kept.publisher.live.current.offer("openai/gpt-live") is None
        last = (await kept.events.page(EventQuery(), before=None, limit=1))[0].event
    assert (last.kind, last.offer) == (EventKind.REMOVED, "openai/gpt-live")


async def test_r5_one_bad_row_never_spoils_the_rest(
    tmp_path: Path, clock: FakeClock, feed_server: FakeFeedServer
) -> None:
    rows: dict[str, Any] = LIVE | {
        "gpt-list": [],
        "gpt-nobody": {"mode": "chat"},
        "gpt bad key": chat("openai"),
        "gpt-odd": chat("openai", max_input_tokens="many", supports_vision="yes", mode=7),
    }
    feeds = Feeds(litellm=feed_server.publish("/map", litellm_body(rows)))
    async with keeping(tmp_path, clock, SEED, feeds) as kept:
        report = await kept.sync()

        assert report.skipped_count == 3
        assert set(kept.edition.models) >= set(LIVE)
        assert kept.offer("openai/gpt-odd").max_input_tokens is None


async def test_r4_new_and_changed_offers_are_told_apart_and_the_history_says_what(
    tmp_path: Path, clock: FakeClock, feed_server: FakeFeedServer
) -> None:
    feeds = Feeds(litellm=feed_server.publish("/map", litellm_body(LIVE)))
    async with keeping(tmp_path, clock, SEED, feeds) as kept:
        first = await kept.sync()
        changed = LIVE | {
            "gpt-1": chat("openai", max_input_tokens=8, supports_vision=True),
            "gpt-new": chat("openai"),
        }
        feed_server.publish("/map", litellm_body(changed))
        second = await kept.sync()
        third = await kept.sync()
        events = await kept.events.page(EventQuery(names=("openai/gpt-1",)), before=None, limit=9)

    assert (first.added, first.updated) == (1, 0)
    assert (second.added, second.updated) == (1, 1)
    assert (third.added, third.updated) == (0, 0)
    assert events[0].event.kind is EventKind.UPDATED
    assert events[0].event.changes == (
        FieldChange("capabilities", "", "vision"),
        FieldChange("max_input_token_count", "", "8"),
    )


async def test_a_feed_that_stays_small_for_a_day_is_believed_in_the_end(
    tmp_path: Path, clock: FakeClock, feed_server: FakeFeedServer
) -> None:
    feeds = Feeds(litellm=feed_server.publish("/map", litellm_body(LIVE)))
    async with keeping(tmp_path, clock, SEED, feeds) as kept:
        await kept.sync()
        few = {name: entry for name, entry in LIVE.items() if name < "gpt-14"}
        feed_server.publish("/map", litellm_body(few))

        early = [await kept.sync() for _ in range(4)]
        await clock.advance(DAY)
        late = await kept.sync()

    assert {report.outcomes[0].result for report in early} == {SourceResult.FAILED}
    assert late.outcomes[0].result is SourceResult.READ


async def test_a_feed_without_a_large_seller_is_doubted(
    tmp_path: Path, clock: FakeClock, feed_server: FakeFeedServer
) -> None:
    others = {f"many/m-{number}": chat("many") for number in range(400)}
    feeds = Feeds(litellm=feed_server.publish("/map", litellm_body(LIVE | others)))
    async with keeping(tmp_path, clock, SEED, feeds) as kept:
        await kept.sync()
        feed_server.publish("/map", litellm_body(others | {"many/m-x": chat("many")}))

        report = await kept.sync()

    assert report.errors == ("litellm names nothing of openai any more",)


async def test_a_full_disk_is_no_success_and_the_old_catalogue_stays(
    tmp_path: Path, clock: FakeClock, feed_server: FakeFeedServer
) -> None:
    feeds = Feeds(litellm=feed_server.publish("/map", litellm_body(SEED)))
    async with keeping(tmp_path, clock, SEED, feeds) as kept:
        await kept.sync()
        async with kept.database.write() as connection:
            pages = (await connection.exec_driver_sql("PRAGMA page_count")).scalar_one()
            await connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        many = LIVE | {f"gpt-{n}-of-many": chat("openai") for n in range(2000)}
        feed_server.publish("/map", litellm_body(many))

        with pytest.raises(StorageFullError):
            await kept.sync()

        assert set(kept.edition.models) == set(SEED)


async def test_two_replicas_serve_the_same_and_one_of_them_reads(
    tmp_path: Path, clock: FakeClock, feed_server: FakeFeedServer
) -> None:
    feeds = Feeds(litellm=feed_server.publish("/map", litellm_body(LIVE)))
    async with (
        keeping(tmp_path, clock, SEED, feeds) as one,
        keeping(tmp_path, clock, SEED, feeds) as other,
    ):
        await one.sync()
        await other.publisher.catch_up()

        assert other.edition.version == one.edition.version
        assert other.edition.models == one.edition.models
        report = await other.sync(force=False)
    assert report.outcomes[0].result is SourceResult.SKIPPED
    assert len(feed_server.requests) == 1


async def test_two_replicas_that_decide_at_once_lose_nothing(
    tmp_path: Path, clock: FakeClock
) -> None:
    async with keeping(tmp_path, clock, SEED) as one, keeping(tmp_path, clock, SEED) as other:
        await asyncio.gather(
            *(
                kept.publisher.publish(
                    taken_out(
                        Subject(kept.edition.models[name]), actor="a", note="", now=clock.now()
                    )
                )
                for kept, names in ((one, range(5)), (other, range(5, 10)))
                for name in (f"gpt-{number}" for number in names)
            )
        )
        await one.publisher.catch_up()
        await other.publisher.catch_up()

        assert one.edition.models == other.edition.models
        out = {
            name for name, model in one.edition.models.items() if model.state is not State.ACTIVE
        }
    assert out == {f"gpt-{number}" for number in range(10)}


async def test_another_program_makes_another_version_of_the_same_state(
    tmp_path: Path, clock: FakeClock
) -> None:
    async with keeping(tmp_path, clock, SEED) as old:
        version = old.edition.version
    async with keeping(tmp_path, clock, SEED) as same:
        assert same.edition.version == version
    async with keeping(tmp_path, clock, LIVE) as new:
        assert new.edition.version > version
        assert set(new.edition.models) == set(LIVE)
        (event,) = await new.events.page(EventQuery(), before=None, limit=9)
        assert event.event.note == "the program or its settings have changed"


async def test_a_leaderboard_that_is_shuffled_is_doubted_and_one_that_moves_is_not(
    tmp_path: Path, clock: FakeClock, feed_server: FakeFeedServer
) -> None:
    board = {f"gpt-{place}": 1000.0 + 10 * place for place in range(20)}
    names = list(board)
    shuffled = dict(
        zip(names, [*list(board.values())[10:], *list(board.values())[:10]], strict=True)
    )
    moved = {name: rating + 300 for name, rating in board.items()}
    url = feed_server.publish("/arena.json", arena_body(board))
    feeds = Feeds(scores={ScoreSource.ARENA: url})
    async with keeping(tmp_path, clock, SEED, feeds) as kept:
        await kept.sync_scores()
        before = kept.edition.models["gpt-1"].quality

        feed_server.publish("/arena.json", arena_body(shuffled))
        doubted = await kept.sync_scores()
        after = kept.edition.models["gpt-1"].quality
        feed_server.publish("/arena.json", arena_body(moved))
        taken = await kept.sync_scores()

    assert doubted.errors == ("arena puts the models in quite another order than before",)
    assert after == before
    assert taken.outcomes[0].result is SourceResult.READ


async def test_a_row_that_cannot_be_read_is_left_out_and_read_anew(
    tmp_path: Path, clock: FakeClock, feed_server: FakeFeedServer
) -> None:
    feeds = Feeds(litellm=feed_server.publish("/map", litellm_body(LIVE), etag='"1"'))
    async with keeping(tmp_path, clock, SEED, feeds) as kept:
        await kept.sync()
        async with kept.database.write() as connection:
            await connection.exec_driver_sql(
                "UPDATE offer_record SET content = '{\"offer\": 7}' WHERE offer = 'openai/gpt-live'"
            )
    async with keeping(tmp_path, clock, SEED, feeds) as kept:
        assert set(kept.edition.models) == set(SEED)

        report = await kept.sync()

        assert report.outcomes[0].result is SourceResult.READ
        assert set(kept.edition.models) == set(LIVE)
