"""`steelyard status`."""

import asyncio
from datetime import UTC
from typing import Any

import grpc
import httpx
from grpc_health.v1 import health_pb2, health_pb2_grpc

from steelyard.pricing.v1 import pricing_service_pb2 as pb
from steelyard.pricing.v1.pricing_service_pb2_grpc import PricingServiceStub
from steelyard_cli.failure import EXIT_FAILED
from steelyard_cli.output import print_facts, print_json, print_line, print_table
from steelyard_cli.services import DESCRIPTORS
from steelyard_cli.settings import CliSettings, load_settings
from steelyard_common.channels import open_channel

CHECK_SECONDS = 2.0
SERVING = "serving"
AWAY = "does not answer"


def show_status(*, as_json: bool) -> int:
    """Print the state of each service and of the price catalogue; return the exit code."""
    settings = load_settings()
    states, catalog = asyncio.run(_gathered(settings))
    is_well = all(state == SERVING for state in states.values())
    if as_json:
        print_json({"ready": is_well, "services": _services(settings, states), "prices": catalog})
    else:
        _print(settings, states, catalog)
    return 0 if is_well else EXIT_FAILED


async def _gathered(settings: CliSettings) -> tuple[dict[str, str], dict[str, Any] | None]:
    async with asyncio.TaskGroup() as group:
        states = {name: group.create_task(_state(settings, name)) for name in DESCRIPTORS}
        states["edge"] = group.create_task(_edge_state(settings))
        catalog = group.create_task(_catalog(settings))
    return {name: task.result() for name, task in states.items()}, catalog.result()


async def _state(settings: CliSettings, name: str) -> str:
    async with open_channel(settings.address(name), []) as channel:
        # Any: types-grpcio-health-checking describes the synchronous stub only.
        stub: Any = health_pb2_grpc.HealthStub(channel)
        try:
            answer = await stub.Check(health_pb2.HealthCheckRequest(), timeout=CHECK_SECONDS)
        except grpc.aio.AioRpcError:
            return AWAY
    return health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status).lower()


async def _edge_state(settings: CliSettings) -> str:
    url = f"http://{settings.edge_address}/healthz"
    try:
        async with httpx.AsyncClient(timeout=CHECK_SECONDS, trust_env=False) as client:
            answer = await client.get(url)
    except httpx.HTTPError:
        return AWAY
    return SERVING if answer.is_success else f"answers {answer.status_code}"


async def _catalog(settings: CliSettings) -> dict[str, Any] | None:
    address = settings.pricing_address
    async with open_channel(address, [DESCRIPTORS["pricing"]]) as channel:
        try:
            answer = await PricingServiceStub(channel).GetCatalogStatus(
                pb.GetCatalogStatusRequest(), timeout=CHECK_SECONDS
            )
        except grpc.aio.AioRpcError:
            return None
    return {
        "model_count": answer.model_count,
        "priced_count": answer.priced_count,
        "provider_count": answer.provider_count,
        "last_updated": answer.last_updated_time.ToDatetime(tzinfo=UTC)
        if answer.HasField("last_updated_time")
        else None,
        "cache_valid": answer.cache_valid,
        "stale": answer.stale,
        "snapshot_version": answer.snapshot_version,
        "sources": [
            {
                "source": each.source,
                "enabled": each.enabled,
                "model_count": each.model_count,
                "stale": each.stale,
                "last_error": each.last_error.message or None,
            }
            for each in answer.sources
        ],
    }


def _services(settings: CliSettings, states: dict[str, str]) -> dict[str, dict[str, str]]:
    return {
        name: {"address": str(settings.address(name)), "state": state}
        for name, state in states.items()
    }


def _print(settings: CliSettings, states: dict[str, str], catalog: dict[str, Any] | None) -> None:
    rows = [[name, str(settings.address(name)), state] for name, state in states.items()]
    print_table(["service", "address", "state"], rows)
    if catalog is not None:
        print_line()
        updated = catalog["last_updated"]
        print_facts(
            {
                "prices": f"{catalog['priced_count']:,} of {catalog['model_count']:,} offers "
                f"at {catalog['provider_count']} providers",
                "last updated": f"{updated:%Y-%m-%d %H:%M} UTC" if updated else "never",
                "state": "stale" if catalog["stale"] else "fresh",
            }
        )
        sources = [
            [each["source"], "on" if each["enabled"] else "off", f"{each['model_count']:,}",
             each["last_error"] or ""]
            for each in catalog["sources"]
        ]  # fmt: skip
        print_table(["source", "", "offers>", "last error"], sources)
    if any(state == AWAY for state in states.values()):
        print_line("\nStart everything with: steelyard up")
