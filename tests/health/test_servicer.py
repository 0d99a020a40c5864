"""The service as its clients meet it: a real server, real stubs, a clock that the test moves."""

from collections.abc import AsyncIterator, Awaitable, Mapping
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any, TypeAlias

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import ErrorInfo

from steelyard.common.v1 import access_pb2
from steelyard.common.v1 import error_reason_pb2 as reasons
from steelyard.health.v1 import health_pb2, health_service_pb2_grpc
from steelyard.health.v1 import health_service_pb2 as pb
from steelyard_common.call_failure import CallFailure
from steelyard_common.errors import UnauthenticatedError
from steelyard_common.grpc_status import error_info, failure
from steelyard_common.tenant import Authenticator, TenantContext
from tests.conftest import Serve
from tests.fakes import FakeClock
from tests.health.service import HealthService, a_health_service

Stub: TypeAlias = health_service_pb2_grpc.HealthServiceStub

OFFER = "acme/large"
PROVIDER = "acme"
PRECISION = 1 / 32


class NamedTenants:
    """Takes the tenant from a header and lets it read and report."""

    async def authenticate(self, metadata: Mapping[str, str]) -> TenantContext:
        if "x-tenant" not in metadata:
            raise UnauthenticatedError
        scopes = {access_pb2.SCOPE_READ}
        if metadata.get("x-may-report", "yes") == "yes":
            scopes.add(access_pb2.SCOPE_INFERENCE)
        return TenantContext(metadata["x-tenant"], "main", frozenset(scopes))


@pytest.fixture
async def service(tmp_path: Path, clock: FakeClock) -> AsyncIterator[HealthService]:
    async with a_health_service(tmp_path, clock) as service:
        yield service


async def a_stub(
    serve: Serve, service: HealthService, authenticator: Authenticator | None = None
) -> Stub:
    channel = await serve(
        health_service_pb2_grpc.add_HealthServiceServicer_to_server,
        service.servicer,
        authenticator=authenticator,
    )
    return Stub(channel)


@pytest.fixture
async def health(serve: Serve, service: HealthService) -> Stub:
    return await a_stub(serve, service)


def an_outcome(number: int, **fields: Any) -> health_pb2.Outcome:
    """Return a success of 2 seconds, half a second of it to the first token."""
    given = {
        "outcome_id": f"out_{number}",
        "offer": OFFER,
        "result": health_pb2.RESULT_SUCCESS,
        "latency": Duration(seconds=2),
        "time_to_first_token": Duration(nanos=500_000_000),
        "output_token_count": 151,
        **fields,
    }
    return health_pb2.Outcome(**given)


def a_report(count: int, **fields: Any) -> pb.ReportOutcomesRequest:
    return pb.ReportOutcomesRequest(
        outcomes=[an_outcome(number, **fields) for number in range(count)]
    )


async def check(health: Stub, offer: str = OFFER, **call: Any) -> health_pb2.OfferHealth:
    answer = await health.CheckOffers(pb.CheckOffersRequest(offers=[offer]), timeout=5, **call)
    return answer.offers[0]


async def provider_health(health: Stub, provider: str = PROVIDER) -> health_pb2.ProviderHealth:
    answer = await health.GetProviderHealth(
        pb.GetProviderHealthRequest(provider=provider), timeout=5
    )
    return answer.provider


async def failed(call: Awaitable[object]) -> tuple[CallFailure, ErrorInfo | None]:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await call
    return failure(raised.value), error_info(raised.value)


async def test_an_offer_that_nobody_has_reported_on_is_unknown_with_score_one(
    health: Stub,
) -> None:
    answer = await health.CheckOffers(pb.CheckOffersRequest(offers=[OFFER]), timeout=5)

    assert answer == pb.CheckOffersResponse(
        offers=[
            health_pb2.OfferHealth(
                offer=OFFER,
                score=1.0,
                state=health_pb2.HEALTH_STATE_UNKNOWN,
                circuit=health_pb2.CIRCUIT_STATE_CLOSED,
                success_rate=1.0,
                traffic_share=1.0,
                status_factor=1.0,
            )
        ]
    )


async def test_reported_outcomes_are_in_the_next_check(health: Stub) -> None:
    report = await health.ReportOutcomes(a_report(10), timeout=5)

    found = await check(health)

    assert report == pb.ReportOutcomesResponse(accepted_count=10)
    assert found.state == health_pb2.HEALTH_STATE_HEALTHY
    assert (found.score, found.sample_count, found.confidence) == (0.88, 10, 0.5)
    assert found.success_rate == 1.0
    assert found.latency_p50.ToTimedelta().total_seconds() == pytest.approx(2, rel=PRECISION)
    assert found.latency_p95.ToTimedelta().total_seconds() == pytest.approx(2, rel=PRECISION)
    assert found.time_to_first_token_p50.ToTimedelta().total_seconds() == pytest.approx(
        0.5, rel=PRECISION
    )
    assert found.output_tokens_per_second_p50 == pytest.approx(100, rel=PRECISION)
    assert not found.from_provider


async def test_an_absence_is_the_state_until_its_end(health: Stub, clock: FakeClock) -> None:
    await health.ReportOutcomes(
        a_report(1, result=health_pb2.RESULT_RATE_LIMITED, retry_after=Duration(seconds=5)),
        timeout=5,
    )
    end = clock.now() + timedelta(hours=1)
    absence = health_pb2.Maintenance(provider=PROVIDER)
    absence.end_time.FromDatetime(end)
    await health.SetMaintenance(pb.SetMaintenanceRequest(maintenance=absence), timeout=5)

    offer, provider = await check(health), await provider_health(health)

    assert offer.state == provider.state == health_pb2.HEALTH_STATE_MAINTENANCE
    assert offer.retry_time.ToDatetime(UTC) == provider.retry_time.ToDatetime(UTC) == end
    await clock.advance(3600)
    assert (await check(health)).state == health_pb2.HEALTH_STATE_UNKNOWN


async def test_what_is_not_known_is_left_unset(health: Stub) -> None:
    await health.ReportOutcomes(a_report(20), timeout=5)

    offer, provider = await check(health), await provider_health(health)

    assert offer.circuit == provider.circuit == health_pb2.CIRCUIT_STATE_CLOSED
    assert offer.probe_permit == ""
    assert not offer.HasField("rate_limit_headroom")
    assert not offer.HasField("retry_time")
    assert not provider.HasField("status_page")
    assert provider.status_factor == 1.0


async def test_offers_come_back_in_the_order_asked_repetitions_too(health: Stub) -> None:
    await health.ReportOutcomes(a_report(5), timeout=5)
    asked = ["b/x", OFFER, "a/y", OFFER, "acme/unseen"]

    answer = await health.CheckOffers(pb.CheckOffersRequest(offers=asked), timeout=5)

    assert [each.offer for each in answer.offers] == asked
    assert [each.sample_count for each in answer.offers] == [0, 5, 0, 5, 5]
    assert [each.from_provider for each in answer.offers] == [False, False, False, False, True]


async def test_the_version_counts_outcomes(health: Stub) -> None:
    await health.ReportOutcomes(a_report(7), timeout=5)
    await health.ReportOutcomes(a_report(9), timeout=5)

    answer = await health.CheckOffers(pb.CheckOffersRequest(offers=[OFFER]), timeout=5)

    assert answer.health_version == 9


async def test_figures_decay_without_traffic(health: Stub, clock: FakeClock) -> None:
    failures = a_report(20, result=health_pb2.RESULT_SERVER_ERROR)
    await health.ReportOutcomes(failures, timeout=5)
    assert (await check(health)).state == health_pb2.HEALTH_STATE_UNHEALTHY

    await clock.advance(300)

    found = await check(health)
    assert (found.state, found.score) == (health_pb2.HEALTH_STATE_UNKNOWN, 1.0)


async def test_a_429_has_a_time_to_come_back(health: Stub, clock: FakeClock) -> None:
    limited = a_report(1, result=health_pb2.RESULT_RATE_LIMITED, retry_after=Duration(seconds=45))
    await health.ReportOutcomes(limited, timeout=5)

    found, provider = await check(health), await provider_health(health)

    assert found.state == provider.state == health_pb2.HEALTH_STATE_RATE_LIMITED
    in_45_seconds = (clock.now() + timedelta(seconds=45)).replace(tzinfo=None)
    assert found.retry_time.ToDatetime() == in_45_seconds
    assert provider.retry_time.ToDatetime() == in_45_seconds
    await clock.advance(45)
    assert (await check(health)).state == health_pb2.HEALTH_STATE_UNKNOWN


async def test_a_batch_reported_twice_counts_once(health: Stub) -> None:
    batch = a_report(250)
    first = await health.ReportOutcomes(batch, timeout=5)

    again = await health.ReportOutcomes(batch, timeout=5)

    assert (first.accepted_count, first.duplicate_count) == (250, 0)
    assert (again.accepted_count, again.duplicate_count) == (0, 250)
    assert (await check(health)).sample_count == 250


async def test_an_id_repeated_within_a_batch_counts_once(health: Stub) -> None:
    batch = pb.ReportOutcomesRequest(outcomes=[an_outcome(1), an_outcome(1), an_outcome(2)])

    answer = await health.ReportOutcomes(batch, timeout=5)

    assert (answer.accepted_count, answer.duplicate_count) == (2, 1)


async def test_the_same_id_is_still_known_at_the_end_of_the_window(
    health: Stub, clock: FakeClock
) -> None:
    await health.ReportOutcomes(a_report(1), timeout=5)

    await clock.advance(299)
    again = await health.ReportOutcomes(a_report(1), timeout=5)

    assert again.duplicate_count == 1


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"outcome_id": ""}, "outcome_id: must have 1 to 64 characters"),
        ({"offer": "no-provider"}, "offer: must look like provider/model"),
        ({"result": health_pb2.RESULT_UNSPECIFIED}, "result: must be one of the known results"),
        ({"result": 99}, "result: must be one of the known results"),
        ({"key_scope": 99}, "key_scope: must be one of the known scopes"),
        ({"latency": Duration(seconds=-1)}, "latency: must be 0 to 3600 seconds"),
        ({"latency": Duration(seconds=86_400)}, "latency: must be 0 to 3600 seconds"),
        (
            {"time_to_first_token": Duration(seconds=3)},
            "time_to_first_token: must not exceed latency",
        ),
        ({"output_token_count": -1}, "output_token_count: must be 0 to 50000000"),
        ({"output_token_count": 10**12}, "output_token_count: must be 0 to 50000000"),
    ],
)
async def test_an_outcome_that_makes_no_sense_is_refused_by_itself(
    health: Stub, fields: dict[str, Any], problem: str
) -> None:
    outcomes = [an_outcome(number) for number in range(150)]
    outcomes[120] = an_outcome(120, **fields)

    answer = await health.ReportOutcomes(pb.ReportOutcomesRequest(outcomes=outcomes), timeout=5)

    assert answer == pb.ReportOutcomesResponse(
        accepted_count=149, refused=[pb.RefusedOutcome(index=120, problem=problem)]
    )
    assert (await check(health)).sample_count == 149


async def test_a_refused_outcome_may_be_reported_again_once_it_is_right(health: Stub) -> None:
    await health.ReportOutcomes(a_report(1, latency=Duration(seconds=-1)), timeout=5)

    answer = await health.ReportOutcomes(a_report(1), timeout=5)

    assert answer.accepted_count == 1


async def test_an_outcome_counts_from_its_end_on(health: Stub, clock: FakeClock) -> None:
    batch = a_report(10)
    for outcome in batch.outcomes:
        outcome.end_time.FromDatetime(clock.now() - timedelta(seconds=200))
    await health.ReportOutcomes(batch, timeout=5)
    assert (await check(health)).sample_count == 10

    await clock.advance(101)

    assert (await check(health)).sample_count == 0


async def test_an_outcome_from_before_the_window_is_refused(health: Stub, clock: FakeClock) -> None:
    batch = a_report(2)
    batch.outcomes[1].end_time.FromDatetime(clock.now() - timedelta(seconds=301))

    answer = await health.ReportOutcomes(batch, timeout=5)

    assert answer.accepted_count == 1
    assert answer.refused == [
        pb.RefusedOutcome(index=1, problem="end_time: lies more than 300 seconds back")
    ]


@pytest.mark.parametrize("ahead", [timedelta(seconds=1), timedelta(days=4000)])
async def test_an_outcome_from_the_future_counts_as_of_now(
    health: Stub, clock: FakeClock, ahead: timedelta
) -> None:
    batch = a_report(5)
    for outcome in batch.outcomes:
        outcome.end_time.FromDatetime(clock.now() + ahead)

    await health.ReportOutcomes(batch, timeout=5)

    assert (await check(health)).sample_count == 5
    await clock.advance(300)
    assert (await check(health)).sample_count == 0


async def test_what_a_tenants_own_key_and_endpoint_meet_moves_nobody_elses_health(
    serve: Serve, service: HealthService
) -> None:
    health = await a_stub(serve, service, NamedTenants())
    honest, mallory = (("x-tenant", "honest"),), (("x-tenant", "mallory"),)
    await health.ReportOutcomes(a_report(20), timeout=5, metadata=honest)
    before = await check(health, metadata=honest)

    for number, scope in enumerate(
        (health_pb2.KEY_SCOPE_TENANT, health_pb2.KEY_SCOPE_CUSTOM_ENDPOINT)
    ):
        poison = pb.ReportOutcomesRequest(
            outcomes=[
                an_outcome(1000 * number + each, result=result, key_scope=scope)
                for each, result in enumerate([health_pb2.RESULT_SERVER_ERROR] * 999)
            ]
        )
        answer = await health.ReportOutcomes(poison, timeout=5, metadata=mallory)
        assert answer.accepted_count == 999

    assert await check(health, metadata=honest) == before
    own = await check(health, metadata=mallory)
    assert (own.state, own.sample_count) == (health_pb2.HEALTH_STATE_UNHEALTHY, 1998)
    listed = await health.ListProviderHealth(
        pb.ListProviderHealthRequest(), timeout=5, metadata=honest
    )
    assert [(each.provider, each.error_rate) for each in listed.providers] == [(PROVIDER, 0.0)]


async def test_the_health_of_a_provider_adds_up_its_offers(health: Stub, clock: FakeClock) -> None:
    good = [an_outcome(number, offer="acme/good") for number in range(15)]
    bad = [
        an_outcome(100 + number, offer="acme/bad", result=health_pb2.RESULT_TIMEOUT)
        for number in range(5)
    ]
    await health.ReportOutcomes(pb.ReportOutcomesRequest(outcomes=good + bad), timeout=5)

    answer = await health.GetProviderHealth(
        pb.GetProviderHealthRequest(provider=PROVIDER), timeout=5
    )

    found = answer.provider
    assert [each.offer for each in answer.offers] == ["acme/bad", "acme/good"]
    assert [each.success_rate for each in answer.offers] == [0.0, 1.0]
    assert (found.provider, found.state) == (PROVIDER, health_pb2.HEALTH_STATE_UNHEALTHY)
    assert (found.success_rate, found.error_rate) == (0.75, 0.25)
    assert (found.consecutive_failure_count, found.consecutive_success_count) == (5, 0)
    assert found.score == found.window_score == 0.705
    assert (found.sample_count, found.confidence) == (20, 0.667)
    assert found.latency_mean == Duration(seconds=2)
    assert found.latency_p99.ToTimedelta().total_seconds() == pytest.approx(2, rel=PRECISION)
    assert found.window == Duration(seconds=300)
    assert found.last_outcome_time.ToDatetime() == clock.now().replace(tzinfo=None)
    assert found.state_change_time.ToDatetime() == clock.now().replace(tzinfo=None)


async def test_an_unknown_provider_is_unknown_and_not_an_error(health: Stub) -> None:
    answer = await health.GetProviderHealth(
        pb.GetProviderHealthRequest(provider="nobody"), timeout=5
    )

    assert answer.provider == health_pb2.ProviderHealth(
        provider="nobody",
        score=1.0,
        window_score=1.0,
        status_factor=1.0,
        state=health_pb2.HEALTH_STATE_UNKNOWN,
        circuit=health_pb2.CIRCUIT_STATE_CLOSED,
        success_rate=1.0,
        window=Duration(seconds=300),
        traffic_share=1.0,
    )
    assert not answer.offers


async def test_providers_are_listed_by_id_or_as_asked(health: Stub) -> None:
    batch = [an_outcome(number, offer=f"{name}/m") for number, name in enumerate("cab")]
    await health.ReportOutcomes(pb.ReportOutcomesRequest(outcomes=batch), timeout=5)

    everybody = await health.ListProviderHealth(pb.ListProviderHealthRequest(), timeout=5)
    asked = await health.ListProviderHealth(
        pb.ListProviderHealthRequest(providers=["b", "nobody"]), timeout=5
    )

    assert [each.provider for each in everybody.providers] == ["a", "b", "c"]
    assert [each.provider for each in asked.providers] == ["b", "nobody"]
    assert [each.sample_count for each in asked.providers] == [1, 0]


@pytest.mark.parametrize(
    ("method", "request_", "field"),
    [
        ("CheckOffers", pb.CheckOffersRequest(), "offers"),
        ("CheckOffers", pb.CheckOffersRequest(offers=["a/b"] * 101), "offers"),
        ("CheckOffers", pb.CheckOffersRequest(offers=["a/b", "gpt-4o"]), "offers[1]"),
        ("CheckOffers", pb.CheckOffersRequest(offers=["a/" + "x" * 300]), "offers[0]"),
        ("ReportOutcomes", pb.ReportOutcomesRequest(), "outcomes"),
        ("ReportOutcomes", a_report(1001), "outcomes"),
        ("GetProviderHealth", pb.GetProviderHealthRequest(), "provider"),
        ("GetProviderHealth", pb.GetProviderHealthRequest(provider="a/b"), "provider"),
        (
            "ListProviderHealth",
            pb.ListProviderHealthRequest(providers=["a"] * 201),
            "providers",
        ),
        (
            "ListProviderHealth",
            pb.ListProviderHealthRequest(providers=["a", "b c"]),
            "providers[1]",
        ),
    ],
)
async def test_a_request_out_of_range_names_its_field(
    health: Stub, method: str, request_: object, field: str
) -> None:
    shown, info = await failed(getattr(health, method)(request_, timeout=5))

    assert shown.code is grpc.StatusCode.INVALID_ARGUMENT
    assert info is not None
    assert (info.reason, info.domain) == ("ERROR_REASON_INVALID_FIELD", "steelyard.dev")
    assert info.metadata["field"] == field
    assert [violation.field for violation in shown.violations] == [field]


async def test_an_id_that_was_refused_is_refused_again(health: Stub) -> None:
    for _ in range(2):
        shown, _ = await failed(
            health.CheckOffers(pb.CheckOffersRequest(offers=["no-provider"]), timeout=5)
        )
        assert shown.reason == reasons.ERROR_REASON_INVALID_FIELD


async def test_too_many_offers_are_refused_though_each_is_known(health: Stub) -> None:
    await check(health)

    shown, _ = await failed(
        health.CheckOffers(pb.CheckOffersRequest(offers=[OFFER] * 101), timeout=5)
    )

    assert shown.reason == reasons.ERROR_REASON_INVALID_FIELD


async def test_reporting_needs_a_key_that_may_call_models(
    serve: Serve, service: HealthService
) -> None:
    health = await a_stub(serve, service, NamedTenants())
    reader = (("x-tenant", "reader"), ("x-may-report", "no"))

    nobody, _ = await failed(health.ReportOutcomes(a_report(1), timeout=5))
    shown, info = await failed(health.ReportOutcomes(a_report(1), timeout=5, metadata=reader))

    assert nobody.code is grpc.StatusCode.UNAUTHENTICATED
    assert shown.code is grpc.StatusCode.PERMISSION_DENIED
    assert info is not None
    assert info.reason == "ERROR_REASON_SCOPE_MISSING"
    assert (await check(health, metadata=reader)).sample_count == 0
