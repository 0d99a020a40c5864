"""The parts of the supervisor that decide."""

import socket
from pathlib import Path

import pytest

from steelyard_cli.settings import CliSettings
from steelyard_cli.supervisor.backoff import MAX_SECONDS, STEADY_SECONDS, Backoff
from steelyard_cli.supervisor.plan import Plan, planned
from steelyard_cli.supervisor.ports import taken
from steelyard_cli.supervisor.samples import sample_calls
from steelyard_cli.supervisor.single_run import AlreadyRunningError, SingleRun
from steelyard_cli.supervisor.supervisor import failed_start
from steelyard_common.address import Address


def a_plan(environment: dict[str, str] | None = None, **settings: Address) -> Plan:
    return planned(
        CliSettings(**settings),  # type: ignore[arg-type]
        environment or {},
        data_dir=Path("state"),
        parent_pid=17,
        verbose=False,
    )


def test_the_wait_doubles_with_each_crash_up_to_a_bound() -> None:
    backoff = Backoff()

    waits = [backoff.after(0) for _ in range(8)]

    assert waits == [0.5, 1, 2, 4, 8, 16, MAX_SECONDS, MAX_SECONDS]


def test_a_child_that_ran_long_is_started_again_soon() -> None:
    backoff = Backoff()
    for _ in range(5):
        backoff.after(0)

    assert backoff.after(STEADY_SECONDS) == 0.5
    assert backoff.after(0) == 1


def test_children_know_their_parent_and_keep_what_the_user_has_set() -> None:
    plan = a_plan({"STEELYARD_LOG_LEVEL": "debug", "STEELYARD_PARENT_PID": "1", "HOME": "/h"})

    environment = plan.services[0].environment
    assert environment["STEELYARD_PARENT_PID"] == "17"
    assert environment["STEELYARD_DATA_DIR"] == "state"
    assert environment["STEELYARD_LOG_LEVEL"] == "debug"
    assert environment["HOME"] == "/h"


def test_only_warnings_are_shown_unless_all_are_asked_for() -> None:
    quiet = a_plan().services[0].environment
    loud = planned(
        CliSettings(), {}, data_dir=Path(), parent_pid=1, verbose=True
    ).services[0].environment  # fmt: skip

    assert quiet["STEELYARD_LOG_LEVEL"] == "warning"
    assert loud["STEELYARD_LOG_LEVEL"] == "info"


def test_a_taken_port_is_found_before_anything_starts() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        plan = a_plan(router_address=Address("127.0.0.1", port))

        problems = [problem for problem in taken(plan.services) if "router" in problem]

    assert len(problems) == 1
    assert f"port {port}" in problems[0]
    assert "STEELYARD_ROUTER_ADDRESS" in problems[0]


def test_calls_to_copy_name_what_is_not_at_its_usual_place() -> None:
    usual = sample_calls(a_plan())
    moved = sample_calls(a_plan(pricing_address=Address("127.0.0.1", 7001)))

    assert usual[0].startswith("curl -s http://127.0.0.1:8000/v1/route")
    assert "STEELYARD_" not in usual[2]
    assert moved[2].startswith("STEELYARD_PRICING_ADDRESS=127.0.0.1:7001 ")


def test_a_data_directory_has_one_supervisor_at_a_time(tmp_path: Path) -> None:
    with SingleRun(tmp_path), pytest.raises(AlreadyRunningError, match="runs already"):
        SingleRun(tmp_path).__enter__()

    with SingleRun(tmp_path):
        pass  # the first one let go


def test_a_child_that_ends_at_start_is_quoted() -> None:
    plan = a_plan().services[0]

    assert failed_start(plan, "with exit code 2", ["wrong settings:", "  X: bad"]) == (
        "pricing ended with exit code 2 before it was ready; the last it said:"
        "\n    wrong settings:\n      X: bad"
    )
    assert failed_start(plan, "killed by SIGSEGV", []).endswith("said: nothing")
