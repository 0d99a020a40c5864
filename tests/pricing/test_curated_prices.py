"""Prices that people looked up count where no source has one, and say what they are."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from steelyard.common.v1.usage_pb2 import Usage
from steelyard.pricing.v1 import price_change_pb2 as change_pb
from steelyard.pricing.v1 import pricing_service_pb2 as pb
from steelyard_common.settings import SettingsError, read
from steelyard_pricing.adapters.curated_prices import read_curated_facts
from steelyard_pricing.app import Settings
from steelyard_pricing.domain.snapshot import SourceFacts
from steelyard_pricing.domain.source import ServedCopy
from tests.fakes import FakeClock, FakeFeedServer
from tests.pricing.builders import litellm_body, per_million, tokens, usd
from tests.pricing.conftest import CALL_SECONDS, RunningPricing, Start
from tests.pricing.tenants import Caller, HeaderAuthenticator, rate

MAP = "/map"
EVIDENCE = "https://acme.example/pricing"
USAGE = Usage(uncached_input_token_count=1000, output_token_count=500)
COST = usd("0.003") + usd("0.005")
ENTRY = f"""
[[prices]]
offer = "acme/large"
mode = "chat"
rates = {{ input_token = "3", output_token = "10.00" }}
evidence = "{EVIDENCE}"
date = 2026-10-01
note = "the list price"
"""
PRICED: Mapping[str, object] = {"input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6}


def no_seed() -> tuple[SourceFacts, ServedCopy]:
    return SourceFacts("seed", (), 0), ServedCopy()


@pytest.fixture
def own_file(tmp_path: Path) -> Path:
    file = tmp_path / "own.toml"
    file.write_text(ENTRY)
    return file


def the_map(**entries: Mapping[str, object]) -> bytes:
    """Return a map of offers of acme's, and of enough others to be believed."""
    named = {f"other-{number}": PRICED for number in range(40)} | entries
    common = {"litellm_provider": "acme", "mode": "chat"}
    return litellm_body({f"acme/{name}": {**common, **fields} for name, fields in named.items()})


def write(file: Path, text: str) -> None:
    file.write_text(text)


async def quoted(pricing: RunningPricing, offer: str = "acme/large") -> pb.Quote:
    request = pb.QuoteRequest(usage=USAGE, offers=[offer])
    return (await pricing.stub.Quote(request, timeout=CALL_SECONDS)).quotes[0]


async def estimated_cost(pricing: RunningPricing) -> pb.EstimateCostResponse:
    request = pb.EstimateCostRequest(model="acme/large", usage=USAGE)
    return await pricing.stub.EstimateCost(request, timeout=CALL_SECONDS)


async def test_an_offer_that_nobody_names_is_priced_and_says_how(
    start: Start, own_file: Path
) -> None:
    pricing = await start(curated_prices_file=own_file)

    price = (await pricing.price("acme/large")).price
    assert (price.source, price.source_uri) == ("curated", EVIDENCE)
    assert (price.estimated, price.stale, price.confidence) == (True, False, 0.4)
    assert price.observed_time.ToJsonString() == "2026-10-01T00:00:00Z"
    assert [each.picodollars for each in price.rates] == [per_million("3"), per_million("10")]
    quote = await quoted(pricing)
    assert (quote.estimated, quote.cost.total_picodollars) == (True, COST)
    answer = await estimated_cost(pricing)
    assert (answer.estimated, answer.tokens_estimated) == (True, False)
    assert (answer.confidence, answer.source, answer.stale) == (0.4, "curated", False)


async def test_lists_and_rate_cards_show_it(start: Start, own_file: Path) -> None:
    pricing = await start(curated_prices_file=own_file)

    listed = await pricing.stub.ListPrices(pb.ListPricesRequest(), timeout=CALL_SECONDS)
    cards = await pricing.stub.ListRateCards(pb.ListRateCardsRequest(), timeout=CALL_SECONDS)

    assert {each.offer: each.estimated for each in listed.prices} == {
        "acme/large": True,
        "seed/model": False,
    }
    assert {each.offer: each.estimated for each in cards.rate_cards} == {
        "acme/large": True,
        "seed/model": False,
    }


async def test_the_status_names_the_source_which_is_no_feed(start: Start, own_file: Path) -> None:
    pricing = await start(curated_prices_file=own_file, seed=no_seed)

    status = await pricing.source("curated")

    assert (status.enabled, status.model_count, status.stale) == (True, 1, False)
    assert (status.edition_date.month, status.edition_date.day) == (10, 1)
    outcomes = {each.source for each in (await pricing.report()).sources}
    assert "curated" not in outcomes


async def test_without_entries_there_is_no_such_source(start: Start) -> None:
    pricing = await start()

    assert "curated" not in {each.source for each in (await pricing.status()).sources}


async def test_an_offer_named_without_a_price_keeps_all_else_that_its_source_says(
    start: Start, feeds: FakeFeedServer, own_file: Path
) -> None:
    limits = {"max_input_tokens": 9000, "deprecation_date": "2027-01-31", "supports_vision": True}
    feeds.publish(MAP, the_map(large=limits))
    pricing = await start(litellm_url=feeds.url(MAP), curated_prices_file=own_file)
    await pricing.report()

    answer = await pricing.price("acme/large")

    price = answer.price
    assert (price.source, price.estimated, price.confidence) == ("curated", True, 0.4)
    assert (price.max_input_token_count, price.deprecation_date.year) == (9000, 2027)
    assert answer.alternatives == []


async def test_a_plain_name_means_an_offer_that_a_source_names_alone(
    start: Start, feeds: FakeFeedServer, own_file: Path
) -> None:
    feeds.publish(MAP, the_map())
    pricing = await start(litellm_url=feeds.url(MAP), curated_prices_file=own_file)
    await pricing.report()
    assert (await quoted(pricing, "large")).failure == pb.QUOTE_FAILURE_UNKNOWN_OFFER

    feeds.publish(MAP, the_map(large={}))
    await pricing.report()

    assert (await quoted(pricing, "large")).cost.total_picodollars == COST


async def test_a_source_that_has_a_price_is_neither_beaten_nor_disputed(
    start: Start, feeds: FakeFeedServer, own_file: Path
) -> None:
    feeds.publish(MAP, the_map(large=PRICED))
    pricing = await start(litellm_url=feeds.url(MAP), curated_prices_file=own_file)
    await pricing.report()

    answer = await pricing.price("acme/large")
    differences = await pricing.stub.ListDisagreements(
        pb.ListDisagreementsRequest(), timeout=CALL_SECONDS
    )

    assert (answer.price.source, answer.price.estimated) == ("litellm", False)
    assert answer.price.confidence == 1
    assert answer.alternatives == []
    quote = await quoted(pricing)
    assert (quote.estimated, quote.disputed) == (False, False)
    assert quote.cost.total_picodollars == usd("0.002")
    assert differences.disagreements == []


async def test_the_seed_is_a_source_too(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text(ENTRY.replace("acme/large", "seed/model"))

    pricing = await start(curated_prices_file=file)

    assert (await pricing.price("seed/model")).price.source == "seed"


async def test_a_price_that_a_source_takes_back_was_one_until_then(
    start: Start, feeds: FakeFeedServer, own_file: Path, clock: FakeClock
) -> None:
    feeds.publish(MAP, the_map(large=PRICED))
    pricing = await start(litellm_url=feeds.url(MAP), curated_prices_file=own_file)
    await pricing.report()
    await clock.advance(3600)
    then = clock.now()
    # A price that is gone is only believed when it stays away.
    for _ in range(4):
        await clock.advance(86_400)
        feeds.publish(MAP, the_map(large={}))
        await pricing.report()

    assert (await pricing.price("acme/large")).price.source == "curated"
    usage = [pb.PastUsage(offer="acme/large", usage=USAGE) for _ in range(2)]
    usage[0].use_time.FromDatetime(then)
    usage[1].use_time.FromDatetime(clock.now())
    answer = await pricing.stub.Reprice(pb.RepriceRequest(usage=usage), timeout=CALL_SECONDS)
    assert [each.cost.total_picodollars for each in answer.quotes] == [usd("0.002"), COST]
    assert [each.estimated for each in answer.quotes] == [False, True]


async def test_the_first_source_that_has_the_same_price_is_a_change(
    start: Start, feeds: FakeFeedServer, own_file: Path
) -> None:
    feeds.publish(MAP, the_map())
    pricing = await start(litellm_url=feeds.url(MAP), curated_prices_file=own_file)
    await pricing.report()
    same = {"input_cost_per_token": 3e-6, "output_cost_per_token": 1e-5}
    feeds.publish(MAP, the_map(large=same))
    await pricing.report()

    request = pb.ListPriceChangesRequest(offer="acme/large")
    changes = (await pricing.stub.ListPriceChanges(request, timeout=CALL_SECONDS)).changes

    assert changes[0].kind == change_pb.PRICE_CHANGE_KIND_CHANGED
    assert (changes[0].before.estimated, changes[0].after.estimated) == (True, False)


async def test_a_start_publishes_what_the_file_says_now_and_nothing_twice(
    start: Start, own_file: Path
) -> None:
    first = (await (await start(curated_prices_file=own_file)).status()).snapshot_version
    again = (await (await start(curated_prices_file=own_file)).status()).snapshot_version
    write(own_file, ENTRY.replace('"3"', '"4"'))
    changed = await start(curated_prices_file=own_file)
    rates = (await changed.price("acme/large")).price.rates
    gone = await start()

    assert (first, again) == (1, 1)
    assert rates[0].picodollars == per_million("4")
    assert (await quoted(gone)).failure == pb.QUOTE_FAILURE_UNKNOWN_OFFER
    assert (await gone.status()).snapshot_version == 3


async def test_a_refresh_keeps_curated_prices(
    start: Start, feeds: FakeFeedServer, own_file: Path
) -> None:
    feeds.publish(MAP, the_map())
    pricing = await start(litellm_url=feeds.url(MAP), curated_prices_file=own_file)

    await pricing.report()

    assert (await quoted(pricing)).cost.total_picodollars == COST
    assert not (await pricing.status()).stale


async def test_what_a_tenant_has_agreed_on_is_no_estimate(start: Start, own_file: Path) -> None:
    pricing = await start(curated_prices_file=own_file, authenticator=HeaderAuthenticator())
    ada, bob = Caller(pricing, "ada"), Caller(pricing, "bob")
    await ada.override(
        offer="acme/large",
        rates=[rate(each.component, each.picodollars) for each in tokens("1", "2")],
    )
    await bob.override(offer="acme/large", factor_basis_points=5_000)

    assert not (await ada.price("acme/large")).estimated
    assert not (await ada.quote("acme/large"))[0].estimated
    assert (await bob.price("acme/large")).estimated
    assert (await bob.quote("acme/large"))[0].estimated


@pytest.mark.parametrize(
    ("written", "instead", "named"),
    [
        ("[[prices]]", "[[prices", "is not TOML"),
        ("[[prices]]", "[[price]]", "[[prices]] and nothing else"),
        ("[[prices]]", "prices = [1]\n[x]", "[[prices]] and nothing else"),
        ('note = "the list price"', "", "must have exactly date, evidence, mode, note"),
        ("note =", "noted =", "must have exactly"),
        ('"the list price"', '" "', "note must be a text"),
        ('"acme/large"', '"acme"', "offer must be {provider}/{model}"),
        ('"acme/large"', '"acme/ large"', "visible characters"),
        ('"chat"', '"talk"', "mode must be one of"),
        ("2026-10-01", '"2026-10-01"', "date must be a day"),
        ("2026-10-01", "2026-10-01T00:00:00Z", "date must be a day"),
        (EVIDENCE, "a colleague", "evidence must be the address of a page"),
        ('input_token = "3", ', "", "rates must have input_token"),
        (', output_token = "10.00"', "", "rates must have output_token"),
        ("input_token =", "request =", "rates must be among"),
        ('"3"', "3", 'must be USD per million as text, like "0.25"'),
        ('"3"', "3.0", "must be USD per million as text"),
        ('"3"', '"-3"', "must be USD per million as text"),
        ('"3"', '"NaN"', "must be USD per million as text"),
        ('"3"', '"0.00"', "must be above zero"),
        ('"3"', '"60000"', "input_token is too small or too large"),
        ('"3"', '"0.0000001"', "input_token is too small or too large"),
    ],
)
def test_a_wrong_file_is_named_with_what_is_wrong(
    own_file: Path, monkeypatch: pytest.MonkeyPatch, written: str, instead: str, named: str
) -> None:
    own_file.write_text(ENTRY.replace(written, instead))
    monkeypatch.setenv("STEELYARD_CURATED_PRICES_FILE", str(own_file))

    with pytest.raises(SettingsError) as caught:
        read(Settings)

    (problem,) = caught.value.problems
    assert problem.startswith(f"STEELYARD_CURATED_PRICES_FILE: {own_file}")
    assert named in problem


def test_the_place_of_a_bad_entry_is_named(own_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own_file.write_text(ENTRY + ENTRY)
    monkeypatch.setenv("STEELYARD_CURATED_PRICES_FILE", str(own_file))

    with pytest.raises(SettingsError, match="entry 2: acme/large is there before"):
        read(Settings)


@pytest.mark.parametrize("content", [None, b"\xff\xfe", b" " * 5_000_000])
def test_a_file_that_is_no_text_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None
) -> None:
    file = tmp_path / "file"
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setenv("STEELYARD_CURATED_PRICES_FILE", str(file))

    with pytest.raises(SettingsError, match=str(file)):
        read(Settings)


def test_empty_means_the_bundled_file_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEELYARD_CURATED_PRICES_FILE", "")

    assert read(Settings).curated_prices_file is None


@pytest.mark.system
def test_a_wrong_file_ends_the_process_with_2(own_file: Path) -> None:
    own_file.write_text(ENTRY.replace('"3"', '"free"'))
    environment = os.environ | {"STEELYARD_CURATED_PRICES_FILE": str(own_file)}

    ended = subprocess.run(
        [sys.executable, "-m", "steelyard_pricing"],
        env=environment,
        capture_output=True,
        timeout=60,
        check=False,
    )

    assert ended.returncode == 2
    assert b"STEELYARD_CURATED_PRICES_FILE" in ended.stderr
    assert b"Traceback" not in ended.stderr


def test_the_bundled_file_is_one_and_its_example_would_be(tmp_path: Path) -> None:
    bundled = Path("services/pricing/steelyard_pricing/data/curated_prices.toml")
    text = (Path(__file__).parents[2] / bundled).read_text()
    example = "\n".join(
        line.removeprefix("#   ") for line in text.splitlines() if line.startswith("#   ")
    )
    file = tmp_path / "example.toml"
    file.write_text(example)

    ours = read_curated_facts()
    both = read_curated_facts(file)

    assert {each.fact.offer for each in both.facts} - {each.fact.offer for each in ours.facts} == {
        "acme/acme-large"
    }
