"""Three years of real feeds in their order: what the change feed tells, and what is held."""

import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from steelyard.common.v1.usage_pb2 import Usage
from steelyard.pricing.v1 import price_change_pb2 as change_pb
from steelyard.pricing.v1 import price_pb2
from steelyard.pricing.v1 import pricing_service_pb2 as pb
from steelyard_catalog.litellm import read_litellm
from steelyard_pricing.adapters.litellm_prices import parse_litellm
from steelyard_pricing.adapters.openrouter_prices import parse_openrouter
from tests.fakes import FakeClock
from tests.pricing.conftest import CALL_SECONDS, RunningPricing, Start
from tests.pricing.replay import Edition, editions, replay

pytestmark = [pytest.mark.real_data, pytest.mark.replays]

FIELDS = ("input_cost_per_token", "output_cost_per_token")
COMPONENTS = (price_pb2.PRICE_COMPONENT_INPUT_TOKEN, price_pb2.PRICE_COMPONENT_OUTPUT_TOKEN)
# Models, added, removed, price changed: the table that comes with the data.
TABLE = {
    "2023-12-14": (141, 0, 0, 0),
    "2025-11-09": (1731, 1616, 26, 20),
    "2026-02-26": (2601, 928, 58, 34),
    "2026-08-09": (2923, 462, 140, 11),
    "2026-10-21": (4241, 1688, 370, 153),
}
MAX_HELD_SHARE = 0.02
HALF_A_DAY = 12 * 3600 + 1

Map = dict[str, dict[str, Any]]


def raw_map(edition: Edition) -> Map:
    entries: Map = json.loads(edition.body, parse_float=Decimal)
    entries.pop("sample_spec", None)
    return entries


def raw_changes(before: Map, after: Map) -> set[str]:
    """Return the keys whose prices, present on both sides, differ."""
    return {
        key
        for key in before.keys() & after.keys()
        if all(before[key].get(f) is not None and after[key].get(f) is not None for f in FIELDS)
        and any(before[key][field] != after[key][field] for field in FIELDS)
    }


def offers_by_key(edition: Edition) -> dict[str, str]:
    return {entry.source_key: entry.offer for entry in read_litellm(edition.body).entries}


def key_of(keys: dict[str, str], offer: str) -> str:
    """Return the key of the map that an offer was read from."""
    return next(key for key, found in keys.items() if found == offer)


def base(price: price_pb2.Price) -> tuple[int | None, ...]:
    found = {
        rate.component: rate.picodollars
        for rate in price.rates
        if not (rate.service_tier or rate.above_prompt_token_count or rate.windows)
    }
    return tuple(found.get(component) for component in COMPONENTS)


def is_price_change(change: change_pb.PriceChange) -> bool:
    if change.kind != change_pb.PRICE_CHANGE_KIND_CHANGED:
        return False
    before, after = base(change.before), base(change.after)
    return None not in (*before, *after) and before != after


async def all_changes(pricing: RunningPricing, after: int) -> list[change_pb.PriceChange]:
    """Return the changes of every version after one."""
    found: list[change_pb.PriceChange] = []
    token = ""
    while True:
        request = pb.ListPriceChangesRequest(page_size=1000, page_token=token)
        answer = await pricing.stub.ListPriceChanges(request, timeout=CALL_SECONDS)
        new = [change for change in answer.changes if change.snapshot_version > after]
        found += new
        token = answer.page_info.next_page_token
        if not token or len(new) < len(answer.changes):
            return found


async def never_released(pricing: RunningPricing) -> set[str]:
    request = pb.ListQuarantinedRequest(page_size=1000)
    answer = await pricing.stub.ListQuarantined(request, timeout=CALL_SECONDS)
    return {change.offer for change in answer.held_changes}


async def todays_costs(
    pricing: RunningPricing, clock: FakeClock, known_after: timedelta = timedelta()
) -> tuple[pb.RepriceRequest, pb.RepriceResponse]:
    """Return what a usage of today costs at every offer, by what is known today."""
    prices = await pricing.stub.ListPrices(
        pb.ListPricesRequest(page_size=1000, provider="openai"), timeout=CALL_SECONDS
    )
    now = clock.now()
    request = pb.RepriceRequest()
    request.as_known_at_time.FromDatetime(now + known_after)
    usage = Usage(uncached_input_token_count=1000, output_token_count=500)
    for price in prices.prices:
        used = request.usage.add(offer=price.offer, usage=usage)
        used.use_time.FromDatetime(now)
    return request, await pricing.stub.Reprice(request, timeout=CALL_SECONDS)


def is_price(figure: Decimal) -> bool:
    """Say whether a figure of the map can be a price per token: not 0, not above 0.05 USD."""
    return 0 < figure <= Decimal("0.05")


def is_told(before: Map, after: Map, key: str) -> bool:
    """Say whether a change of the map is one of prices, to the picodollar."""
    figures = [[entries[key][field] for field in FIELDS] for entries in (before, after)]
    if not all(is_price(figure) for pair in figures for figure in pair):
        return False
    old, new = ([round(figure * 10**12) for figure in pair] for pair in figures)
    return old != new


async def test_three_years_of_litellm_give_the_change_feed_of_the_table(
    start: Start, tmp_path: Path, real_data: Path
) -> None:
    bodies = editions(real_data / "litellm", "20*.json")
    feed = tmp_path / "map.json"
    clock = FakeClock(bodies[0].day)
    feed.write_bytes(bodies[0].body)
    pricing = await start(litellm_url=feed.as_uri(), clock=clock)
    await pricing.report("litellm")
    before, keys_before = raw_map(bodies[0]), offers_by_key(bodies[0])
    known = [await todays_costs(pricing, clock)]
    held_before: set[str] = set()
    for edition in bodies[1:]:
        version = (await pricing.status()).snapshot_version
        await clock.advance((edition.day - clock.now()).total_seconds())
        feed.write_bytes(edition.body)
        for _ in range(3):
            # A price that moved far is believed when it is still there a day later.
            report = await pricing.report("litellm")
            assert report.sources[0].outcome == pb.REFRESH_PHASE_PUBLISHED
            await clock.advance(HALF_A_DAY)
        after, keys = raw_map(edition), offers_by_key(edition)
        changed = raw_changes(before, after)
        assert (
            len(after),
            len(after.keys() - before.keys()),
            len(before.keys() - after.keys()),
            len(changed),
        ) == TABLE[edition.day.date().isoformat()]

        found = await all_changes(pricing, version)
        # Unit errors of the map are held until it mends them; no price was served meanwhile.
        held = held_before | await never_released(pricing)
        held_before = held
        told = {change.offer for change in found if is_price_change(change)}
        # Keys of one offer (`gpt-4o`, `azure/...` twice) count once: by the key that is served.
        by_offer = {keys[key]: key for key in changed if keys.get(key, "") == keys_before.get(key)}
        expected = set(by_offer)
        untold = {
            offer for offer in expected - told - held if is_told(before, after, by_offer[offer])
        }
        assert untold == set()
        # An offer may be read from another key of the map than before.
        assert {offer for offer in told - expected if key_of(keys, offer) in changed} == set()
        assert len(told - expected) <= 1
        of_kind = {
            kind: {change.offer for change in found if change.kind == kind}
            for kind in (
                change_pb.PRICE_CHANGE_KIND_ADDED,
                change_pb.PRICE_CHANGE_KIND_REMOVED,
            )
        }
        was, now = set(keys_before.values()), set(keys.values())
        assert of_kind[change_pb.PRICE_CHANGE_KIND_ADDED] == now - was
        assert of_kind[change_pb.PRICE_CHANGE_KIND_REMOVED] == was - now
        before, keys_before = after, keys
        known.append(await todays_costs(pricing, clock))

    for request, answer in known:
        assert len(answer.quotes) > 20
        assert await pricing.stub.Reprice(request, timeout=CALL_SECONDS) == answer


def test_hardly_any_genuine_change_is_held(real_data: Path) -> None:
    held = genuine = 0
    for source, pattern, parse in (
        ("litellm", "20*.json", parse_litellm),
        ("openrouter", "models_*.json", parse_openrouter),
    ):
        bodies = editions(real_data / source, pattern)
        served = {fact.offer: fact for fact in parse(bodies[0].body).facts}
        known: set[tuple[str, object]] = set()
        for edition, passed in replay(source, bodies, parse):
            assert not passed.refusal
            said = {fact.offer: fact for fact in parse(edition.body).facts}
            both = said.keys() & served.keys()
            genuine += len(said.keys() ^ served.keys())
            genuine += sum(said[offer].rates != served[offer].rates for offer in both)
            new = {(change.offer, change.price) for change in passed.held} - known
            held += len(new)
            known |= new
            served = said
    assert genuine > 6000
    assert held <= MAX_HELD_SHARE * genuine
