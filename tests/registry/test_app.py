"""The registry as its process builds it."""

import asyncio
from pathlib import Path

import grpc
import pytest

from steelyard.health.v1 import health_pb2, health_service_pb2_grpc
from steelyard.health.v1 import health_service_pb2 as health_pb
from steelyard.registry.v1 import registry_service_pb2 as pb
from steelyard.registry.v1.registry_service_pb2_grpc import RegistryServiceStub
from steelyard_common.address import Address
from steelyard_common.server import Server
from steelyard_common.settings import SettingsError, read
from steelyard_common.telemetry import Telemetry
from steelyard_registry.app import Settings
from tests.fakes import FakeClock, FakeFeedServer
from tests.registry.builders import chat, read_update
from tests.registry.conftest import start_registry

SECONDS = 10
SEED = {"gpt-4o": chat("openai"), "gpt-4o-mini": chat("openai")}


class FakeHealthService(health_service_pb2_grpc.HealthServiceServicer):
    """Health that the test sets; it may take its time."""

    def __init__(self) -> None:
        self.providers: list[health_pb2.ProviderHealth] = []
        self.answers = asyncio.Event()
        self.answers.set()

    async def ListProviderHealth(
        self, request: health_pb.ListProviderHealthRequest, context: object
    ) -> health_pb.ListProviderHealthResponse:
        await self.answers.wait()
        return health_pb.ListProviderHealthResponse(providers=self.providers)


def test_wrong_settings_are_named_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEELYARD_REGISTRY_ADDRESS", "nowhere")
    monkeypatch.setenv("STEELYARD_LITELLM_URL", "ftp://example.com")
    monkeypatch.setenv("STEELYARD_PRICE_TTL_SECONDS", "0")

    with pytest.raises(SettingsError) as caught:
        read(Settings)

    named = {problem.partition(":")[0] for problem in caught.value.problems}
    assert named == {
        "STEELYARD_REGISTRY_ADDRESS",
        "STEELYARD_LITELLM_URL",
        "STEELYARD_PRICE_TTL_SECONDS",
    }


@pytest.mark.parametrize(
    ("variable", "value", "problem"),
    [
        ("STEELYARD_PROVIDER_OPENAI_BASE_URL", "localhost:1", "must start with"),
        ("STEELYARD_PROVIDER_ACME_BASE_URL", "https://example.com", "no provider acme"),
        ("STEELYARD_PROVIDER_BEDROCK_BASE_URL", "https://example.com", "no provider bedrock"),
        ("STEELYARD_OLLAMA_BASE_URL", "10.0.0.7", "must start with"),
    ],
)
def test_a_wrong_base_url_is_named(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, problem: str
) -> None:
    monkeypatch.setenv(variable, value)

    with pytest.raises(SettingsError, match=f"{variable}: .*{problem}"):
        read(Settings)


async def test_base_urls_come_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("STEELYARD_PROVIDER_OPENAI_BASE_URL", "http://127.0.0.1:9/v1/")
    monkeypatch.setenv("STEELYARD_OLLAMA_BASE_URL", "http://10.0.0.7:11434/v1")
    monkeypatch.setenv("STEELYARD_PROVIDER_GROQ_BASE_URL", "")
    registry = await start_registry(tmp_path, FakeClock(), SEED)

    async with grpc.aio.insecure_channel(registry.address) as channel:
        answer = await RegistryServiceStub(channel).ListProviders(
            pb.ListProvidersRequest(routable_only=True), timeout=SECONDS
        )
    await registry.stop()

    urls = {each.provider: each.base_url for each in answer.providers}
    assert urls["openai"] == "http://127.0.0.1:9/v1"
    assert urls["ollama"] == "http://10.0.0.7:11434/v1"
    assert urls["groq"] == "https://api.groq.com/openai/v1"


async def test_the_process_refuses_strangers_on_an_open_address(tmp_path: Path) -> None:
    registry = await start_registry(tmp_path, FakeClock(), SEED, auth="on")

    async with grpc.aio.insecure_channel(registry.address) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await RegistryServiceStub(channel).GetModel(
                pb.GetModelRequest(model="gpt-4o"), timeout=SECONDS
            )
    await registry.stop()

    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED


async def test_stopping_ends_the_streams_of_watchers(tmp_path: Path) -> None:
    registry = await start_registry(tmp_path, FakeClock(), SEED)

    async with grpc.aio.insecure_channel(registry.address) as channel:
        call = RegistryServiceStub(channel).WatchCatalog(pb.WatchCatalogRequest(), timeout=SECONDS)
        await read_update(call)
        stopping = asyncio.create_task(registry.service.server.stop(SECONDS))
        end = await call.read()
        code = await call.code()
        await stopping
    await registry.stop()

    assert (end, code) == (grpc.aio.EOF, grpc.StatusCode.OK)


async def test_feeds_that_cannot_be_reached_leave_the_seed(tmp_path: Path) -> None:
    clock = FakeClock()
    async with FakeFeedServer() as feeds:
        gone = feeds.url("/nothing")
        registry = await start_registry(
            tmp_path, clock, SEED, litellm_url=gone, openrouter_url=gone
        )
        async with grpc.aio.insecure_channel(registry.address) as channel:
            stub = RegistryServiceStub(channel)
            sync = stub.SyncModels(pb.SyncModelsRequest(force=True), timeout=SECONDS)
            report = [event async for event in sync][-1].report
            call = stub.WatchCatalog(pb.WatchCatalogRequest(), timeout=SECONDS)
            models, parts = await read_update(call)
            call.cancel()
        await registry.stop()

    assert list(report.errors) == ["litellm answered 404", "openrouter answered 404"]
    assert set(models) == set(SEED)
    assert parts[-1].stale


async def test_health_is_asked_over_grpc_and_for_a_late_answer_stands_the_last_one(
    tmp_path: Path,
) -> None:
    telemetry = Telemetry.start("test")
    server = Server(Address("127.0.0.1", 0), telemetry=telemetry)
    service = FakeHealthService()  # type: ignore[abstract]
    service.providers = [
        health_pb2.ProviderHealth(
            provider="groq", score=0.5, state=health_pb2.HEALTH_STATE_DEGRADED, sample_count=12
        )
    ]
    server.add(health_service_pb2_grpc.add_HealthServiceServicer_to_server, service)
    await server.start()
    address = Address("127.0.0.1", server.port)
    registry = await start_registry(tmp_path, FakeClock(), SEED, health_address=address)
    request = pb.ListProvidersRequest(include_health=True, routable_only=True)

    async with grpc.aio.insecure_channel(registry.address) as channel:
        stub = RegistryServiceStub(channel)
        prompt = await stub.ListProviders(request, timeout=SECONDS, wait_for_ready=True)
        service.answers.clear()
        late = await stub.ListProviders(request, timeout=SECONDS)
    service.answers.set()
    await registry.stop()
    await server.stop(0)
    telemetry.close()

    groq = next(each for each in prompt.providers if each.provider == "groq")
    assert (groq.health.score, groq.health.state) == (0.5, "DEGRADED")
    assert groq.health.sample_count == 12
    assert not groq.health.stale
    kept = next(each for each in late.providers if each.provider == "groq")
    assert (kept.health.score, kept.health.stale) == (0.5, True)
