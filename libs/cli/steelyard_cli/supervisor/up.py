"""`steelyard up`: from settings to five running services, and back."""

import asyncio
import os
import sys
from pathlib import Path

from steelyard_cli.failure import CommandError
from steelyard_cli.settings import load_settings
from steelyard_cli.supervisor.plan import Plan, planned
from steelyard_cli.supervisor.ports import taken
from steelyard_cli.supervisor.samples import sample_calls
from steelyard_cli.supervisor.single_run import AlreadyRunningError, SingleRun
from steelyard_cli.supervisor.supervisor import Supervisor
from steelyard_common.clock import SystemClock


def run_up(*, data_dir: Path | None, verbose: bool) -> int:
    """Run all services until a signal; return the exit code.

    Raises:
        CommandError: Another supervisor runs, a port is taken, or the data directory is no good.
    """
    settings = load_settings()
    plan = planned(
        settings,
        os.environ,
        data_dir=data_dir or settings.data_dir,
        parent_pid=os.getpid(),
        verbose=verbose,
    )
    try:
        with SingleRun(plan.data_dir):
            if problems := taken(plan.services):
                raise CommandError("\n  ".join(problems))
            return asyncio.run(_supervised(plan))
    except AlreadyRunningError as error:
        raise CommandError(str(error)) from None
    except OSError as error:
        raise CommandError(f"cannot use {plan.data_dir}: {error.strerror}") from None


async def _supervised(plan: Plan) -> int:
    names = ", ".join(service.name for service in plan.services)
    _say(f"Starting {names} with data in {plan.data_dir}")
    supervisor = Supervisor(plan, clock=SystemClock(), write_line=_log)
    code = await supervisor.run(lambda seconds: _say(greeting(plan, seconds)))
    _say("Stopped.")
    return code


def greeting(plan: Plan, seconds: float) -> str:
    """Return what is printed once everything is ready."""
    addresses = [f"  {service.name:<9} {service.address}" for service in plan.services]
    calls = [f"  {call}\n" for call in sample_calls(plan)]
    return "\n".join(
        [
            f"\nSteelyard is ready after {seconds:.1f} s.\n",
            *addresses,
            f"\nREST is at {plan.edge_url}, described by {plan.edge_url}/openapi.json. Try:\n",
            *calls,
            "Stop with Ctrl-C.",
        ]
    )


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _log(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
