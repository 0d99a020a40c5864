"""What is to be run, and with which environment."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from steelyard_cli.settings import CliSettings, variable
from steelyard_common.address import Address
from steelyard_common.settings import PREFIX

SERVICES = ("pricing", "registry", "health", "router", "edge")
# Less than the supervisor waits before it kills.
DRAIN_SECONDS = "3"


@dataclass(frozen=True, slots=True)
class ServicePlan:
    """One child process."""

    name: str
    address: Address
    variable: str
    """Which setting the address comes from."""
    environment: Mapping[str, str]

    @property
    def command(self) -> tuple[str, ...]:
        """The program and its arguments."""
        return (sys.executable, "-m", f"steelyard_{self.name}")


@dataclass(frozen=True, slots=True)
class Plan:
    """All child processes and where they keep state."""

    services: tuple[ServicePlan, ...]
    data_dir: Path

    @property
    def edge_url(self) -> str:
        """Root of the REST edge, as this machine reaches it."""
        edge = next(service for service in self.services if service.name == "edge")
        return f"http://{edge.address}"


def planned(
    settings: CliSettings,
    environment: Mapping[str, str],
    *,
    data_dir: Path,
    parent_pid: int,
    verbose: bool,
) -> Plan:
    """Return the plan; what the user has set stays as it is."""
    defaults = {
        f"{PREFIX}LOG_FORMAT": "console",
        f"{PREFIX}LOG_LEVEL": "info" if verbose else "warning",
        f"{PREFIX}DRAIN_SECONDS": DRAIN_SECONDS,
    }
    forced = {
        f"{PREFIX}DATA_DIR": str(data_dir),
        f"{PREFIX}PARENT_PID": str(parent_pid),
        "PYTHONUNBUFFERED": "1",
    }
    shared = {**defaults, **environment, **forced}
    services = tuple(
        ServicePlan(name, settings.address(name), variable(name), shared) for name in SERVICES
    )
    return Plan(services, data_dir)
