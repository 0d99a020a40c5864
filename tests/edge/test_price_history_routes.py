"""What changed, where sources differ, and which versions there are, over REST."""

from datetime import timedelta

import pytest

from steelyard.pricing.v1 import price_change_pb2 as change_pb
from steelyard.pricing.v1 import price_pb2
from steelyard.pricing.v1 import pricing_service_pb2 as pb
from tests.edge.conftest import RunningEdge, exact
from tests.edge.fakes import GPT_4O, OBSERVED, a_price, a_rate, timestamp

PRICING = "/api/ai/pricing"
CHANGES = f"{PRICING}/changes"
ROLLBACK = f"{PRICING}/rollback"


def a_cut(offer: str = GPT_4O, *, days_later: int = 0) -> change_pb.PriceChange:
    after = a_rate(price_pb2.PRICE_COMPONENT_INPUT_TOKEN, 1_250_000)
    observed = timestamp(OBSERVED + timedelta(days=days_later))
    return change_pb.PriceChange(
        offer=offer,
        kind=change_pb.PRICE_CHANGE_KIND_CHANGED,
        before=a_price(offer),
        after=a_price(offer, after),
        ratio=0.5,
        effective_time=observed,
        observed_time=observed,
        snapshot_version=8,
    )


async def test_a_change_has_both_prices_and_when_it_came(edge: RunningEdge) -> None:
    edge.pricing.changes = [a_cut()]

    change = exact(await edge.get(CHANGES))["data"]["changes"][0]

    assert (change["offer"], change["kind"], change["snapshot_version"]) == (GPT_4O, "changed", 8)
    assert str(change["before"]["input_usd_per_1m_tokens"]) == "2.5"
    assert str(change["after"]["input_usd_per_1m_tokens"]) == "1.25"
    assert str(change["ratio"]) == "0.5"
    assert change["observed_time"] == "2026-11-01T12:00:00Z"


async def test_an_offer_that_is_new_or_gone_has_one_price(edge: RunningEdge) -> None:
    edge.pricing.changes = [
        change_pb.PriceChange(kind=change_pb.PRICE_CHANGE_KIND_ADDED, after=a_price()),
        change_pb.PriceChange(kind=change_pb.PRICE_CHANGE_KIND_REMOVED, before=a_price()),
    ]

    added, removed = (await edge.get(CHANGES)).json()["data"]["changes"]

    assert (added["kind"], added["before"], added["ratio"]) == ("added", None, None)
    assert (removed["kind"], removed["after"]) == ("removed", None)


async def test_changes_are_filtered(edge: RunningEdge) -> None:
    edge.pricing.changes = [a_cut(days_later=2), a_cut("groq/x", days_later=2), a_cut()]

    response = await edge.get(
        CHANGES,
        params={"since": "2026-11-02T14:00:00+02:00", "offer": GPT_4O, "min_ratio": "1.5"},
    )

    data = response.json()["data"]
    assert [each["observed_time"] for each in data["changes"]] == ["2026-11-03T12:00:00Z"]
    assert edge.pricing.last_request.since_time == timestamp(OBSERVED + timedelta(days=1))
    assert edge.pricing.last_request.min_ratio == 1.5


@pytest.mark.parametrize("route", ["changes", "disagreements", "snapshots", "quarantine"])
async def test_pages_follow_each_other_to_the_last(edge: RunningEdge, route: str) -> None:
    edge.pricing.changes = [a_cut()] * 3
    edge.pricing.disagreements = [pb.PriceDisagreement()] * 3
    edge.pricing.snapshots = [pb.PriceSnapshot(version=version) for version in (1, 2, 3)]
    edge.pricing.held_changes = [
        change_pb.HeldChange(state=change_pb.HELD_CHANGE_STATE_HELD) for _ in range(3)
    ]
    listed = {"quarantine": "held_changes"}.get(route, route)

    first = (await edge.get(f"{PRICING}/{route}?page_size=2")).json()["data"]
    last = (
        await edge.get(
            f"{PRICING}/{route}", params={"page_size": 2, "page_token": first["next_page_token"]}
        )
    ).json()["data"]

    assert (len(first[listed]), len(last[listed])) == (2, 1)
    assert (first["total_count"], last["total_count"]) == (3, 3)
    assert last["next_page_token"] is None


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("since=yesterday", "since"),
        ("since=1700000000", "since"),
        ("since=2026-11-02", "since"),
        ("since=2026-11-02T09:30:00", "since"),
        ("since=2026-11-02T09:30:00+02:00", "since"),
        ("since=0001-01-01T00:00:00%2B23:59", "since"),
        ("min_ratio=NaN", "min_ratio"),
        ("min_ratio=-1", "min_ratio"),
        ("page_size=0", "page_size"),
        ("page_size=1001", "page_size"),
        ("page_token=forged", "page_token"),
    ],
)
async def test_a_bad_filter_is_named(edge: RunningEdge, query: str, field: str) -> None:
    response = await edge.get(f"{CHANGES}?{query}")

    assert response.status_code == 422
    assert response.json()["error"]["reason"] == "ERROR_REASON_INVALID_FIELD"
    assert response.json()["error"]["details"]["fields"][0]["field"] == field


async def test_a_disagreement_shows_both_sources(edge: RunningEdge) -> None:
    other = a_price()
    other.source = "openrouter"
    edge.pricing.disagreements = [pb.PriceDisagreement(served=a_price(), other=other, ratio=2.5)]

    only = (await edge.get(f"{PRICING}/disagreements")).json()["data"]["disagreements"][0]

    assert only["offer"] == GPT_4O
    assert (only["served"]["source"], only["other"]["source"]) == ("litellm", "openrouter")
    assert only["ratio"] == 2.5


async def test_a_rollback_is_a_new_snapshot(edge: RunningEdge) -> None:
    edge.pricing.snapshots.append(pb.PriceSnapshot(version=2, cause="refresh", changed_count=9))

    response = await edge.post(ROLLBACK, json={"version": 1, "note": "2 came from a broken feed"})
    listed = (await edge.get(f"{PRICING}/snapshots")).json()["data"]["snapshots"]

    assert response.status_code == 200
    snapshot = response.json()["data"]
    assert (snapshot["version"], snapshot["cause"]) == (3, "rollback")
    assert snapshot["note"] == "2 came from a broken feed"
    assert [each["version"] for each in listed] == [3, 2, 1]
    assert [each["note"] for each in listed[1:]] == [None, None]
    assert listed[1]["changed"] == 9


async def test_there_is_no_way_back_to_what_never_was(edge: RunningEdge) -> None:
    response = await edge.post(ROLLBACK, json={"version": 17})

    assert response.status_code == 404
    assert response.json()["error"]["details"] == {"resource": "snapshot", "id": "17"}


async def test_there_is_no_way_back_to_what_is_served(edge: RunningEdge) -> None:
    response = await edge.post(ROLLBACK, json={"version": 1})

    assert response.status_code == 409
    assert response.json()["error"]["reason"] == "ERROR_REASON_INVALID_STATE"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "version"),
        ({"version": 0}, "version"),
        ({"version": "1"}, "version"),
        ({"version": 1.0}, "version"),
        ({"version": True}, "version"),
        ({"version": 2**63}, "version"),
        ({"version": 1, "note": "x" * 1001}, "note"),
    ],
)
async def test_a_bad_rollback_is_named(
    edge: RunningEdge, body: dict[str, object], field: str
) -> None:
    response = await edge.post(ROLLBACK, json=body)

    assert response.status_code == 422
    assert response.json()["error"]["details"]["fields"][0]["field"] == field
