"""Two hundred ways to spoil a real feed: nothing of it gets through the gate."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import pytest

from steelyard.pricing.v1 import pricing_service_pb2 as pb
from steelyard_pricing.adapters.litellm_prices import parse_litellm
from steelyard_pricing.domain.rates import PriceFact
from tests.pricing.conftest import Start
from tests.pricing.corruptions import Corruption, corruptions
from tests.pricing.replay import Edition, Passed, let_pass

pytestmark = pytest.mark.real_data

NEWEST = "2026-10-21_v1.106.2.json"
READ = datetime(2026, 10, 21, tzinfo=UTC)
NEXT_DAY = READ + timedelta(days=1)
PART = 300
MIN_CAUGHT = 0.99


def is_caught(corruption: Corruption, passed: Passed, last_good: Sequence[PriceFact]) -> bool:
    """Say whether nothing that is served has changed."""
    if passed.refusal:
        return True
    served = {fact.offer: (fact.rates, fact.is_free) for fact in passed.served}
    good = {fact.offer: (fact.rates, fact.is_free) for fact in last_good}
    return served == good and (not corruption.entry or len(passed.held) == 1)


@pytest.mark.parametrize("stride", [5, pytest.param(1, marks=pytest.mark.faults)])
def test_c5_corruptions_are_held_or_rejected(real_data: Path, stride: int) -> None:
    whole = (real_data / "litellm" / NEWEST).read_bytes()
    entries = json.loads(whole)
    entries.pop("sample_spec", None)
    keys = sorted(entries)
    part = {key: entries[key] for key in keys[:: len(keys) // PART]}
    facts = {
        "whole": parse_litellm(whole).facts,
        "part": parse_litellm(json.dumps(part).encode()).facts,
    }
    injected, missed = 0, []
    for corruption in islice(corruptions(whole, part, seed=3), 0, None, stride):
        last_good = facts["part" if corruption.entry else "whole"]
        edition = Edition(NEXT_DAY, corruption.body)
        passed = let_pass("litellm", edition, parse_litellm, last_good, READ)
        injected += 1
        if not is_caught(corruption, passed, last_good):
            missed.append(corruption.name)

    assert injected >= 200 // stride
    assert len(missed) <= (1 - MIN_CAUGHT) * injected, missed


async def test_c5_a_hundred_megabytes_are_not_read(
    start: Start, tmp_path: Path, real_data: Path
) -> None:
    feed = tmp_path / "map.json"
    feed.write_bytes((real_data / "litellm" / NEWEST).read_bytes())
    pricing = await start(litellm_url=feed.as_uri())
    before = await pricing.report()
    with feed.open("ab") as file:
        file.truncate(100 * 2**20)

    report = await pricing.report()

    assert report.sources[0].outcome == pb.REFRESH_PHASE_FAILED
    assert report.sources[0].error.cause == "too_large"
    assert report.snapshot_version == before.snapshot_version
