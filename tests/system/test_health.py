"""The health service in a running installation: status pages, alerts, replicas, probes."""

import asyncio
import json
import signal
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from steelyard.health.v1 import health_pb2
from steelyard.health.v1 import health_service_pb2 as pb
from steelyard.health.v1.health_service_pb2_grpc import HealthServiceStub
from steelyard_common.webhooks import webhook_key
from steelyard_registry.adapters.provider_table import read_providers
from tests.health.probing.fake_providers import FakeProviders
from tests.stack import Stack
from tests.valkey import Valkey
from tests.webhook_receiver import WebhookReceiver, is_signed

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("system")]

OFFER, PROVIDER = "openai/gpt-4o", "openai"
SECONDS = 20
WAIT_SECONDS = 30
POLL_SECONDS = 0.05
SECRET = "a secret of more than 24 characters"  # noqa: S105 - of this test alone
ALL_PAGES_OFF = {
    f"STEELYARD_STATUS_{name.upper().replace('-', '_')}_URL": ""
    for name, provider in read_providers().items()
    if provider.status_api_url
}


def a_page(status: str) -> bytes:
    """Return a page in the format of Statuspage, as OpenAI has one."""
    is_well = status == "operational"
    incident = {
        "id": "inc_1",
        "name": "Elevated error rates",
        "status": "investigating",
        "impact": "critical",
        "created_at": "2026-11-24T10:00:00Z",
        "started_at": "2026-11-24T10:00:00Z",
        "updated_at": "2026-11-24T10:05:00Z",
        "components": [{"id": "c1", "name": "Chat Completions", "status": status}],
        "incident_updates": [],
    }
    page = {
        "page": {"id": "p", "name": "OpenAI", "url": "https://status.openai.com"},
        "status": {"indicator": "none" if is_well else "critical", "description": "As it is"},
        "components": [{"id": "c1", "name": "Chat Completions", "status": status}],
        "incidents": [] if is_well else [incident],
        "scheduled_maintenances": [],
    }
    return json.dumps(page).encode()


def outcomes(
    count: int, result: "health_pb2.Result.ValueType", *, first: int = 0
) -> pb.ReportOutcomesRequest:
    return pb.ReportOutcomesRequest(
        outcomes=[
            health_pb2.Outcome(outcome_id=f"out_{first + number}", offer=OFFER, result=result)
            for number in range(count)
        ]
    )


def stub_of(stack: Stack) -> HealthServiceStub:
    return HealthServiceStub(stack.channel("health"))


async def eventually(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(WAIT_SECONDS):
        while not await holds():  # noqa: ASYNC110 - other processes work
            await asyncio.sleep(POLL_SECONDS)


async def check(health: HealthServiceStub) -> health_pb2.OfferHealth:
    answer = await health.CheckOffers(pb.CheckOffersRequest(offers=[OFFER]), timeout=SECONDS)
    return answer.offers[0]


async def status_level(health: HealthServiceStub) -> "health_pb2.StatusLevel.ValueType":
    request = pb.GetProviderHealthRequest(provider=PROVIDER)
    answer = await health.GetProviderHealth(request, timeout=SECONDS)
    return answer.provider.status_page.level


async def test_a_red_page_and_a_fault_are_told_and_survive_a_kill(tmp_path: Path) -> None:
    page = tmp_path / "page.json"
    page.write_bytes(a_page("major_outage"))
    async with WebhookReceiver() as receiver:
        environment = {
            **ALL_PAGES_OFF,
            "STEELYARD_STATUS_PAGES": "on",
            "STEELYARD_STATUS_OPENAI_URL": page.as_uri(),
            "STEELYARD_STATUS_POLL_SECONDS": "1",
            "STEELYARD_ALERT_WEBHOOK_URL": receiver.url,
            "STEELYARD_ALERT_WEBHOOK_SECRET": SECRET,
        }
        services = ("registry", "health")
        async with Stack(tmp_path / "data", environment=environment, services=services) as stack:
            health = stub_of(stack)

            await eventually(lambda: _is(health, health_pb2.STATUS_LEVEL_OUTAGE))
            assert (await check(health)).status_factor == 0.5
            assert (await check(health)).circuit == health_pb2.CIRCUIT_STATE_CLOSED
            open_ones = pb.ListIncidentsRequest(provider=PROVIDER, open_only=True)
            listed = await health.ListIncidents(open_ones, timeout=SECONDS)
            assert [each.title for each in listed.incidents] == ["Elevated error rates"]

            failures = outcomes(6, health_pb2.RESULT_SERVER_ERROR)
            await health.ReportOutcomes(failures, timeout=SECONDS)
            assert (await check(health)).circuit == health_pb2.CIRCUIT_STATE_OPEN
            await asyncio.wait_for(receiver.asked(), WAIT_SECONDS)
            assert is_signed(receiver.received[0], webhook_key(SECRET))
            assert json.loads(receiver.received[0].body)["type"] == "health.alert.begun"

            page.write_bytes(a_page("operational"))
            await eventually(lambda: _is(health, health_pb2.STATUS_LEVEL_OPERATIONAL))
            await stack.kill("health", signal.SIGKILL)
            await stack.start("health")

            listed = await health.ListIncidents(pb.ListIncidentsRequest(), timeout=SECONDS)
            assert [each.HasField("end_time") for each in listed.incidents] == [True]
            await eventually(lambda: _has_no_open_alert(health))
            alerts = await health.ListAlerts(pb.ListAlertsRequest(), timeout=SECONDS)
            assert {each.offer for each in alerts.alerts} == {OFFER, ""}
            log = stack.log("health")
    assert SECRET not in log
    assert receiver.url not in log


async def _is(health: HealthServiceStub, level: "health_pb2.StatusLevel.ValueType") -> bool:
    return await status_level(health) == level


async def _has_no_open_alert(health: HealthServiceStub) -> bool:
    answer = await health.ListAlerts(pb.ListAlertsRequest(open_only=True), timeout=SECONDS)
    return not answer.alerts


@pytest.mark.faults
async def test_two_replicas_are_as_one_and_go_on_while_valkey_is_frozen(
    tmp_path: Path, valkey: Valkey
) -> None:
    environment = {"STEELYARD_REDIS_URL": valkey.url}
    async with AsyncExitStack() as resources:
        stacks = [
            await resources.enter_async_context(
                Stack(tmp_path / name, environment=environment, services=("health",))
            )
            for name in ("one", "two")
        ]
        one, two = map(stub_of, stacks)

        await one.ReportOutcomes(outcomes(20, health_pb2.RESULT_SUCCESS), timeout=SECONDS)
        await eventually(lambda: _has(two, 20))
        again = await two.ReportOutcomes(outcomes(20, health_pb2.RESULT_SUCCESS), timeout=SECONDS)
        assert again.duplicate_count == 20

        valkey.freeze()
        for number in range(30):
            more = outcomes(1, health_pb2.RESULT_SUCCESS, first=100 + number)
            await one.ReportOutcomes(more, timeout=SECONDS)
            assert (await check(one)).sample_count == 21 + number
            assert (await check(two)).sample_count == 20
        await eventually(lambda: _says(stacks[0], "redis is away"))
        valkey.thaw()

        await eventually(lambda: _has(two, 50))
        failures = outcomes(5, health_pb2.RESULT_TIMEOUT, first=200)
        await two.ReportOutcomes(failures, timeout=SECONDS)
        await eventually(lambda: _is_open(one))
        assert stacks[0].log("health").count("redis is away") == 1


async def _says(stack: Stack, words: str) -> bool:
    return words in stack.log("health")


async def _has(health: HealthServiceStub, samples: int) -> bool:
    return (await check(health)).sample_count == samples


async def _is_open(health: HealthServiceStub) -> bool:
    """Whether it has opened; perhaps a probe may be sent by now."""
    return (await check(health)).circuit != health_pb2.CIRCUIT_STATE_CLOSED


@pytest.mark.faults
async def test_a_provider_that_few_call_is_probed_with_the_key_in_a_header(tmp_path: Path) -> None:
    key = "sk-canary-0123456789abcdef"
    async with FakeProviders() as providers:
        played = providers.add(PROVIDER)
        environment = {
            "STEELYARD_HEALTH_PROBES": "free",
            "STEELYARD_HEALTH_PROBE_SECONDS": "5",
            f"STEELYARD_PROVIDER_{PROVIDER.upper()}_BASE_URL": f"{providers.origin}/{PROVIDER}",
            "OPENAI_API_KEY": key,
        }
        services = ("registry", "health")
        async with Stack(tmp_path, environment=environment, services=services) as stack:
            health = stub_of(stack)
            await health.ReportOutcomes(outcomes(1, health_pb2.RESULT_SUCCESS), timeout=SECONDS)

            await asyncio.wait_for(providers.came.wait(), WAIT_SECONDS)
            log = stack.log("health")

    assert played.status == 200
    assert providers.received[0].headers["authorization"] == f"Bearer {key}"
    assert key not in providers.received[0].path
    assert key not in log
