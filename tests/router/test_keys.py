"""Whose keys there are, through the front door."""

from pathlib import Path
from typing import Any

from pydantic import SecretStr

from steelyard.router.v1 import key_service_pb2 as pb
from steelyard.router.v1 import key_service_pb2_grpc
from steelyard_router.settings import Settings
from tests.router.world import World

CANARY = "sk-canary-0123456789"


async def test_who_can_be_called_is_listed_with_whose_key_it_would_be(tmp_path: Path) -> None:
    settings: dict[str, Any] = {
        "ollama_base_url": "http://127.0.0.1:11434",
        "OPENAI_API_KEY": SecretStr(CANARY),
        "MISTRAL_API_KEY": SecretStr(" "),
        "GEMINI_API_KEY": SecretStr(CANARY),
    }
    async with World(tmp_path, **settings) as world:
        stub = key_service_pb2_grpc.KeyServiceStub(world.channel)

        answer = await stub.ListProviderAccess(pb.ListProviderAccessRequest(), timeout=5)

    assert [(each.provider, each.key_source) for each in answer.providers] == [
        ("google", pb.KEY_SOURCE_PLATFORM),
        ("ollama", pb.KEY_SOURCE_NONE_NEEDED),
        ("openai", pb.KEY_SOURCE_PLATFORM),
    ]
    assert CANARY not in str(answer)


async def test_without_any_key_nobody_is_listed(world: World) -> None:
    assert not any(Settings().platform_keys.values())
    stub = key_service_pb2_grpc.KeyServiceStub(world.channel)

    answer = await stub.ListProviderAccess(pb.ListProviderAccessRequest(), timeout=5)

    assert not answer.providers
