"""What the registry survives: bodies full of nonsense, full disks, bugs, other replicas."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn

import pytest

from steelyard_common.errors import StorageFullError
from steelyard_registry.domain.decisions import HandDecision
from steelyard_registry.domain.models import State
from steelyard_registry.domain.stewardship import Subject, corrected, put_back, taken_out
from steelyard_registry.domain.sync_run import SourceResult
from steelyard_registry.domain.sync_source import OfferSource
from tests.fakes import START, FakeClock, FakeFeedServer
from tests.registry.builders import chat, curated, litellm_body
from tests.registry.keeping import Feeds, Keeping, keeping

SEED = {f"gpt-{number}": chat("openai", supports_vision=True) for number in range(40)}
DAY = 86_400


def all_with(**fields: Any) -> bytes:
    return litellm_body({name: entry | fields for name, entry in SEED.items()})


@pytest.fixture
async def kept(
    tmp_path: Path, clock: FakeClock, feed_server: FakeFeedServer
) -> AsyncIterator[Keeping]:
    feeds = Feeds(litellm=feed_server.publish("/map", litellm_body(SEED)))
    async with keeping(tmp_path, clock, SEED, feeds) as kept:
        await kept.sync()
        yield kept


def active(kept: Keeping) -> set[str]:
    return {name for name, each in kept.edition.models.items() if each.state is State.ACTIVE}


async def out(kept: Keeping, name: str) -> None:
    """Take a model out of routing."""
    await kept.publisher.publish(
        taken_out(Subject(kept.edition.models[name]), actor="a", note="", now=START)
    )


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (all_with(deprecation_date="2020-01-01"), "litellm ends 40 of 40 offers at once"),
        (all_with(mode="embedding"), "litellm makes something else of 40 of 40 offers"),
        (all_with(supports_vision=False), "litellm makes something else of 40 of 40 offers"),
    ],
)
async def test_a_body_that_turns_everything_over_is_doubted(
    kept: Keeping, feed_server: FakeFeedServer, body: bytes, problem: str
) -> None:
    feed_server.publish("/map", body)

    report = await kept.sync()

    assert report.errors == (problem,)
    assert active(kept) == set(SEED)


async def test_what_was_doubted_makes_no_other_body_believed(
    kept: Keeping, clock: FakeClock, feed_server: FakeFeedServer
) -> None:
    few = {name: SEED[name] for name in list(SEED)[:35]}
    feed_server.publish("/map", litellm_body(few))
    for _ in range(3):
        await kept.sync()
    await clock.advance(DAY)
    feed_server.publish("/map", litellm_body({"many/x": chat("many")}))

    report = await kept.sync()

    assert report.outcomes[0].result is SourceResult.FAILED
    assert active(kept) == set(SEED)


async def test_a_bug_in_one_reader_keeps_no_other_source_out(
    tmp_path: Path, clock: FakeClock, feed_server: FakeFeedServer
) -> None:
    feeds = Feeds(
        litellm=feed_server.publish("/map", litellm_body(SEED | {"gpt-new": chat("openai")})),
        openrouter=feed_server.publish("/list", litellm_body({})),
    )
    async with keeping(tmp_path, clock, SEED, feeds) as kept:
        broken = kept.syncers.models.sources["openrouter"]
        assert isinstance(broken, OfferSource)
        kept.syncers.models.sources["openrouter"] = replace(broken, read=_raise)

        report = await kept.sync()

        assert report.errors == ("openrouter could not be read",)
        assert "gpt-new" in kept.edition.models
        assert kept.publisher.state.source("openrouter").failures == 1


def _raise(*_: object) -> NoReturn:
    raise TypeError("a bug")


@dataclass(frozen=True, slots=True)
class FullStore:
    """The store of a registry whose disk is full."""

    store: Any

    async def load(self) -> Any:
        return await self.store.load()

    async def revision(self) -> int:
        revision: int = await self.store.revision()
        return revision

    async def commit(self, *_: object) -> None:
        raise StorageFullError


async def test_a_start_with_a_full_disk_serves_what_is_known(
    tmp_path: Path, clock: FakeClock
) -> None:
    async with keeping(tmp_path, clock, SEED) as old:
        await out(old, "gpt-1")
    await clock.advance(DAY)

    async with keeping(tmp_path, clock, SEED, store=FullStore) as kept:
        assert active(kept) == SEED.keys() - {"gpt-1"}
        with pytest.raises(StorageFullError):
            await out(kept, "gpt-2")
        assert active(kept) == SEED.keys() - {"gpt-1"}
    async with keeping(tmp_path, clock, SEED) as kept:
        await out(kept, "gpt-2")
        assert active(kept) == SEED.keys() - {"gpt-1", "gpt-2"}


async def test_a_cancelled_caller_leaves_the_state_and_what_is_served_as_one(
    kept: Keeping,
) -> None:
    for name in ("gpt-1", "gpt-2", "gpt-3"):
        asked = asyncio.create_task(out(kept, name))
        await asyncio.sleep(0)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked

    decided = {"gpt-1", "gpt-2", "gpt-3"}
    assert set(kept.publisher.state.decisions) == decided
    assert active(kept) == SEED.keys() - decided
    await out(kept, "gpt-4")
    assert active(kept) == SEED.keys() - decided - {"gpt-4"}


async def test_a_word_on_a_model_stays_with_its_offers_under_another_name(
    tmp_path: Path, clock: FakeClock
) -> None:
    async with keeping(tmp_path, clock, SEED) as kept:
        await out(kept, "gpt-1")
        score = replace(curated("gpt-2", 12), is_correction=True, source_model="openai/gpt-2")
        await kept.publisher.publish(corrected(score))
        await _rename(kept, "gpt-1", "gpt-one")
        await _rename_score(kept, "gpt-2", "gpt-two")

    async with keeping(tmp_path, clock, SEED) as kept:
        assert active(kept) == SEED.keys() - {"gpt-1"}
        assert kept.edition.models["gpt-2"].score == 12
        back = put_back(Subject(kept.edition.models["gpt-1"]), actor="a", note="", now=START)
        await kept.publisher.publish(back)
        assert active(kept) == set(SEED)


async def _rename(kept: Keeping, name: str, former: str) -> None:
    """Let a decision be one on a model that was called otherwise then."""

    def change(state: Any) -> Any:
        decision: HandDecision = state.decisions[name]
        return replace(state, decisions={former: replace(decision, name=former)})

    await kept.publisher.publish(change)


async def _rename_score(kept: Keeping, name: str, former: str) -> None:
    def change(state: Any) -> Any:
        ((key, score),) = state.corrections.items()
        assert key[0] == name
        return replace(state, corrections={(former, key[1]): replace(score, model=former)})

    await kept.publisher.publish(change)


async def test_a_decision_that_cannot_be_read_puts_nobody_back(
    tmp_path: Path, clock: FakeClock
) -> None:
    async with keeping(tmp_path, clock, SEED) as kept:
        await out(kept, "gpt-1")
        async with kept.database.write() as connection:
            await connection.exec_driver_sql("UPDATE hand_decision SET content = '{'")

    async with keeping(tmp_path, clock, SEED) as kept:
        assert kept.edition.models["gpt-1"].state is State.DEPRECATED


async def test_an_offer_that_others_spell_in_another_case_is_named(
    tmp_path: Path, clock: FakeClock, feed_server: FakeFeedServer
) -> None:
    named = SEED | {"openai/GPT-Live": chat("openai")}
    spelled = b'{"openai": {"models": {"gpt-live": {"id": "gpt-live"}}}}' + b" " * 1000
    feeds = Feeds(
        litellm=feed_server.publish("/map", litellm_body(named)),
        models_dev=feed_server.publish("/dev", spelled),
    )
    async with keeping(tmp_path, clock, SEED, feeds) as kept:
        await kept.sync()
        feed_server.publish("/map", litellm_body(SEED))
        for _ in range(3):
            await kept.sync()

        assert kept.offer("openai/GPT-Live").state is State.ACTIVE


async def test_a_replica_with_other_settings_sends_the_whole_to_who_comes_from_another(
    tmp_path: Path, clock: FakeClock
) -> None:
    more = SEED | {"gpt-more": chat("openai")}
    async with keeping(tmp_path, clock, SEED) as one, keeping(tmp_path, clock, more) as other:
        await out(one, "gpt-1")
        await other.publisher.catch_up()
        version = one.edition.version

        update = await anext(other.publisher.live.updates(version, asyncio.Event()))

        assert update.since is None
        assert "gpt-more" in update.edition.models


async def test_a_day_that_could_not_be_kept_is_tried_again(kept: Keeping, clock: FakeClock) -> None:
    ahead = replace(kept.publisher.state, day=date(2026, 11, 1))
    freshness = kept.syncers.freshness

    assert min(freshness.turning_points(ahead, clock.now())) == 0
    assert min(freshness.turning_points(kept.publisher.state, clock.now())) > 0


async def test_a_clock_that_is_behind_at_midnight_undoes_no_day(tmp_path: Path) -> None:
    ends = SEED | {"gpt-end": chat("openai", deprecation_date="2026-11-03")}
    midnight = datetime(2026, 11, 3, tzinfo=START.tzinfo)
    late = FakeClock(midnight - timedelta(seconds=30))
    early = FakeClock(midnight + timedelta(seconds=30))
    async with keeping(tmp_path, early, ends) as one, keeping(tmp_path, late, ends) as other:
        await one.publisher.publish(lambda state: state)
        await other.publisher.publish(lambda state: state)

        assert "gpt-end" not in active(one) | active(other)


async def test_a_database_that_is_an_older_copy_of_itself_is_followed(
    tmp_path: Path, clock: FakeClock
) -> None:
    async with keeping(tmp_path, clock, SEED) as kept:
        await out(kept, "gpt-1")
        before = kept.edition.version
        async with kept.database.write() as connection:
            await connection.exec_driver_sql(
                "UPDATE served_state SET revision = revision + 7, version = 5"
            )
            await connection.exec_driver_sql("DELETE FROM hand_decision")

        await kept.publisher.catch_up()

        assert kept.edition.version > before
        assert active(kept) == set(SEED)
