"""ListIncidents through a real server."""

import base64
import json
from collections.abc import Mapping
from datetime import timedelta

import grpc
import pytest

from steelyard.health.v1 import health_pb2, health_service_pb2_grpc
from steelyard.health.v1 import health_service_pb2 as pb
from steelyard_common.grpc_status import failure
from steelyard_health.adapters.incident_store import IncidentStore
from steelyard_health.domain.status.level import StatusLevel
from steelyard_health.domain.status.page import PageStatus
from steelyard_health.messages.incidents import to_status_page
from steelyard_health.rpcs.incidents import IncidentCalls, Incidents
from tests.conftest import Serve
from tests.fakes import START
from tests.health.status.test_incident_store import PAGE, incident, reading


class Servicer(IncidentCalls, health_service_pb2_grpc.HealthServiceServicer):
    """Only what these tests ask."""

    def __init__(self, incidents: Incidents) -> None:
        self._incidents = incidents


@pytest.fixture
async def stub(serve: Serve, store: IncidentStore) -> health_service_pb2_grpc.HealthServiceStub:
    servicer = Servicer(store)  # type: ignore[abstract]
    channel = await serve(health_service_pb2_grpc.add_HealthServiceServicer_to_server, servicer)
    return health_service_pb2_grpc.HealthServiceStub(channel)


async def fill(store: IncidentStore) -> None:
    """Keep five incidents, two of them from the same moment."""
    hour = timedelta(hours=1)
    acme = reading(
        incident("a1", start_time=START),
        incident("a2", start_time=START + hour, end_time=START + 2 * hour),
        incident("a3", start_time=START + 2 * hour),
    )
    other = reading(
        incident("b1", start_time=START + hour),
        incident("b2", start_time=START - hour, touches_api=False),
    )
    await store.save_reading("acme", PAGE, acme, START)
    await store.save_reading("other", PAGE, other, START)


async def test_incidents_are_told_in_full(
    stub: health_service_pb2_grpc.HealthServiceStub, store: IncidentStore
) -> None:
    await store.save_reading("acme", PAGE, reading(incident()), START)

    (told,) = (await stub.ListIncidents(pb.ListIncidentsRequest())).incidents

    expected = health_pb2.Incident(
        incident_id="i1",
        provider="acme",
        title="i1",
        level=health_pb2.STATUS_LEVEL_DEGRADED,
        components=["API", "Embeddings"],
        touches_api=True,
        url="https://status.test/i1",
        description="Errors: \N{SNOWMAN}",
    )
    expected.start_time.FromDatetime(START)
    expected.update_time.FromDatetime(START + timedelta(microseconds=1))
    assert told == expected


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 0])
async def test_pages_are_the_whole_list_the_newest_first(
    stub: health_service_pb2_grpc.HealthServiceStub, store: IncidentStore, size: int
) -> None:
    await fill(store)
    names: list[str] = []
    request = pb.ListIncidentsRequest(page_size=size)
    while True:
        answer = await stub.ListIncidents(request)
        assert answer.page_info.total_count == 5
        names += [each.incident_id for each in answer.incidents]
        request.page_token = answer.page_info.next_page_token
        if not request.page_token:
            break

    assert names == ["a3", "b1", "a2", "a1", "b2"]


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({"provider": "other"}, ["b1", "b2"]),
        ({"open_only": True}, ["a3", "b1", "a1", "b2"]),
        ({"provider": "acme", "open_only": True}, ["a3", "a1"]),
        ({"provider": "nobody"}, []),
    ],
)
async def test_filters_leave_out_the_rest(
    stub: health_service_pb2_grpc.HealthServiceStub,
    store: IncidentStore,
    filters: Mapping[str, object],
    names: list[str],
) -> None:
    await fill(store)

    answer = await stub.ListIncidents(pb.ListIncidentsRequest(**filters))  # type: ignore[arg-type]

    assert [each.incident_id for each in answer.incidents] == names
    assert answer.page_info.total_count == len(names)


def token(*parts: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(["incidents  False", *parts]).encode()).decode()


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (pb.ListIncidentsRequest(provider="not a provider"), "provider"),
        (pb.ListIncidentsRequest(page_size=-1), "page_size"),
        (pb.ListIncidentsRequest(page_token=token()[:-1]), "page_token"),
        (pb.ListIncidentsRequest(page_token=token()), "page_token"),
        (pb.ListIncidentsRequest(page_token=token("x", "acme", "i1")), "page_token"),
        (pb.ListIncidentsRequest(page_token=token(10**400, "acme", "i1")), "page_token"),
        (pb.ListIncidentsRequest(page_token=token(1, "acme", "\ud800")), "page_token"),
        (pb.ListIncidentsRequest(page_token=token(1, "acme", "\0")), "page_token"),
        (pb.ListIncidentsRequest(provider="acme", page_token=token(1, "acme", "i1")), "page_token"),
    ],
)
async def test_nonsense_is_refused(
    stub: health_service_pb2_grpc.HealthServiceStub,
    request_: pb.ListIncidentsRequest,
    field: str,
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.ListIncidents(request_)

    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert [each.field for each in failure(caught.value).violations] == [field]


def test_a_page_is_told_with_what_went_wrong() -> None:
    page = PageStatus(
        level=StatusLevel.OUTAGE,
        description="Down",
        page_url=PAGE,
        read_time=START,
        problem="answered 403",
        open_incident_count=2,
    )

    told = to_status_page(page, START + timedelta(minutes=15))

    expected = health_pb2.StatusPage(
        url=PAGE,
        level=health_pb2.STATUS_LEVEL_OUTAGE,
        description="Down",
        open_incident_count=2,
        problem="answered 403",
    )
    expected.read_time.FromDatetime(START)
    assert told == expected
    late = to_status_page(page, START + timedelta(minutes=16))
    assert late.level == health_pb2.STATUS_LEVEL_UNKNOWN
    assert not to_status_page(PageStatus(), START).HasField("read_time")
