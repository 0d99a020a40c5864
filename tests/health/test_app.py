"""The service as a process of its own."""

import signal
from pathlib import Path

import pytest

from steelyard.health.v1 import health_pb2, health_service_pb2_grpc
from steelyard.health.v1 import health_service_pb2 as pb
from steelyard_common.address import Address
from steelyard_common.settings import variable_name
from steelyard_health.app import Settings
from tests.stack import Stack


def test_the_address_is_a_setting_with_a_port_of_its_own() -> None:
    assert variable_name(Settings, "health_address") == "STEELYARD_HEALTH_ADDRESS"
    assert Settings().listen_address == Address("127.0.0.1", 50053)


@pytest.mark.system
async def test_the_process_serves_and_stops_when_told(tmp_path: Path) -> None:
    async with Stack(tmp_path, services=("health",)) as stack:
        health = health_service_pb2_grpc.HealthServiceStub(stack.channel("health"))

        answer = await health.CheckOffers(pb.CheckOffersRequest(offers=["acme/large"]), timeout=5)
        code = await stack.kill("health", signal.SIGTERM)

    assert answer.offers[0].state == health_pb2.HEALTH_STATE_UNKNOWN
    assert code == 0
