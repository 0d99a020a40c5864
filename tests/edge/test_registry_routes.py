"""Syncs, events and the state of the registry over REST."""

from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration
from google.type.date_pb2 import Date

from steelyard.registry.v1 import quality_pb2
from steelyard.registry.v1 import registry_service_pb2 as pb
from steelyard_common.errors import RefreshInProgressError
from tests.edge.conftest import RunningEdge, StartEdge
from tests.edge.fake_registry import OBSERVED

REGISTRY = "/api/llm-registry"


@pytest.mark.parametrize(
    ("source", "number"),
    [
        ("lmsys", pb.QUALITY_SOURCE_LMSYS),
        ("benchmarks", pb.QUALITY_SOURCE_BENCHMARKS),
        ("heuristic", pb.QUALITY_SOURCE_HEURISTIC),
        ("auto", pb.QUALITY_SOURCE_AUTO),
    ],
)
async def test_a_sync_of_quality_ends_with_its_report(
    edge: RunningEdge, source: str, number: pb.QualitySource.ValueType
) -> None:
    edge.registry.report = pb.SyncReport(
        updated_count=210,
        not_found_count=2,
        not_found=["mystery-1", "mystery-2"],
        skipped_count=3,
        duration=Duration(seconds=1, nanos=500_000_000),
        outcomes=[
            pb.SourceOutcome(
                source="arena",
                result=pb.SOURCE_RESULT_READ,
                message="Read.",
                entry_count=215,
                edition_date=Date(year=2025, month=12, day=11),
            ),
            pb.SourceOutcome(source="llm-stats", result=pb.SOURCE_RESULT_FAILED),
        ],
        errors=["llm-stats: no answer"],
        catalog_version=8,
    )

    data = (await edge.post(f"{REGISTRY}/sync-quality?source={source}")).json()["data"]

    assert data["source"] == source
    result = data["result"]
    assert (result["updated"], result["not_found"], result["skipped"]) == (210, 2, 3)
    assert result["not_found_names"] == ["mystery-1", "mystery-2"]
    assert [each["result"] for each in result["sources"]] == ["read", "failed"]
    assert result["sources"][0]["edition_date"] == "2025-12-11"
    assert (result["duration_seconds"], result["catalog_version"]) == (1.5, 8)
    assert edge.registry.last_request == pb.SyncQualityRequest(source=number)


async def test_a_sync_of_quality_reads_everything_by_default(edge: RunningEdge) -> None:
    data = (await edge.post(f"{REGISTRY}/sync-quality?force=true")).json()["data"]

    assert data["source"] == "auto"
    assert edge.registry.last_request == pb.SyncQualityRequest(
        source=pb.QUALITY_SOURCE_AUTO, force=True
    )


@pytest.mark.parametrize("source", ["arena", "LMSYS", "unspecified", ""])
async def test_a_sync_from_another_source_is_422(edge: RunningEdge, source: str) -> None:
    response = await edge.post(f"{REGISTRY}/sync-quality", params={"source": source})

    assert response.status_code == 422
    assert response.json()["error"]["details"]["fields"] == [
        {"field": "source", "problem": "must be one of lmsys, benchmarks, heuristic, auto"}
    ]
    assert edge.registry.requests == []


async def test_a_sync_of_models_ends_with_its_report(edge: RunningEdge) -> None:
    edge.registry.report = pb.SyncReport(added_count=4, deprecated_count=1, restored_count=2)

    data = (await edge.post(f"{REGISTRY}/sync-models?force=true")).json()["data"]

    assert (data["added"], data["deprecated"], data["restored"]) == (4, 1, 2)
    assert edge.registry.last_request == pb.SyncModelsRequest(force=True)


@pytest.mark.parametrize("what", ["sync-models", "sync-quality"])
async def test_a_second_sync_at_the_same_time_is_409(edge: RunningEdge, what: str) -> None:
    edge.registry.error = RefreshInProgressError("arena")

    response = await edge.post(f"{REGISTRY}/{what}")

    assert response.status_code == 409
    assert response.json()["error"]["reason"] == "ERROR_REASON_REFRESH_IN_PROGRESS"


@pytest.mark.parametrize("what", ["sync-models", "sync-quality"])
async def test_a_sync_that_ends_without_a_report_is_not_called_a_success(
    edge: RunningEdge, what: str
) -> None:
    edge.registry.report = None

    response = await edge.post(f"{REGISTRY}/{what}")

    assert response.status_code == 500
    assert response.json()["error"]["reason"] == "ERROR_REASON_INTERNAL"


async def test_names_without_a_model_say_why(edge: RunningEdge) -> None:
    edge.registry.unjoined = [
        pb.UnjoinedName(
            source="arena",
            source_model="gpt-9-preview",
            reason=pb.UNJOINED_REASON_NO_OFFER,
            canonical_name="gpt-9",
            nearest=["gpt-4o"],
        ),
        pb.UnjoinedName(source="llm-stats", source_model="?"),
    ]

    data = (await edge.get(f"{REGISTRY}/unjoined?source=arena")).json()["data"]

    assert data["names"] == [
        {
            "source": "arena",
            "source_model": "gpt-9-preview",
            "reason": "no_offer",
            "canonical_name": "gpt-9",
            "nearest": ["gpt-4o"],
        }
    ]
    assert (data["total_count"], data["next_page_token"]) == (1, None)


async def test_events_show_what_changed(edge: RunningEdge) -> None:
    edge.registry.events = [
        pb.CatalogEvent(
            event_id=2,
            time=OBSERVED,
            catalog_version=8,
            kind=pb.CATALOG_EVENT_KIND_UPDATED,
            model="o3",
            offer="openai/o3",
            changes=[pb.FieldChange(field="max_input_token_count", after="200000")],
        ),
        pb.CatalogEvent(event_id=1, kind=pb.CATALOG_EVENT_KIND_ADDED, model="o3"),
    ]

    data = (await edge.get(f"{REGISTRY}/events?model=o3&kind=updated")).json()["data"]

    assert data["total_count"] == 1
    only = data["events"][0]
    assert (only["kind"], only["offer"], only["actor"]) == ("updated", "openai/o3", None)
    assert only["time"] == "2026-11-01T12:00:00Z"
    assert only["changes"] == [
        {"field": "max_input_token_count", "before": None, "after": "200000"}
    ]


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("events?kind=exploded", "kind"),
        ("events?page_size=0", "page_size"),
        ("events?page_token=mine", "page_token"),
        ("unjoined?page_size=1001", "page_size"),
        ("tier-bands?example_count=11", "example_count"),
    ],
)
async def test_a_bad_question_is_named(edge: RunningEdge, path: str, field: str) -> None:
    response = await edge.get(f"{REGISTRY}/{path}")

    assert response.status_code == 422
    assert response.json()["error"]["details"]["fields"][0]["field"] == field


async def test_the_status_shows_each_source(edge: RunningEdge) -> None:
    edge.registry.status = pb.GetRegistryStatusResponse(
        catalog_version=8,
        model_count=1800,
        offer_count=4500,
        deprecated_offer_count=30,
        basis_counts=[
            pb.BasisCount(basis=quality_pb2.QUALITY_BASIS_MEASURED, model_count=210),
            pb.BasisCount(basis=quality_pb2.QUALITY_BASIS_HEURISTIC, model_count=1500),
        ],
        sources=[
            pb.SourceStatus(source="arena", enabled=True, problem="404", stale=True),
        ],
        published_time=OBSERVED,
    )

    data = (await edge.get(f"{REGISTRY}/status")).json()["data"]

    assert data["models_by_basis"] == {"measured": 210, "heuristic": 1500}
    assert (data["model_count"], data["offer_count"]) == (1800, 4500)
    assert data["published_time"] == "2026-11-01T12:00:00Z"
    assert data["sources"] == [
        {
            "source": "arena",
            "enabled": True,
            "checked_time": None,
            "attempt_time": None,
            "problem": "404",
            "entry_count": 0,
            "edition_date": None,
            "stale": True,
        }
    ]


ROUTES: list[tuple[str, str]] = [
    ("GET", "models"),
    ("GET", "models/by-quality"),
    ("GET", "models/search"),
    ("GET", "models/gpt-4o"),
    ("GET", "models/gpt-4o/quality"),
    ("GET", "frontier"),
    ("GET", "tier-bands"),
    ("GET", "provider-health"),
    ("GET", "providers/list"),
    ("GET", "status"),
    ("GET", "unjoined"),
    ("GET", "events"),
    ("POST", "sync-models"),
    ("POST", "sync-quality"),
]


async def test_without_the_registry_every_route_is_503(start_edge: StartEdge) -> None:
    edge = await start_edge()
    await edge.servers["registry"].stop(0)

    answers = [await edge.ask(method, f"{REGISTRY}/{path}") for method, path in ROUTES]

    reasons: set[Any] = {each.json()["error"]["reason"] for each in answers}
    assert {each.status_code for each in answers} == {503}
    assert reasons == {"ERROR_REASON_REGISTRY_UNAVAILABLE"}
