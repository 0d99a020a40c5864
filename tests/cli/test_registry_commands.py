"""Commands about models and their quality, asking a registry that answers."""

import json
import os
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest
from google.protobuf.duration_pb2 import Duration
from google.type.date_pb2 import Date

from steelyard.common.v1 import model_traits_pb2 as traits
from steelyard.registry.v1 import model_pb2, quality_pb2
from steelyard.registry.v1 import registry_service_pb2 as pb
from steelyard.registry.v1 import registry_service_pb2_grpc as registry_grpc
from steelyard_common.address import Address
from steelyard_common.errors import PricingUnavailableError
from steelyard_common.server import Server
from steelyard_common.telemetry import Telemetry
from tests.cli.running_up import run_command
from tests.edge.fake_registry import FakeRegistry, a_model, a_quality, an_offer


@pytest.fixture
async def server(telemetry: Telemetry) -> AsyncIterator[Server]:
    """Return a server on a free port."""
    server = Server(Address("127.0.0.1", 0), telemetry=telemetry)
    yield server
    await server.stop(0)


@pytest.fixture
async def registry(server: Server) -> FakeRegistry:
    """Return a fake registry that is served."""
    fake = FakeRegistry()  # type: ignore[abstract]
    server.add(registry_grpc.add_RegistryServiceServicer_to_server, fake)
    await server.start()
    await server.set_serving(serving=True)
    return fake


async def asked(server: Server, *arguments: str) -> tuple[int, str, str]:
    """Return exit code, stdout and stderr of a command that asks this server."""
    address = {"STEELYARD_REGISTRY_ADDRESS": f"127.0.0.1:{server.port}", "NO_COLOR": "1"}
    return await run_command(*arguments, environment={**os.environ, **address})


async def out_of(server: Server, *arguments: str) -> str:
    code, out, err = await asked(server, *arguments)
    assert (code, err) == (0, "")
    return out


async def test_models_are_found_by_words_and_conditions(
    registry: FakeRegistry, server: Server
) -> None:
    table = await out_of(
        server, "models", "gpt", "4o", "--provider", "azure", "--capability", "tools",
        "--capability", "vision", "--min-quality", "80", "--min-context", "128000",
        "--max-price", "4.3750001", "--limit", "5",
    )  # fmt: skip

    assert table.splitlines()[0].split()[:3] == ["model", "maker", "quality"]
    assert registry.last_request == pb.SearchModelsRequest(
        query="gpt 4o",
        filter=pb.ModelFilter(
            provider="azure",
            capabilities=[traits.CAPABILITY_TOOLS, traits.CAPABILITY_VISION],
            min_quality=80,
            min_context_window_token_count=128_000,
            max_blended_picodollars=4_375_000,
        ),
        limit=5,
    )


async def test_a_line_per_model_shows_how_good_it_is(
    registry: FakeRegistry, server: Server
) -> None:
    registry.models["gpt-4o"] = a_model(
        "gpt-4o",
        86,
        state=model_pb2.LIFECYCLE_STATE_DEPRECATED,
        quality=a_quality(85.96, stale=True),
        offers=[an_offer(f"seller-{number}", "gpt-4o") for number in range(5)],
    )
    registry.models["new"] = model_pb2.Model(model="new")

    lines = (await out_of(server, "models", "--limit", "3")).splitlines()

    assert lines[1].split() == [
        "gpt-4o", "openai", "86.0", "±2.5", "measured", "128,000",
        "seller-0,", "seller-1,", "seller-2", "and", "2", "more", "stale,", "deprecated",
    ]  # fmt: skip
    assert lines[2].split()[:4] == ["o3", "openai", "92.0", "±2.5"]
    assert lines[3].split() == ["new", "-", "-", "-"]


async def test_the_best_models_come_first_when_asked(
    registry: FakeRegistry, server: Server
) -> None:
    out = await out_of(server, "models", "o3", "--by-quality", "--limit", "1")

    assert "1 of 2; see more with --limit" in out
    assert registry.last_request == pb.ListModelsRequest(
        filter=pb.ModelFilter(words="o3"), order_by="quality desc", page_size=1
    )


async def test_models_as_json_have_the_names_of_the_rest_route(
    registry: FakeRegistry, server: Server
) -> None:
    out = await out_of(server, "models", "o3", "--json")

    document = json.loads(out, parse_float=Decimal)
    assert (document["count"], document["total_count"]) == (1, 1)
    only = document["models"][0]
    assert (only["model"], only["mode"], only["state"]) == ("o3", "chat", "active")
    assert (only["capabilities"], only["context_window"]) == (["tools"], 128_000)
    assert only["providers"] == ["openai", "azure"]
    assert only["quality"]["uncertainty"] == Decimal("2.5")
    assert only["quality"]["edition_date"] == "2025-12-11"
    assert only["offers"][0]["deprecation_reason"] is None
    assert registry.last_request == pb.SearchModelsRequest(
        query="o3", filter=pb.ModelFilter(), limit=20
    )


async def test_a_ceiling_without_prices_is_one_sentence(
    registry: FakeRegistry, server: Server
) -> None:
    registry.error = PricingUnavailableError()

    code, out, err = await asked(server, "models", "--max-price", "1")

    assert (code, out) == (1, "")
    assert err == "steelyard: the pricing service does not answer\n"


@pytest.fixture
def scores(registry: FakeRegistry) -> list[quality_pb2.QualityScore]:
    """Return scores of a model, one of them set aside."""
    registry.models["o3"].quality.tasks.add(task=quality_pb2.TASK_CODING, score=90.5, uncertainty=4)
    registry.scores = [
        quality_pb2.QualityScore(
            model="o3",
            score=92.25,
            uncertainty=1.5,
            basis=quality_pb2.QUALITY_BASIS_MEASURED,
            source="arena",
            edition_date=Date(year=2025, month=12, day=11),
            metric="elo",
            raw_value="1434",
            variant="high",
            share=0.75,
        ),
        quality_pb2.QualityScore(model="o3", score=88, source="curated", stale=True),
    ]
    return registry.scores


@pytest.mark.usefixtures("scores")
async def test_quality_shows_the_blend_and_every_score(server: Server) -> None:
    lines = [line.split() for line in (await out_of(server, "quality", "o3")).splitlines()]

    assert ["quality", "92.0", "±2.5"] in lines
    assert ["sources", "arena,", "llm-stats"] in lines
    assert ["edition", "2025-12-11"] in lines
    assert ["coding", "90.5", "±4.0"] in lines
    assert [
        "general", "92.2", "±1.5", "75%", "arena", "2025-12-11", "elo", "1434", "high",
    ] in lines  # fmt: skip
    assert ["general", "88.0", "±0.0", "-", "curated", "-", "stale"] in lines


@pytest.mark.usefixtures("scores")
async def test_quality_as_json_is_complete(server: Server) -> None:
    document = json.loads(await out_of(server, "quality", "openai/o3", "--json"))

    assert document["model"] == "openai/o3"
    assert document["quality"]["tasks"] == {"coding": {"score": 90.5, "uncertainty": 4.0}}
    assert document["scores"][0]["share"] == 0.75
    assert document["scores"][0]["raw_value"] == "1434"
    assert (document["scores"][1]["task"], document["scores"][1]["basis"]) == ("general", None)


async def test_a_model_without_quality_says_so(registry: FakeRegistry, server: Server) -> None:
    registry.models["new"] = model_pb2.Model(model="new")

    assert "Nothing is known" in await out_of(server, "quality", "new")
    assert json.loads(await out_of(server, "quality", "new", "--json"))["quality"] is None


@pytest.mark.usefixtures("registry")
async def test_an_unknown_model_is_named_with_what_comes_near(server: Server) -> None:
    code, out, err = await asked(server, "quality", "gpt-40")

    assert (code, out) == (1, "")
    assert "gpt-40" in err
    assert "gpt-4o" in err


@pytest.fixture
def report(registry: FakeRegistry) -> pb.SyncReport:
    """Return what every sync ends with."""
    registry.report = pb.SyncReport(
        updated_count=1210,
        not_found_count=1,
        not_found=["mystery"],
        errors=["llm-stats: no answer"],
        duration=Duration(seconds=2),
        outcomes=[
            pb.SourceOutcome(
                source="arena",
                result=pb.SOURCE_RESULT_READ,
                message="[read]",
                entry_count=215,
                edition_date=Date(year=2025, month=12, day=11),
            )
        ],
    )
    return registry.report


@pytest.mark.usefixtures("report")
async def test_a_sync_reads_models_then_quality(registry: FakeRegistry, server: Server) -> None:
    lines = [line.split() for line in (await out_of(server, "sync")).splitlines()]

    assert registry.requests == [
        pb.SyncModelsRequest(),
        pb.SyncQualityRequest(source=pb.QUALITY_SOURCE_AUTO),
    ]
    assert lines.index(["models"]) < lines.index(["quality"])
    assert ["arena", "read", "215", "2025-12-11", "[read]"] in lines
    assert ["updated", "1,210"] in lines
    assert ["error", "1", "llm-stats:", "no", "answer"] in lines


@pytest.mark.usefixtures("report")
async def test_a_sync_as_json_has_the_names_of_the_rest_routes(
    registry: FakeRegistry, server: Server
) -> None:
    both = json.loads(await out_of(server, "sync", "--json"))
    one = json.loads(await out_of(server, "sync", "quality", "--source", "lmsys", "--json"))

    assert both["models"]["updated"] == 1210
    assert both["quality"]["source"] == "auto"
    assert list(one) == ["quality"]
    assert one["quality"]["source"] == "lmsys"
    assert one["quality"]["result"]["sources"][0]["result"] == "read"
    assert one["quality"]["result"]["not_found_names"] == ["mystery"]
    assert registry.last_request == pb.SyncQualityRequest(source=pb.QUALITY_SOURCE_LMSYS)


async def test_a_sync_of_models_alone_may_be_forced(registry: FakeRegistry, server: Server) -> None:
    await out_of(server, "sync", "models", "--force")

    assert registry.requests == [pb.SyncModelsRequest(force=True)]
