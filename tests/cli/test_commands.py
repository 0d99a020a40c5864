"""The command line where no service runs."""

import os

import pytest

from tests.cli.running_up import run_command
from tests.stack import free_ports

COMMANDS = [
    ["route", "hello"],
    ["estimate", "gpt-4o", "--input", "1"],
    ["prices"],
    ["prices", "gpt-4o"],
    ["compare"],
    ["compare", "gpt-4o"],
    ["changes"],
    ["refresh"],
    ["models"],
    ["models", "gpt", "mini", "--by-quality"],
    ["quality", "gpt-4o"],
    ["health"],
    ["health", "openai"],
    ["health", "--incidents"],
    ["health", "--alerts"],
    ["health", "--watch"],
    ["sync"],
    ["sync", "quality"],
]


@pytest.fixture
def environment() -> dict[str, str]:
    """Return an environment in which every service is away."""
    ports = free_ports(5)
    names = ("PRICING", "REGISTRY", "HEALTH", "ROUTER", "EDGE")
    addresses = {
        f"STEELYARD_{name}_ADDRESS": f"127.0.0.1:{port}"
        for name, port in zip(names, ports, strict=True)
    }
    return {**os.environ, **addresses, "NO_COLOR": "1", "COLUMNS": "200"}


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
async def test_a_service_that_is_down_is_one_sentence_and_how_to_start_it(
    environment: dict[str, str], arguments: list[str]
) -> None:
    code, out, err = await run_command(*arguments, environment=environment)

    assert (code, out) == (1, "")
    assert err.count("\n") == 1
    assert "does not answer at 127.0.0.1:" in err
    assert "steelyard up" in err


async def test_the_status_of_nothing_names_everything(environment: dict[str, str]) -> None:
    code, out, _ = await run_command("status", environment=environment)

    assert code == 1
    assert out.count("does not answer") == 5


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["route"],
        ["estimate", "gpt-4o"],
        ["estimate", "gpt-4o", "--input", "-1"],
        ["estimate", "gpt-4o", "--input", "many"],
        ["prices", "--limit", "0"],
        ["prices", "gpt-4o", "--provider", "openai"],
        ["changes", "--since", "yesterday"],
        ["changes", "--limit", "0"],
        ["compare", "gpt-4o", "o3"],
        ["refresh", "--nope"],
        ["models", "--capability", "flying"],
        ["models", "--min-quality", "101"],
        ["models", "--min-context", "-1"],
        ["models", "--max-price", "cheap"],
        ["models", "--max-price", "nan"],
        ["models", "--max-price", "-1"],
        ["models", "--limit", "201"],
        ["quality"],
        ["health", "--watch", "--alerts"],
        ["health", "--incidents", "--limit", "0"],
        ["health", "openai", "groq"],
        ["sync", "prices"],
        ["sync", "--source", "arena"],
        ["sync", "models", "--source", "lmsys"],
    ],
    ids=" ".join,
)
async def test_a_wrong_call_exits_2(environment: dict[str, str], arguments: list[str]) -> None:
    code, _, err = await run_command(*arguments, environment=environment)

    assert code == 2
    assert "Traceback" not in err


async def test_a_wrong_setting_is_named_and_exits_2(environment: dict[str, str]) -> None:
    wrong = environment | {"STEELYARD_ROUTER_ADDRESS": "nowhere"}

    code, _, err = await run_command("route", "hello", environment=wrong)

    assert code == 2
    assert "STEELYARD_ROUTER_ADDRESS" in err


async def test_every_command_explains_itself(environment: dict[str, str]) -> None:
    code, out, _ = await run_command("--help", environment=environment)

    assert code == 0
    for name in (
        "up", "status", "route", "estimate", "prices", "compare", "changes", "refresh", "models",
        "quality", "health", "sync",
    ):  # fmt: skip
        assert name in out
