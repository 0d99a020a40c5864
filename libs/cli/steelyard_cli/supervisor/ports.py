"""Finds ports that somebody else has, before anything is started."""

import os
import socket
from collections.abc import Iterable

from steelyard_cli.supervisor.plan import ServicePlan


def taken(services: Iterable[ServicePlan]) -> list[str]:
    """Return one sentence for each address that cannot be listened on."""
    return [problem for service in services if (problem := _problem(service))]


def _problem(service: ServicePlan) -> str | None:
    address = service.address
    if address.unix_path is not None or not address.port:
        return None
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        socket.create_server((address.host, address.port), family=family).close()
    except OSError as error:
        cause = os.strerror(error.errno) if error.errno else str(error)
        return (
            f"{service.name} cannot listen on port {address.port} ({cause.lower()}): "
            f"free it, or set {service.variable} to another address"
        )
    return None
