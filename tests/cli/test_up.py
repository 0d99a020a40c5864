"""The supervisor with the real services."""

import asyncio
import json
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path

import psutil
import pytest

from tests.cli.running_up import RunningUp
from tests.stack import SERVICES

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("system")]


@asynccontextmanager
async def ready(data_dir: Path) -> AsyncIterator[RunningUp]:
    """Run a supervisor until it has everything ready."""
    running = RunningUp(data_dir)
    try:
        await running.start()
        await running.wait_for("Stop with Ctrl-C.")
        assert set(running.children()) == set(SERVICES)
        yield running
    finally:
        await running.end()


@pytest.fixture(scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningUp]:
    """Return a supervisor for tests that leave it as it is."""
    async with ready(tmp_path_factory.mktemp("shared")) as running:
        yield running


@pytest.fixture
async def up(tmp_path: Path) -> AsyncIterator[RunningUp]:
    """Return a supervisor for a test that breaks it."""
    async with ready(tmp_path / "data") as running:
        yield running


async def test_every_printed_call_works_as_it_stands(shared: RunningUp) -> None:
    calls = [
        line.strip()
        for line in shared.output.splitlines()
        if line.startswith("  ") and (" -d '" in line or "steelyard" in line)
    ]

    results = [await shared.run_printed(call) for call in calls]

    assert len(calls) == 3
    assert [code for code, _ in results] == [0, 0, 0]
    assert json.loads(results[0][1])["decision_id"].startswith("dec_")
    assert "$0.0075" in results[2][1]


async def test_every_command_answers_in_json(shared: RunningUp) -> None:
    commands = {
        "route": ["route", "Write a haiku about scales.", "--json"],
        "estimate": ["estimate", "gpt-4o", "--input", "1000", "--output", "500", "--json"],
        "price": ["prices", "gpt-4o", "--json"],
        "prices": ["prices", "--provider", "groq", "--limit", "2", "--json"],
        "status": ["status", "--json"],
        "refresh": ["refresh", "--force", "--json"],
    }

    documents = {}
    for name, arguments in commands.items():
        code, out, err = await shared.run(*arguments)
        assert code == 0, err
        documents[name] = json.loads(out, parse_float=Decimal)

    assert documents["route"]["offer"] == documents["route"]["candidates"][0]["offer"]
    assert documents["estimate"]["estimated_cost_usd"] == Decimal("0.0075")
    assert documents["price"]["input_usd_per_1m_tokens"] == Decimal("2.5")
    assert len(documents["prices"]["prices"]) == 2
    assert documents["prices"]["total_count"] > 2
    assert documents["status"]["ready"] is True
    assert set(documents["status"]["services"]) == set(SERVICES)
    assert documents["refresh"]["model_count"] > 4000


async def test_every_command_prints_for_people(shared: RunningUp) -> None:
    for arguments, expected in (
        (["route", "hello", "--explain"], "candidate"),
        (["route", "hello", "--model", "auto:cheap", "--policy", "cheap"], "expected cost"),
        (["estimate", "gpt-4o", "--prompt", "hello there"], "openai/gpt-4o"),
        (["prices", "--provider", "openai", "--filter", "gpt-4o"], "openai/gpt-4o"),
        (["status"], "serving"),
        (["refresh"], "offers now"),
    ):
        code, out, err = await shared.run(*arguments)
        assert code == 0, err
        assert expected in out


async def test_an_unknown_model_is_one_sentence(shared: RunningUp) -> None:
    code, out, err = await shared.run("prices", "gpt-4-mini")

    assert (code, out) == (1, "")
    assert "gpt-4-mini" in err
    assert "Traceback" not in err


@pytest.mark.faults
async def test_killed_children_are_started_again(up: RunningUp) -> None:
    for name in ("pricing", "edge"):
        before = up.children()[name]

        before.kill()
        await up.wait_for(f"{name} ended killed by SIGKILL, starting it again")

        async with asyncio.timeout(30):
            while (await up.run("status"))[0] != 0:  # noqa: ASYNC110 - another process's state
                await asyncio.sleep(0.1)
        assert up.children()[name].pid != before.pid


async def test_ctrl_c_stops_everything_within_5_seconds(up: RunningUp) -> None:
    children = list(up.children().values())

    up.signal(signal.SIGINT)

    assert await up.ended(seconds=5) == 0
    assert not [child for child in children if child.is_running()]


@pytest.mark.faults
async def test_a_child_that_does_not_stop_is_killed(up: RunningUp) -> None:
    stuck = up.children()["health"]
    stuck.suspend()

    up.signal(signal.SIGTERM)

    assert await up.ended(seconds=5.5) == 0
    assert not stuck.is_running()
    await up.wait_for("health does not stop, killing it")


@pytest.mark.faults
async def test_no_orphan_is_left_by_a_killed_supervisor(up: RunningUp) -> None:
    children = list(up.children().values())

    up.signal(signal.SIGKILL)
    await up.ended(seconds=5)

    _, alive = await asyncio.to_thread(psutil.wait_procs, children, timeout=10)
    assert alive == []


async def test_a_second_supervisor_says_that_one_runs(shared: RunningUp) -> None:
    code, _, err = await shared.run("up", "--data-dir", str(shared.data_dir))

    assert code == 1
    assert f"process {shared.pid}" in err


async def test_a_taken_port_is_named_with_its_variable(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        up = RunningUp(tmp_path)
        up.environment["STEELYARD_HEALTH_ADDRESS"] = f"127.0.0.1:{port}"

        code, _, err = await up.run("up", "--data-dir", str(tmp_path))

    assert code == 1
    assert str(port) in err
    assert "STEELYARD_HEALTH_ADDRESS" in err
    assert "Traceback" not in err


async def test_a_child_that_cannot_start_ends_everything_with_its_last_words(
    tmp_path: Path,
) -> None:
    up = RunningUp(tmp_path)
    up.environment["STEELYARD_LITELLM_URL"] = "gopher://nowhere"
    try:
        await up.start()

        assert await up.ended(seconds=30) == 1
        await up.wait_for("STEELYARD_LITELLM_URL")
        assert "before it was ready" in up.output
    finally:
        await up.end()
