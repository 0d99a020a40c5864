"""Names of leaderboards that are joined to no model."""

import grpc
import pytest

from steelyard.registry.v1 import registry_service_pb2 as pb
from steelyard.registry.v1.registry_service_pb2_grpc import RegistryServiceStub
from steelyard_common.grpc_status import failure
from steelyard_registry.domain.grading import UnjoinedName
from steelyard_registry.rpcs.queries import NoPrices
from tests.conftest import Serve
from tests.registry.builders import catalogue_of, chat
from tests.registry.priced import serve_queries

SECONDS = 10
NAMES = (
    UnjoinedName("arena", "gpt-4x", pb.UNJOINED_REASON_UNKNOWN_NAME, ""),
    UnjoinedName("arena", "Acme Ultra", pb.UNJOINED_REASON_NO_OFFER, "gpt-4o-ultra"),
    UnjoinedName("arena-vision", "anonymous-7", pb.UNJOINED_REASON_NOT_SOLD, ""),
    UnjoinedName("livebench", "zeta", pb.UNJOINED_REASON_AMBIGUOUS, ""),
    UnjoinedName("arena", "gpt-4x", pb.UNJOINED_REASON_UNKNOWN_NAME, ""),
)
IN_ORDER = [
    *(("arena", "Acme Ultra"), ("arena", "gpt-4x")),
    *(("arena-vision", "anonymous-7"), ("livebench", "zeta")),
]


@pytest.fixture
async def stub(serve: Serve) -> RegistryServiceStub:
    catalogue = catalogue_of({"gpt-4o": chat("openai"), "o1": chat("openai")})
    catalogue.unjoined = NAMES
    return await serve_queries(serve, catalogue, NoPrices())


async def listed(stub: RegistryServiceStub, **request: object) -> pb.ListUnjoinedNamesResponse:
    return await stub.ListUnjoinedNames(
        pb.ListUnjoinedNamesRequest(**request),  # type: ignore[arg-type]
        timeout=SECONDS,
    )


async def test_each_name_is_told_once_with_its_reason_and_what_is_near(
    stub: RegistryServiceStub,
) -> None:
    answer = await listed(stub)

    assert [(each.source, each.source_model) for each in answer.names] == IN_ORDER
    understood, unknown, *_ = answer.names
    assert understood.canonical_name == "gpt-4o-ultra"
    assert understood.reason == pb.UNJOINED_REASON_NO_OFFER
    assert list(understood.nearest) == ["gpt-4o"]
    assert list(unknown.nearest) == ["gpt-4o"]
    assert answer.page_info.total_count == 4
    assert not answer.page_info.next_page_token


async def test_one_source_on_request(stub: RegistryServiceStub) -> None:
    answer = await listed(stub, source="arena")

    assert [each.source_model for each in answer.names] == ["Acme Ultra", "gpt-4x"]
    assert answer.page_info.total_count == 2
    assert not (await listed(stub, source="nobody")).names


async def test_pages_lead_through_all_names_once(stub: RegistryServiceStub) -> None:
    seen, token = [], ""
    while True:
        page = await listed(stub, page_size=1, page_token=token)
        seen += [(each.source, each.source_model) for each in page.names]
        token = page.page_info.next_page_token
        if not token:
            break

    assert seen == IN_ORDER


async def test_a_token_is_good_for_its_own_list_only(stub: RegistryServiceStub) -> None:
    token = (await listed(stub, page_size=1)).page_info.next_page_token

    for request in ({"source": "arena", "page_token": token}, {"page_token": "nonsense"}):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await listed(stub, **request)
        assert failure(caught.value).violations[0].field == "page_token"


async def test_a_negative_page_size_is_refused(stub: RegistryServiceStub) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await listed(stub, page_size=-1)

    assert failure(caught.value).violations[0].field == "page_size"
