"""Listing alerts over gRPC."""

from datetime import timedelta

import pytest

from steelyard.health.v1 import health_pb2
from steelyard.health.v1 import health_service_pb2 as pb
from steelyard.health.v1.health_service_pb2_grpc import HealthServiceStub
from steelyard_common.database import Database
from steelyard_common.page_tokens import to_page_token
from steelyard_health.adapters.alert_store import AlertStore
from tests.fakes import START, FakeClock
from tests.health.told.builders import DEGRADED, HEALTHY, OFFER, UNHEALTHY, Story
from tests.health.told.serving import SECONDS, as_tenant, refusal_of

MINUTE = timedelta(minutes=1)


@pytest.fixture
async def story(database: Database, clock: FakeClock) -> Story:
    """Tell of five alerts, two of them at the same time and two of them over."""
    store, story = AlertStore(database, clock), Story()
    for change in (
        story(DEGRADED, evidence="12 % of 50 failed"),
        story(UNHEALTHY, time=START + MINUTE, evidence="5 failures in a row"),
        story(HEALTHY, time=START + 2 * MINUTE),
        story(DEGRADED, time=START + 3 * MINUTE),
        story(DEGRADED, "groq", time=START + 3 * MINUTE),
        story(DEGRADED, "mistral/large", tenant_id="acme", time=START + 4 * MINUTE),
        story(DEGRADED, "mistral/large", tenant_id="rival", time=START + 5 * MINUTE),
        story(HEALTHY, "mistral/large", tenant_id="rival", time=START + 6 * MINUTE),
    ):
        assert await store.apply(change) is not None
    return story


async def listed(
    stub: HealthServiceStub, request: pb.ListAlertsRequest, tenant_id: str = "acme"
) -> pb.ListAlertsResponse:
    response = await stub.ListAlerts(request, timeout=SECONDS, metadata=as_tenant(tenant_id))
    assert isinstance(response, pb.ListAlertsResponse)
    return response


@pytest.mark.usefixtures("story")
async def test_alerts_come_newest_first_with_all_that_is_known(stub: HealthServiceStub) -> None:
    response = await listed(stub, pb.ListAlertsRequest())

    names = [each.offer or each.provider for each in response.alerts]
    assert names[0] == "mistral/large"
    assert sorted(names[1:3]) == ["groq", OFFER]
    assert names[3] == OFFER
    assert response.page_info.total_count == 4
    assert not response.page_info.next_page_token
    first = response.alerts[3]
    assert first.state == health_pb2.HEALTH_STATE_UNHEALTHY
    assert first.evidence == "5 failures in a row"
    assert first.start_time.ToDatetime(tzinfo=START.tzinfo) == START
    assert first.end_time.ToDatetime(tzinfo=START.tzinfo) == START + 2 * MINUTE
    assert not response.alerts[0].HasField("end_time")


@pytest.mark.usefixtures("story")
async def test_a_tenant_sees_its_own_alerts_and_everybodys(stub: HealthServiceStub) -> None:
    seen = {
        tenant_id: await listed(stub, pb.ListAlertsRequest(), tenant_id)
        for tenant_id in ("acme", "rival", "third")
    }

    own = {
        tenant_id: [each.alert_id for each in response.alerts if not each.platform_wide]
        for tenant_id, response in seen.items()
    }
    assert [len(own[tenant_id]) for tenant_id in ("acme", "rival", "third")] == [1, 1, 0]
    assert own["acme"] != own["rival"]
    assert {
        response.page_info.total_count - len(own[tenant_id]) for tenant_id, response in seen.items()
    } == {3}


@pytest.mark.usefixtures("story")
async def test_alerts_of_one_provider_and_open_ones(stub: HealthServiceStub) -> None:
    openai = await listed(stub, pb.ListAlertsRequest(provider="openai"))
    still = await listed(stub, pb.ListAlertsRequest(provider="openai", open_only=True))
    over = await listed(stub, pb.ListAlertsRequest(open_only=True), "rival")

    assert [each.offer for each in openai.alerts] == [OFFER, OFFER]
    assert [each.HasField("end_time") for each in still.alerts] == [False]
    assert still.page_info.total_count == 1
    assert "mistral" not in {each.provider for each in over.alerts}


@pytest.mark.usefixtures("story")
@pytest.mark.parametrize("size", [1, 2, 3])
async def test_pages_string_together_to_the_whole(stub: HealthServiceStub, size: int) -> None:
    whole = await listed(stub, pb.ListAlertsRequest())

    pages: list[list[health_pb2.Alert]] = []
    token = ""
    while not pages or token:
        page = await listed(stub, pb.ListAlertsRequest(page_size=size, page_token=token))
        pages.append(list(page.alerts))
        token = page.page_info.next_page_token

    assert [each for page in pages for each in page] == list(whole.alerts)
    assert max(map(len, pages)) == size


async def test_what_begins_between_two_pages_moves_none_of_the_rest(
    stub: HealthServiceStub, database: Database, clock: FakeClock, story: Story
) -> None:
    first = await listed(stub, pb.ListAlertsRequest(page_size=2))
    await AlertStore(database, clock).apply(story(DEGRADED, "new", time=START + 9 * MINUTE))

    token = first.page_info.next_page_token
    second = await listed(stub, pb.ListAlertsRequest(page_size=2, page_token=token))

    ids = [each.alert_id for each in (*first.alerts, *second.alerts)]
    assert len(set(ids)) == 4


@pytest.mark.usefixtures("story")
@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (pb.ListAlertsRequest(page_size=-1), "page_size"),
        (pb.ListAlertsRequest(provider="no provider"), "provider"),
        (pb.ListAlertsRequest(page_token="rubbish"), "page_token"),  # noqa: S106 - no secret
        (
            pb.ListAlertsRequest(page_token=to_page_token("alerts  False", 10**30, "alr_1")),
            "page_token",
        ),
        (
            pb.ListAlertsRequest(page_token=to_page_token("alerts  False", "1", "alr_1")),
            "page_token",
        ),
        (
            pb.ListAlertsRequest(page_token=to_page_token("alerts openai False", 1, "a")),
            "page_token",
        ),
        (
            pb.ListAlertsRequest(page_token=to_page_token("alerts  False", 1, "alr_\ud800")),
            "page_token",
        ),
        (
            pb.ListAlertsRequest(page_token=to_page_token("alerts  False", 1, "alr_\x00")),
            "page_token",
        ),
    ],
)
async def test_what_makes_no_sense_is_refused_by_name(
    stub: HealthServiceStub, request_: pb.ListAlertsRequest, field: str
) -> None:
    problem = await refusal_of(stub.ListAlerts(request_, timeout=SECONDS))

    assert problem.startswith(f"INVALID_ARGUMENT: {field}")
