"""Three calls to copy, each of which works as printed."""

import json
import shutil
import sys
from pathlib import Path

from steelyard_cli.settings import default_address
from steelyard_cli.supervisor.plan import Plan

PROMPT = "Summarise the French Revolution in three sentences."


def sample_calls(plan: Plan) -> list[str]:
    """Return one call over REST, one over gRPC and one with the command."""
    steelyard = _program("steelyard")
    estimate = f"{_prefix(plan, 'pricing')}{steelyard} estimate gpt-4o --input 1000 --output 500"
    return [_curl(plan), _grpcurl(plan) or _route(plan, steelyard), estimate]


def _curl(plan: Plan) -> str:
    body = json.dumps({"messages": [{"role": "user", "content": PROMPT}]})
    return f"curl -s {plan.edge_url}/v1/route -H 'content-type: application/json' -d '{body}'"


def _grpcurl(plan: Plan) -> str | None:
    program = _program("grpcurl")
    if shutil.which(program) is None:
        return None
    body = json.dumps({"request": {"messages": [{"role": "ROLE_USER", "text": PROMPT}]}})
    method = "steelyard.router.v1.RoutingService/Route"
    return f"{program} -plaintext -d '{body}' {_address(plan, 'router')} {method}"


def _route(plan: Plan, steelyard: str) -> str:
    return f"{_prefix(plan, 'router')}{steelyard} route '{PROMPT}' --explain"


def _address(plan: Plan, name: str) -> str:
    return str(next(service.address for service in plan.services if service.name == name))


def _prefix(plan: Plan, name: str) -> str:
    """Return the setting with which the command finds a service at an unusual place."""
    service = next(each for each in plan.services if each.name == name)
    if service.address == default_address(name):
        return ""
    return f"{service.variable}={service.address} "


def _program(name: str) -> str:
    """Return how to call a program: by name if the shell finds it, else by its place."""
    if shutil.which(name):
        return name
    beside = Path(sys.executable).parent / name
    if not beside.exists():
        return name
    here = Path.cwd()
    return str(beside.relative_to(here) if beside.is_relative_to(here) else beside)
