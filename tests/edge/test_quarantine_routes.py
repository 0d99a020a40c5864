"""Changes that are held back, over REST."""

import pytest

from steelyard.pricing.v1 import price_change_pb2 as change_pb
from steelyard_common.errors import ScopeMissingError
from tests.edge.conftest import RunningEdge
from tests.edge.fakes import GPT_4O, a_price, timestamp

QUARANTINE = "/api/ai/pricing/quarantine"
REVIEW = f"{QUARANTINE}/chg_1/review"


@pytest.fixture
def held(edge: RunningEdge) -> change_pb.HeldChange:
    """Return a change that is held back."""
    change = change_pb.HeldChange(
        held_change_id="chg_1",
        offer=GPT_4O,
        source="litellm",
        served=a_price(),
        held=a_price(),
        guard="entry_delta",
        explanation="12 times as dear as before",
        first_seen_time=timestamp(),
        last_seen_time=timestamp(),
        sighting_count=2,
        state=change_pb.HELD_CHANGE_STATE_HELD,
    )
    edge.pricing.held_changes = [change]
    return change


async def test_what_is_held_back_says_why(edge: RunningEdge, held: change_pb.HeldChange) -> None:
    data = (await edge.get(QUARANTINE)).json()["data"]

    only = data["held_changes"][0]
    assert data["total_count"] == 1
    assert (only["held_change_id"], only["state"]) == (held.held_change_id, "held")
    assert (only["guard"], only["explanation"]) == ("entry_delta", "12 times as dear as before")
    assert only["sighting_count"] == 2
    assert (only["reviewer"], only["note"], only["review_time"]) == (None, None, None)


async def test_a_held_snapshot_has_no_offer_and_no_price(edge: RunningEdge) -> None:
    edge.pricing.held_changes = [
        change_pb.HeldChange(source="litellm", state=change_pb.HELD_CHANGE_STATE_HELD)
    ]

    only = (await edge.get(QUARANTINE)).json()["data"]["held_changes"][0]

    assert (only["offer"], only["served"], only["held"]) == (None, None, None)


@pytest.mark.parametrize(("review", "state"), [("approve", "released"), ("reject", "refused")])
async def test_a_review_ends_the_wait(
    edge: RunningEdge, held: change_pb.HeldChange, review: str, state: str
) -> None:
    response = await edge.post(REVIEW, json={"review": review, "note": "checked"})
    waiting = await edge.get(QUARANTINE)
    reviewed = await edge.get(f"{QUARANTINE}?state={state}")

    assert response.status_code == 200
    assert response.json()["data"]["state"] == state
    assert response.json()["data"]["note"] == "checked"
    assert waiting.json()["data"]["held_changes"] == []
    ids = [each["held_change_id"] for each in reviewed.json()["data"]["held_changes"]]
    assert ids == [held.held_change_id]


@pytest.mark.usefixtures("held")
async def test_a_second_review_is_a_conflict(edge: RunningEdge) -> None:
    await edge.post(REVIEW, json={"review": "approve"})

    response = await edge.post(REVIEW, json={"review": "reject"})

    assert response.status_code == 409
    assert response.json()["error"]["reason"] == "ERROR_REASON_INVALID_STATE"


async def test_an_unknown_change_is_404(edge: RunningEdge) -> None:
    response = await edge.post(REVIEW, json={"review": "approve"})

    assert response.status_code == 404
    assert response.json()["error"]["details"] == {"resource": "held_change", "id": "chg_1"}


async def test_a_key_that_may_not_review_is_403(edge: RunningEdge) -> None:
    edge.pricing.error = ScopeMissingError("SCOPE_ADMIN", "ReviewQuarantined")

    response = await edge.post(REVIEW, json={"review": "approve"})

    assert response.status_code == 403
    assert response.json()["error"]["reason"] == "ERROR_REASON_SCOPE_MISSING"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "review"),
        ({"review": "maybe"}, "review"),
        ({"review": "APPROVE"}, "review"),
        ({"review": None}, "review"),
        ({"review": "approve", "note": 5}, "note"),
        ([], "body"),
    ],
)
async def test_a_bad_review_is_named(edge: RunningEdge, body: object, field: str) -> None:
    response = await edge.post(REVIEW, json=body)

    assert response.status_code == 422
    assert response.json()["error"]["details"]["fields"][0]["field"] == field
    assert edge.pricing.requests == []


async def test_a_bad_state_is_named_with_the_good_ones(edge: RunningEdge) -> None:
    response = await edge.get(f"{QUARANTINE}?state=stuck")

    assert response.status_code == 422
    assert response.json()["error"]["details"]["fields"] == [
        {"field": "state", "problem": "must be one of held, released, refused, withdrawn"}
    ]
